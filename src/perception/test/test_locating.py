# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of where objects stand and where they go: by hand, and against the simulator's truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ptz_perception.locating.ground import centre_on_ground, foot_on_ground, locate, view_of
from ptz_perception.locating.movement import Movements, begin, correct, predict
from ptz_sim.truth import truth
from ptz_sim.world import World
from ptz_site import PtzPosition, Site
from ptz_site.geometry import CameraPose, Projection, projection
from ptz_site.schema import Pose, SimulatedCamera

S = 1_000_000_000
SIZE = (1280, 720)


def view(tilt: float = -20.0) -> Projection:
    return projection(CameraPose(0, 0, 6, 0), PtzPosition(0, math.radians(tilt), 1), SIZE, math.radians(60))


def box_of(x: float, y: float, height: float = 1.7) -> tuple[float, float, float, float]:
    """The box of somebody who stands there."""
    (foot, head), _ = view().project(np.array([[x, y, 0.0], [x, y, height]]))
    # A box counts from the picture's edge, half a pixel before the centre of the first one.
    return float(foot[0]) + 0.5, float(foot[1] + head[1]) / 2 + 0.5, 40.0, float(foot[1] - head[1])


def test_a_foot_point_is_found_on_the_ground_and_is_less_sure_far_away() -> None:
    errors = []
    for distance in (12.0, 30.0):
        point = foot_on_ground(view(), box_of(distance, 1.5))
        assert point is not None
        assert (point.x, point.y) == pytest.approx((distance, 1.5), abs=1e-6)
        along, across = point.covariance[0, 0], point.covariance[1, 1]
        assert along > across, 'a pixel is further along the ray than across it'
        errors.append(float(np.trace(point.covariance)))
    assert errors[1] > 4 * errors[0] > 0


def test_above_the_horizon_nobody_stands() -> None:
    assert foot_on_ground(view(0), (640.0, 100.0, 40.0, 100.0)) is None


def test_the_middle_of_a_box_tells_the_place_when_the_height_is_known() -> None:
    point = centre_on_ground(view(), box_of(20.0, -2.0), 1.7)
    assert point is not None
    assert (point.x, point.y) == pytest.approx((20.0, -2.0), abs=0.15)


def test_who_is_cut_off_by_the_picture_is_placed_by_the_head() -> None:
    near = box_of(7.5, 0.0)
    assert near[1] + near[3] / 2 > SIZE[1], 'the feet are below the picture'
    top = near[1] - near[3] / 2
    cut = (near[0], (top + SIZE[1]) / 2, 40.0, SIZE[1] - top)
    assert locate(view(), cut, SIZE) is None, 'the height is not known'
    point = locate(view(), cut, SIZE, 1.7)
    assert point is not None and (point.x, point.y) == pytest.approx((7.5, 0.0), abs=1e-3)
    assert locate(view(), (640.0, 360.0, 300.0, 720.0), SIZE, 1.7) is None, 'neither head nor feet are seen'


def test_a_camera_that_does_not_know_where_it_looks_locates_nothing() -> None:
    camera = SimulatedCamera(backend='simulated', pose=Pose(x=0, y=0, z=5), presets={'gate': 'auto'})
    assert view_of(camera, 0.1, -0.3, 2.0) is not None
    assert view_of(camera, math.nan, math.nan, math.nan) is None


def test_walkers_of_the_simulated_region_are_where_the_truth_says(demo_site: Site) -> None:
    """True boxes of whole people, from every camera and preset: the places agree within what the covariance says."""
    world = World.of_site(demo_site)
    errors, surprises = [], []
    for camera, entry in demo_site.cameras.items():
        for scene in demo_site.scenes:
            position = demo_site.preset(camera, scene)
            assert position is not None
            seen_from = entry.projection(position)
            assert seen_from is not None
            for seconds in range(20, 260, 24):
                for one in truth(world, seen_from, entry.resolution, float(seconds)):
                    if one.completeness < 0.999 or one.box[3] < 40:
                        continue
                    point = locate(seen_from, one.box, entry.resolution)
                    assert point is not None
                    error = np.array([point.x - one.x, point.y - one.y])
                    errors.append(float(np.hypot(*error)))
                    surprises.append(float(error @ np.linalg.solve(point.covariance, error)))
    assert len(errors) > 100
    assert np.median(errors) < 0.3 and np.quantile(errors, 0.95) < 0.6
    assert np.mean(np.array(surprises) < 9.2) > 0.9, 'within the 99 % ellipse'


def test_a_walker_has_a_speed_and_a_heading_and_a_stander_has_none() -> None:
    rng = np.random.default_rng(2)
    walking, standing = Movements(), Movements()
    for step in range(25):
        at = step / 5
        for movements, x in ((walking, 10 + 1.3 * at), (standing, 10.0)):
            truth_box = box_of(x, 2.0)
            noisy = (truth_box[0] + rng.normal(0, 1.5), truth_box[1] + rng.normal(0, 1.5), *truth_box[2:])
            found = movements.take(1, foot_on_ground(view(), noisy), round(at * S))
            assert found is not None
            if movements is walking:
                moved = found
    assert moved.velocity == pytest.approx((1.3, 0.0), abs=0.35)
    heading = moved.heading(0.4)
    assert heading is not None and abs(heading) < math.radians(20)
    assert found.heading(0.4) is None


def test_unseen_objects_go_on_and_get_less_sure() -> None:
    point = foot_on_ground(view(), box_of(12.0, 0.0))
    assert point is not None
    known = begin(point, 0)
    for step in range(1, 10):
        next_point = foot_on_ground(view(), box_of(12.0, 0.1 * step))
        assert next_point is not None
        known = correct(predict(known, step * S // 10), next_point)
    later = predict(known, 19 * S // 10)
    assert later.position[1] == pytest.approx(1.9, abs=0.3)
    assert np.trace(later.covariance[:2, :2]) > 2 * np.trace(known.covariance[:2, :2])


def test_tracks_that_are_gone_are_forgotten() -> None:
    movements = Movements()
    movements.take(1, foot_on_ground(view(), box_of(12.0, 0.0)), 0)
    movements.keep({2})
    assert movements.take(1, None, S) is None
