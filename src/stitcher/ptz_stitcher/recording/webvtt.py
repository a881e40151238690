# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A WebVTT file that is valid at any time: each cue is added whole. Format: https://www.w3.org/TR/webvtt1/"""

from __future__ import annotations

from pathlib import Path

from ptz_stitcher.recording.append_file import AppendFile

_MS = 1_000_000


class CueFile:
    """A new file of cues, given in the order of their starts. title and note: one line each, for people.

    Raises RecordingError if it exists already, or can't be written any more; what was written by then is valid.
    """

    def __init__(self, path: Path, title: str, note: str) -> None:
        self._file = AppendFile(path)
        self._file.add(f'WEBVTT - {title}\n\nNOTE {note}\n\n')

    def write(self, start_ns: int, end_ns: int, text: str) -> None:
        """Writes a cue; times from the beginning of the video, text without empty lines."""
        start = max(0, round(start_ns / _MS))
        # A cue of no length is none.
        end = max(start + 1, round(end_ns / _MS))
        self._file.add(f'{_time(start)} --> {_time(end)}\n{text}\n\n')

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours:02}:{minutes:02}:{seconds:02}.{ms:03}'
