# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what was found into the picture, for people who look."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from ptz_perception.detections import Image
from ptz_perception.tracker import Track

_COLOUR = (0, 200, 255)


def annotate(picture: Image, tracks: Sequence[Track], caption: str) -> Image:
    """A copy of a BGR picture with a box for each track, and a caption."""
    drawn = picture.copy()
    for track in tracks:
        x, y, width, height = track.box
        low, high = (round(x - width / 2), round(y - height / 2)), (round(x + width / 2), round(y + height / 2))
        cv2.rectangle(drawn, low, high, _COLOUR, 2)
        _text(drawn, f'{track.track_id} {track.class_name} {track.score:.2f}', (low[0], low[1] - 6))
    _text(drawn, caption, (10, 24))
    return drawn


def _text(picture: Image, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
