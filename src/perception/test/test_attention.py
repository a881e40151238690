# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of where perception looks: nothing that moves and nobody who is known is left out, and nothing else is paid for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ptz_perception.attention import Attention
from ptz_perception.detections import Detections, Image
from ptz_perception.detectors.hog import HogDetector
from ptz_perception.parts import Part, in_picture
from ptz_sim.renderer import Renderer
from ptz_sim.truth import truth
from ptz_sim.world import World
from ptz_site import Site

S = 1_000_000_000
NOBODY = np.empty((0, 5))


def yard(x: int | None, seed: int = 0) -> Image:
    """A picture with sensor noise, and somebody in grey with the feet at (x, 500)."""
    grain = np.random.default_rng(seed).normal(0, 1.5, (720, 1280, 1))
    picture = cv2.resize(np.random.default_rng(5).uniform(90, 130, (18, 32, 3)), (1280, 720)) + grain
    if x is not None:
        cv2.rectangle(picture, (x - 20, 380), (x + 20, 500), (60, 60, 60), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def settled(x: int | None = None) -> tuple[Attention, int]:
    """One that has seen the whole picture, and the stamp of the next frame."""
    attention = Attention()
    for number in range(6):
        attention.parts(yard(x, number), number * S // 5, NOBODY)
    return attention, 6 * S // 5


def holds(part: Part, left: int, top: int, right: int, bottom: int) -> bool:
    return part.left <= left and part.top <= top and part.right >= right and part.bottom >= bottom


def test_the_first_looks_after_a_turn_are_at_the_whole_picture() -> None:
    attention = Attention()
    assert attention.parts(yard(600, 1), 0, NOBODY) is None
    assert attention.parts(yard(600, 2), S // 5, NOBODY) is None
    assert attention.parts(yard(600, 3), 2 * S // 5, NOBODY) == ()


def test_the_whole_picture_is_looked_at_now_and_then() -> None:
    attention = Attention(whole_every=2.0)
    stamps = range(0, 10 * S, S // 5)
    whole = [stamp for number, stamp in enumerate(stamps) if attention.parts(yard(None, number), stamp, NOBODY) is None]
    assert whole == [0, S // 5, *range(S // 5 + 2 * S, 10 * S, 2 * S)]


@pytest.mark.parametrize('step', [3, 10, 60], ids=['slowly', 'walking', 'running'])
def test_somebody_who_moves_is_in_a_part_with_room_for_the_detector(step: int) -> None:
    attention, stamp = settled(300)
    for number in range(1, 5):
        parts = attention.parts(yard(300 + number * step, number), stamp + number * S // 5, NOBODY)
    x = 300 + 4 * step
    assert parts is not None
    assert any(holds(part, x - 40, 350, x + 40, 530) for part in parts)
    assert sum(part.area for part in parts) < 0.3 * 1280 * 720


def test_somebody_who_is_known_and_stands_still_is_looked_at() -> None:
    attention, stamp = settled(600)
    parts = attention.parts(yard(600, 7), stamp, np.array([[600.0, 440.0, 40.0, 120.0, 0.0]]))
    assert parts is not None and len(parts) == 1
    assert holds(parts[0], 560, 360, 640, 520)


def test_when_everything_changes_the_whole_picture_is_looked_at() -> None:
    attention, stamp = settled()
    assert attention.parts(np.clip(yard(None, 8).astype(int) + 40, 0, 255).astype(np.uint8), stamp, NOBODY) is None


def test_parts_lie_inside_the_picture() -> None:
    attention, stamp = settled()
    corners = np.array([[5.0, 5.0, 50, 100, 0], [1270, 715, 50, 100, 0], [640, -300, 40, 80, 0], [2000, 300, 40, 80, 0]])
    parts = attention.parts(yard(None, 9), stamp, corners)
    assert parts is not None
    assert all(0 <= part.left <= part.right <= 1280 and 0 <= part.top <= part.bottom <= 720 for part in parts)


def test_what_a_part_cuts_off_is_left_out_and_the_rest_is_moved() -> None:
    boxes = np.array([[50.0, 60, 20, 40], [5, 60, 20, 40], [95, 60, 20, 40]])
    found = Detections.of(boxes, np.ones(3), np.zeros(3, np.int64), ('person',))
    inner = in_picture(found, Part(300, 200, 400, 320), (640, 480))
    assert inner.boxes.tolist() == [[350.0, 260, 20, 40]]
    at_the_edge = in_picture(found, Part(0, 0, 100, 120), (100, 480))
    assert len(at_the_edge) == 3, "the picture's own edges cut nothing off that another part could show"


def test_the_embedded_detector_finds_in_parts_whom_it_finds_in_the_whole(demo_site: Site) -> None:
    camera = demo_site.cameras['north']
    position = demo_site.preset('north', 'gate')
    assert position is not None
    view = camera.projection(position)
    assert view is not None
    world = World.of_site(demo_site)
    renderer = Renderer(world, camera.resolution)
    detector = HogDetector(960, 0.5)
    compared = 0
    for seconds in (20.0, 24.0, 50.0):
        picture = renderer.render(seconds, view)
        whole = detector.detect(picture)
        for x, y, width, height in whole.boxes:
            part = Part.around(x, y, width + 1.2 * height, 1.8 * height, picture)
            inside = detector.detect(picture, [part])
            away = np.hypot(inside.boxes[:, 0] - x, inside.boxes[:, 1] - y)
            assert len(inside) and away.min() < 0.15 * height
            compared += 1
        assert len(detector.detect(picture, [])) == 0
        assert any(one.completeness > 0.9 for one in truth(world, view, camera.resolution, seconds))
    assert compared >= 3


def test_parts_are_made_large_enough_for_the_detector_at_every_edge() -> None:
    size = (640, 360)
    for part in (Part(0, 300, 30, 360), Part(610, 0, 640, 40), Part(300, 100, 320, 150), Part(0, 0, 640, 360), Part(5, 5, 5, 5)):
        enlarged = part.at_least((64, 128), size)
        assert enlarged.right - enlarged.left >= 64 and enlarged.bottom - enlarged.top >= 128
        assert holds(enlarged, part.left, part.top, part.right, part.bottom)
        assert enlarged.left >= 0 and enlarged.top >= 0 and enlarged.right <= 640 and enlarged.bottom <= 360
    assert Part(0, 0, 40, 40).at_least((64, 128), (50, 100)) == Part(0, 0, 50, 100)
