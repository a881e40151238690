# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A video whose writer is killed between two system calls, or inside of one, plays up to its last complete fragment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from encoded_cameras import stream

from ptz_stitcher.recording import EncodedPicture, RecordingError, VideoWriter

S = 1_000_000_000
PAGE = 4096
PICTURES = 35


def jpeg(number: int) -> bytes:
    """Of different sizes, so that fragments end anywhere in a page."""
    noise = np.random.default_rng(number).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    return bytes(cv2.imencode('.jpg', noise, [cv2.IMWRITE_JPEG_QUALITY, 40 + number])[1])


def played(data: bytes, path: Path) -> int:
    """The pictures that a player shows of a file with these contents; 0 if it does not open it."""
    path.write_bytes(data)
    try:
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    except av.FFmpegError:
        return 0


def pictures(encoding: str) -> list[EncodedPicture]:
    """As a camera sends them."""
    if encoding != 'jpeg':
        return list(stream('north', encoding, PICTURES))
    return [EncodedPicture(jpeg(number), 'jpeg', True, (160, 90)) for number in range(PICTURES)]


@pytest.mark.parametrize('encoding', ['jpeg', 'h264', 'h265'])
def test_every_state_between_two_system_calls_and_inside_of_one_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    target, states = tmp_path / 'gate.mp4', [b'']
    real = os.pwrite

    def pwrite(file: int, data: memoryview, offset: int) -> int:
        before = target.read_bytes()
        for cut in range(offset // PAGE * PAGE + PAGE, offset + len(data), PAGE):
            states.append(before[:offset].ljust(offset, b'\0') + bytes(data[: cut - offset]) + before[cut:])
        written = real(file, data, offset)
        states.append(target.read_bytes())
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, 'pwrite', pwrite)
        with VideoWriter(target) as video:
            for number, picture in enumerate(pictures(encoding)):
                video.write(picture, number * S // 10, S // 10)
            during = len(states)
    # While it is written: fragments of about a second come, none goes.
    counts = [played(data, tmp_path / 'state.mp4') for data in dict.fromkeys(states[:during])]
    assert counts == sorted(counts), 'what played once plays on'
    assert len(set(counts)) >= 4
    assert counts[-1] >= PICTURES - 11
    # While it is closed, when the file becomes an ordinary one.
    closing = [played(data, tmp_path / 'state.mp4') for data in dict.fromkeys(states[during:])]
    assert min(closing) >= counts[-1]
    assert played(target.read_bytes(), tmp_path / 'state.mp4') == PICTURES


@pytest.mark.parametrize('call', range(1, 40, 3))
def test_a_full_disk_leaves_what_was_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    target, calls = tmp_path / 'gate.mp4', 0
    real = os.pwrite
    complete = 0

    def pwrite(file: int, data: memoryview, offset: int) -> int:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise OSError(errno.ENOSPC, 'No space left on device')
        return real(file, data, offset)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'pwrite', pwrite)
        video = VideoWriter(target)

        def fill() -> None:
            nonlocal complete
            for number in range(400):
                video.write(EncodedPicture(jpeg(number % 50), 'jpeg', True, (160, 90)), number * S // 10, S // 10)
                complete = played(target.read_bytes(), tmp_path / 'state.mp4') if number % 10 == 9 else complete

        with pytest.raises(RecordingError, match=r'gate.mp4: No space left'):
            fill()
        with pytest.raises(RecordingError, match='closed already'):
            video.write(EncodedPicture(jpeg(0), 'jpeg', True, (160, 90)), 10**12, S // 10)
    assert (played(target.read_bytes(), tmp_path / 'state.mp4') if target.exists() else 0) >= complete
