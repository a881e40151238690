# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures of several cameras can be put behind each other into one stream, so that a decoder follows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ptz_site.stream_marks.nal import Codec, NalFormat, units
from ptz_stitcher.recording.mp4 import EncodedPicture

_START_CODE = b'\x00\x00\x00\x01'
#: Types of the units without which nothing can be decoded: SPS and PPS (H.264 table 7-1, H.265 table 7-1).
_SETS = {Codec.H264: {7, 8}, Codec.H265: {33, 34}}
_FORMATS = {'h264': NalFormat(Codec.H264, 0), 'h265': NalFormat(Codec.H265, 0)}


@dataclass
class StreamJoiner:
    """Passes on the pictures that can be decoded after those that it passed on before.

    A camera's first picture after another's, after a lost one, or after one that was left out must be a keyframe; and as each camera has
    parameter sets of its own (VPS, SPS, PPS), they must be in it. Where they are not, those that the camera sent before are put in.
    JPEG passes as it is. left_out: pictures that were not passed on.
    """

    left_out: int = 0
    _sets: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _last: tuple[str, int, int] = ('', 0, 0)

    def take(self, camera: str, session: int, sequence: int, picture: EncodedPicture) -> EncodedPicture | None:
        """The picture as it is to be written, or None if a decoder could make nothing of it. Pictures are in the order of sequence."""
        form = _FORMATS.get(picture.encoding)
        if form is None:
            self._last = (camera, session, sequence)
            return picture
        follows = self._last == (camera, session, sequence - 1)
        whole = self._with_sets(camera, session, picture, form) if picture.keyframe else picture
        if whole is None or not (picture.keyframe or follows):
            self.left_out += 1
            return None
        self._last = (camera, session, sequence)
        return whole

    def _with_sets(self, camera: str, session: int, picture: EncodedPicture, form: NalFormat) -> EncodedPicture | None:
        own = [unit for unit in units(picture.data, form) if form.is_parameter_set(unit[0])]
        if _SETS[form.codec] <= {_kind(unit[0], form) for unit in own}:
            self._sets[camera, session] = b''.join(_START_CODE + unit for unit in own)
            return picture
        known = self._sets.get((camera, session))
        return None if known is None else replace(picture, data=known + picture.data)


def _kind(head: int, form: NalFormat) -> int:
    return head & 31 if form.codec is Codec.H264 else (head >> 1) & 63
