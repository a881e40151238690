# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of where perception looks closer: where somebody was before, where somebody is, and now and then everywhere."""

from __future__ import annotations

import numpy as np

from ptz_perception.density import PictureHeats
from ptz_perception.hot_parts import HotParts

S = 1_000_000_000
PICTURE = np.zeros((720, 1280, 3), np.uint8)
SIZE = (1280, 720)
NOBODY = np.empty((0, 5))


def walked(heats: PictureHeats, scene: str, begin: int = 0) -> int:
    """Somebody walks from the left to the middle; the stamp after it."""
    for step in range(20):
        heats.take(scene, begin + step * S // 5, np.array([[40.0 + 30 * step, 300.0, 12.0, 30.0]]), SIZE)
    return begin + 4 * S


def held(parts: object, x: float, y: float) -> bool:
    return any(part.left <= x < part.right and part.top <= y < part.bottom for part in parts)  # type: ignore[attr-defined]


def test_a_scene_that_is_not_known_yet_is_looked_at_as_a_whole() -> None:
    heats = PictureHeats()
    assert HotParts(heats, 'road').parts(PICTURE, 0, NOBODY) is None
    walked(heats, 'gate')
    again = HotParts(heats, 'road')
    assert again.parts(PICTURE, 5 * S, NOBODY) is None
    assert again.parts(PICTURE, 5 * S + 1, NOBODY) is None, 'what was seen in another scene says nothing'


def test_it_looks_where_somebody_was_and_where_somebody_is() -> None:
    heats = PictureHeats()
    now = walked(heats, 'road')
    hot = HotParts(heats, 'road')
    assert hot.parts(PICTURE, now, NOBODY) is None, 'first everything'
    parts = hot.parts(PICTURE, now + S // 5, NOBODY)
    assert parts is not None
    assert all(held(parts, x, 300) for x in range(40, 600, 40))
    assert not held(parts, 1000, 300) and not held(parts, 300, 600)
    assert sum(part.area for part in parts) < 0.15 * SIZE[0] * SIZE[1]
    parts = hot.parts(PICTURE, now + 2 * S // 5, np.array([[1000.0, 600.0, 20.0, 50.0, 0.0]]))
    assert held(parts, 1000, 600)


def test_now_and_then_it_looks_everywhere() -> None:
    heats = PictureHeats()
    now = walked(heats, 'road')
    hot = HotParts(heats, 'road', whole_every=2.0)
    stamps = range(now, now + 7 * S, S // 5)
    assert [stamp - now for stamp in stamps if hot.parts(PICTURE, stamp, NOBODY) is None] == [0, 2 * S, 4 * S, 6 * S]


def test_a_later_visit_knows_the_scene() -> None:
    heats = PictureHeats(half_life=60.0)
    later = walked(heats, 'road') + 60 * S
    hot = HotParts(heats, 'road')
    assert hot.parts(PICTURE, later, NOBODY) is None
    assert held(hot.parts(PICTURE, later + S // 5, NOBODY), 300, 300)
