# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How large encoded pictures are, where their message does not say it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import av

from ptz_site.stream_marks import jpeg, nal

CODECS = {'h264': nal.Codec.H264, 'h265': nal.Codec.H265}


@dataclass
class PictureSizes:
    """Sizes of the pictures of one camera, in pixels. Those of H.264 and H.265 follow from the last parameter sets that came."""

    _known: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    _current: tuple[int, int] = (0, 0)

    def size(self, data: bytes, encoding: str, keyframe: bool) -> tuple[int, int]:
        """Of the next picture; (0, 0) while nothing has said it. Raises ValueError if it is damaged."""
        codec = CODECS.get(encoding)
        if codec is None:
            return jpeg.size(data)
        if keyframe:
            sets = b''.join(_parameter_sets(data, nal.NalFormat(codec, 0)))
            if sets and sets not in self._known:
                self._known[sets] = _probe(data, encoding)
            self._current = self._known.get(sets, self._current)
        return self._current


def _parameter_sets(data: bytes, form: nal.NalFormat) -> list[bytes]:
    """Those before the first slice."""
    found = []
    for unit in nal.units(data, form):
        if form.is_slice(unit[0]):
            break
        if form.is_parameter_set(unit[0]):
            found.append(unit)
    return found


def _probe(data: bytes, encoding: str) -> tuple[int, int]:
    try:
        with av.open(io.BytesIO(data), format={'h265': 'hevc'}.get(encoding, encoding)) as container:
            stream = container.streams.video[0]
            return stream.codec_context.width, stream.codec_context.height
    except (av.FFmpegError, IndexError):
        raise ValueError(f'{encoding} with parameter sets that can not be read') from None
