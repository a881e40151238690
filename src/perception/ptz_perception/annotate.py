# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what was found into the picture, for people who look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ptz_perception.detections import Detections, Image
from ptz_perception.pipeline import SeenObject
from ptz_perception.recognition.watchlist import MarkShape, Target

Colour = tuple[int, int, int]

_SEEN: Colour = (0, 200, 255)
_UNSEEN: Colour = (150, 150, 150)
_TEXT_HEIGHT = 18


def annotate(picture: Image, seen: Sequence[SeenObject], targets: Mapping[str, Target], caption: str) -> Image:
    """A copy of a BGR picture with a box for each track, the marks of targets, and a caption. Predicted boxes are thin and grey."""
    drawn = picture.copy()
    for one in seen:
        target = targets.get(one.recognition.target)
        if target is not None:
            _target(drawn, one, target)
        else:
            _box(drawn, one, _SEEN, f'{one.track.track_id} {one.track.class_name} {one.track.score:.2f}')
    _text(drawn, caption, (10, _TEXT_HEIGHT + 6), 1.0)
    return drawn


def draw_detections(picture: Image, found: Detections) -> Image:
    """A copy of a BGR picture with a box, a class and a score for each detection."""
    drawn = picture.copy()
    for name, score, box, turn in zip(found.classes, found.scores, found.boxes.tolist(), found.orientations, strict=True):
        x, y, width, height = box
        corners = cv2.boxPoints(((x, y), (width, height), -math.degrees(turn)))
        cv2.polylines(drawn, [np.round(corners).astype(np.int32)], True, _SEEN, 2, cv2.LINE_AA)
        _text(drawn, f'{name} {score:.2f}', (round(x - width / 2), max(round(y - height / 2) - 6, _TEXT_HEIGHT)), 0.8)
    return drawn


def bgr(colour: str) -> Colour:
    """Blue, green, red of #rrggbb."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return blue, green, red


def _target(drawn: Image, one: SeenObject, target: Target) -> None:
    colour = bgr(target.mark_colour)
    x, y, width, height = one.track.box
    top = (round(x), round(y - height / 2))
    size = max(8, round(width / 3))
    text = f'{target.label or target.target} {one.recognition.similarity:.2f}'
    if target.mark_shape is MarkShape.TRIANGLE:
        tip = (top[0], top[1] - 4)
        corners = np.array([tip, (tip[0] - size, tip[1] - round(1.6 * size)), (tip[0] + size, tip[1] - round(1.6 * size))])
        cv2.fillPoly(drawn, [corners.astype(np.int32)], colour, cv2.LINE_AA)
        _text(drawn, text, (top[0] + size + 4, tip[1] - size), 1.0)
    elif target.mark_shape is MarkShape.ARROW:
        cv2.arrowedLine(drawn, (top[0], top[1] - 4 - 3 * size), (top[0], top[1] - 4), colour, 4, cv2.LINE_AA, tipLength=0.4)
        _text(drawn, text, (top[0] + size + 4, top[1] - size), 1.0)
    else:
        _box(drawn, one, colour, text, 4)


def _box(drawn: Image, one: SeenObject, colour: Colour, text: str, thickness: int = 2) -> None:
    track = one.track
    predicted = track.detection is None
    _rectangle(drawn, one, _UNSEEN if predicted else colour, 1 if predicted else thickness)
    if not predicted:
        x, y, width, height = track.box
        scale = 1.0 if height > 60 else 0.7
        _text(drawn, text, (round(x - width / 2), max(round(y - height / 2) - 6, 2 * _TEXT_HEIGHT + 6)), scale)


def _rectangle(drawn: Image, one: SeenObject, colour: Colour, thickness: int) -> None:
    x, y, width, height = one.track.box
    corners = cv2.boxPoints(((x, y), (width, height), -math.degrees(one.track.orientation)))
    cv2.polylines(drawn, [np.round(corners).astype(np.int32)], True, colour, thickness, cv2.LINE_AA)


def _text(picture: Image, text: str, at: tuple[int, int], scale: float) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * scale, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55 * scale, (255, 255, 255), 1, cv2.LINE_AA)
