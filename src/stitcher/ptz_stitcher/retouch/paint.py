# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Paints what was decided into a picture."""

from __future__ import annotations

import math
import re

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_stitcher.retouch.looks import Box
from ptz_stitcher.retouch.plan import Retouching, TargetMark
from ptz_stitcher.retouch.policies import RedactBy

Picture = NDArray[np.uint8]

#: What is left of a hidden region: the means of so many cells along its longer side. A face is less than one of them.
CELLS = 8
_COLOUR = re.compile(r'#[0-9a-fA-F]{6}')
_DEFAULT_COLOUR = '#ff7f0e'


def painted(frame: av.VideoFrame, what: Retouching) -> av.VideoFrame:
    """A copy of a picture: what was decided is hidden, and marks are drawn."""
    picture = np.ascontiguousarray(frame.to_ndarray(format='bgr24'), dtype=np.uint8)
    height, width = picture.shape[:2]
    if what.whole:
        _hide(picture, Box(0, 0, width, height), what.by)
        return av.VideoFrame.from_ndarray(picture, format='bgr24')
    across, down = (width / what.size[0], height / what.size[1]) if all(what.size) else (1.0, 1.0)
    for box in what.hidden:
        _hide(picture, box.scaled(across, down), what.by)
    for mark in what.marks:
        _draw(picture, mark, mark.box.scaled(across, down))
    return av.VideoFrame.from_ndarray(picture, format='bgr24')


def _hide(picture: Picture, box: Box, by: RedactBy) -> None:
    height, width = picture.shape[:2]
    left, top = max(0, math.floor(box.left)), max(0, math.floor(box.top))
    right, bottom = min(width, math.ceil(box.right)), min(height, math.ceil(box.bottom))
    if left >= right or top >= bottom:
        return
    part = picture[top:bottom, left:right]
    # By the region as it lies in the picture: what sticks out of it leaves fewer pixels, not smaller cells.
    cell = max(1.0, max(right - left, bottom - top) / CELLS)
    cells = max(1, round((right - left) / cell)), max(1, round((bottom - top) / cell))
    means = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    # Blurred from the means alone: an ordinary blur of the picture can be undone.
    smooth = cv2.INTER_LINEAR if by is RedactBy.BLUR else cv2.INTER_NEAREST
    picture[top:bottom, left:right] = cv2.resize(means, (right - left, bottom - top), interpolation=smooth)


def _draw(picture: Picture, mark: TargetMark, box: Box) -> None:
    colour = _bgr(mark.colour if _COLOUR.fullmatch(mark.colour) else _DEFAULT_COLOUR)
    line = max(2, round(picture.shape[0] / 240))
    x, y = round((box.left + box.right) / 2), round(box.top) - 2
    size = max(4 * line, round((box.right - box.left) / 3))
    if mark.shape == 'triangle':
        corners = np.array([(x, y), (x - size, y - round(1.6 * size)), (x + size, y - round(1.6 * size))], np.int32)
        cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA)
        _write(picture, mark.target, (x + size + line, y - size // 2))
    elif mark.shape == 'arrow':
        cv2.arrowedLine(picture, (x, y - 3 * size), (x, y), colour, line + 1, cv2.LINE_AA, tipLength=0.4)
        _write(picture, mark.target, (x + size // 2 + line, y - size))
    else:
        corner, opposite = (round(box.left), round(box.top)), (round(box.right), round(box.bottom))
        cv2.rectangle(picture, corner, opposite, colour, line, cv2.LINE_AA)
        _write(picture, mark.target, (corner[0], corner[1] - 2 * line))


def _write(picture: Picture, text: str, at: tuple[int, int]) -> None:
    """Inside the picture, wherever it was to be; white on black is read on everything."""
    height, width = picture.shape[:2]
    scale, line = height / 1000, max(1, round(height / 600))
    (long, tall), under = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, line)
    place = max(0, min(at[0], width - long)), max(tall, min(at[1], height - under))
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), line + 2, cv2.LINE_AA)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), line, cv2.LINE_AA)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return blue, green, red
