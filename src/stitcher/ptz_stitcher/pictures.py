# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A scene sequence as a folder of pictures with one line of JSON for each, for people who work on stills."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from ptz_stitcher.background import Background
from ptz_stitcher.cues import Shown
from ptz_stitcher.recording import EncodedPicture, RecordingError
from ptz_stitcher.recording.append_file import AppendFile
from ptz_stitcher.recording.parameter_sets import StreamJoiner
from ptz_stitcher.recording.transcoding import PictureDecoder, to_jpeg
from ptz_stitcher.retouch import Retouching, painted
from ptz_stitcher.scene_video import failure_text
from ptz_stitcher.segments import FrameHeader, Placed

INDEX = 'index.jsonl'


class PictureFolder:
    """Writes <stamp in ns>_<camera>_<sequence>.jpg for every frame that the cut keeps, and then its line into index.jsonl.

    JPEG is written as it came; H.264, H.265 and what is to be retouched are decoded, and encoded to JPEG, in the background. A picture
    without a line is one that was not complete. Raises RecordingError if the folder exists already.
    """

    def __init__(self, folder: Path, failures: list[str], background: Background) -> None:
        self._folder, self._failures, self._background = folder, failures, background
        self._joiners: dict[str, StreamJoiner] = {}
        self._decoders: dict[str, PictureDecoder] = {}
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise RecordingError(folder, 'exists already; recordings are never written over') from None
        except OSError as error:
            raise RecordingError(folder, error.strerror or str(error)) from None
        self._index: AppendFile | None = AppendFile(folder / INDEX)

    def take(self, placed: Placed, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        """Has the picture written if the cut keeps it."""
        if placed.keep:
            self._background.submit(len(picture.data), partial(self._write, placed.header, picture, targets, retouch))

    def close(self) -> None:
        """Waits for what is being written."""
        self._background.close()
        if self._index is not None:
            self._index.close()

    def left_out(self) -> int:
        """Pictures before a keyframe, and those that there was no time for."""
        return sum(joiner.left_out for joiner in self._joiners.values()) + self._background.refused

    def _write(self, header: FrameHeader, picture: EncodedPicture, targets: tuple[str, ...], retouch: Retouching | None) -> None:
        if self._index is None:
            return
        data = self._as_jpeg(header, picture, retouch)
        if data is None:
            return
        path = self._folder / f'{header.stamp_ns}_{header.camera}_{header.sequence}.jpg'
        try:
            path.write_bytes(data)
            self._index.add(json.dumps(_line(path.name, header, picture.size, targets), ensure_ascii=False) + '\n')
        except (OSError, RecordingError) as error:
            problem = error if isinstance(error, RecordingError) else RecordingError(path, error.strerror or str(error))
            self._failures.append(failure_text(problem))
            self._index.close()
            self._index = None

    def _as_jpeg(self, header: FrameHeader, picture: EncodedPicture, retouch: Retouching | None) -> bytes | None:
        if picture.encoding == 'jpeg' and retouch is None:
            return picture.data
        joiner = self._joiners.setdefault(header.camera, StreamJoiner())
        joined = joiner.take(header.camera, header.session, header.sequence, picture)
        if joined is None:
            return None
        frame = self._decoders.setdefault(header.camera, PictureDecoder()).decode(joined)
        if frame is None:
            joiner.left_out += 1
            return None
        return to_jpeg(frame if retouch is None else painted(frame, retouch))


def _line(name: str, header: FrameHeader, size: tuple[int, int], targets: tuple[str, ...]) -> dict[str, object]:
    shown = Shown(header.camera, header.slot, header.phase, header.marks, targets)
    return {
        'file': name,
        'stamp_ns': header.stamp_ns,
        'scene': header.scene,
        **shown.content(),
        'session': header.session,
        'sequence': header.sequence,
        'switch_start_ns': header.switch_start_ns,
        'arrived_ns': header.arrived_ns,
        'width': size[0],
        'height': size[1],
    }
