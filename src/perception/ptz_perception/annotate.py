# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what was found into the picture, for people who look."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from ptz_perception.detections import Image
from ptz_perception.tracker import Track

_SEEN = (0, 200, 255)
_UNSEEN = (150, 150, 150)
_TEXT_HEIGHT = 18


def annotate(picture: Image, tracks: Sequence[Track], stamp_ns: int, caption: str) -> Image:
    """A copy of a BGR picture with a box for each track, and a caption. Tracks that this frame does not show are thin and grey."""
    drawn = picture.copy()
    for track in tracks:
        x, y, width, height = track.box
        low, high = (round(x - width / 2), round(y - height / 2)), (round(x + width / 2), round(y + height / 2))
        if not track.seen_at(stamp_ns):
            cv2.rectangle(drawn, low, high, _UNSEEN, 1)
            continue
        cv2.rectangle(drawn, low, high, _SEEN, 2)
        _text(drawn, f'{track.track_id} {track.class_name} {track.score:.2f}', (low[0], max(low[1] - 6, 2 * _TEXT_HEIGHT + 6)))
    _text(drawn, caption, (10, _TEXT_HEIGHT + 6))
    return drawn


def _text(picture: Image, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
