# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One video of a scene: the MP4 with its chapters, and beside it a WebVTT file that tells what every moment shows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ptz_stitcher.cues import Cue, CueTrack, Shown
from ptz_stitcher.recording import Chapter, EncodedPicture, PictureRefusedError, RecordingError, VideoWriter
from ptz_stitcher.recording.webvtt import CueFile


@dataclass(frozen=True)
class ShownPicture:
    """A picture in its place. stamp_ns: ROS time; chapter: a change of it begins a chapter, called title."""

    picture: EncodedPicture
    stamp_ns: int
    chapter: Hashable
    title: str
    shown: tuple[Shown, ...]


@dataclass
class SceneVideo:
    """Writes <path> and, with the same name, the cues. Pictures must be decodable in the order in which they are given.

    failures: what could not be written, a line each; the rest is written nevertheless.
    """

    path: Path
    scene: str
    tags: Mapping[str, str]
    period_ns: int
    failures: list[str]
    _video: VideoWriter | None = field(init=False)
    _cues: CueFile | None = field(init=False)
    _track: CueTrack = field(init=False)
    _start_ns: int = 0
    _last_ns: int = 0
    _chapters: list[tuple[Hashable, str, int]] = field(default_factory=list)
    _refused: set[tuple[str, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Raises RecordingError if it exists; so do the cues, whose file is made later.
        self._video = VideoWriter(self.path, self.tags)
        self._track = CueTrack(self.period_ns)
        self._cues = None
        if self.path.with_suffix('.vtt').exists():
            raise RecordingError(self.path.with_suffix('.vtt'), 'exists already; recordings are never written over')

    def take(self, one: ShownPicture) -> None:
        """Writes a picture, and the cue that ends with it."""
        if self._video is None:
            return
        try:
            self._video.write(one.picture, one.stamp_ns, self.period_ns)
        except PictureRefusedError as error:
            self._refuse(error, one)
            return
        except RecordingError as error:
            self._fail(error)
            self._video = None
            self._write_cue(self._track.finish())
            return
        if not self._chapters:
            self._begin(one.stamp_ns)
        if not self._chapters or self._chapters[-1][0] != one.chapter:
            self._chapters.append((one.chapter, one.title, one.stamp_ns))
        self._last_ns = one.stamp_ns
        self._write_cue(self._track.take(one.stamp_ns, one.shown))

    def close(self) -> None:
        """Writes what is left, and closes both files."""
        self._write_cue(self._track.finish())
        if self._cues is not None:
            self._cues.close()
        video, self._video = self._video, None
        try:
            if video is not None:
                video.close(self._chapter_list())
        except RecordingError as error:
            self._fail(error)

    def _begin(self, stamp_ns: int) -> None:
        self._start_ns = stamp_ns
        note = f'kind: metadata, start_ns={stamp_ns}'
        try:
            self._cues = CueFile(self.path.with_suffix('.vtt'), self.tags.get('title', self.scene), note)
        except RecordingError as error:
            self._fail(error)

    def _write_cue(self, cue: Cue | None) -> None:
        if cue is None or self._cues is None:
            return
        try:
            self._cues.write(cue.start_ns - self._start_ns, cue.end_ns - self._start_ns, cue.text(self.scene))
        except RecordingError as error:
            self._fail(error)
            self._cues = None

    def _refuse(self, error: PictureRefusedError, one: ShownPicture) -> None:
        # One line for each camera; its other pictures are in the bag too.
        cameras = tuple(shown.camera for shown in one.shown)
        if cameras not in self._refused:
            self._refused.add(cameras)
            self.failures.append(f'{error.path}: {", ".join(cameras)} is left out: {error.reason}')

    def _fail(self, error: RecordingError) -> None:
        self.failures.append(failure_text(error))

    def _chapter_list(self) -> list[Chapter]:
        ends = [start for _, _, start in self._chapters[1:]]
        ends.append(self._last_ns + self.period_ns)
        return [Chapter(title, start, end) for (_, title, start), end in zip(self._chapters, ends, strict=False)]


def failure_text(error: RecordingError) -> str:
    """What people read of a file that can't be written any more."""
    return f'{error.path}: {error.reason}; make room or choose another folder, then start again'
