# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of where objects stand and where they go: by hand, and against the simulator's truth."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ptz_perception.detectors import make_detector
from ptz_perception.locating.ground import centre_on_ground, foot_on_ground, locate, view_of
from ptz_perception.locating.movement import Movements, begin, correct, predict
from ptz_perception.rviz.markers import ground_corner
from ptz_sim.truth import truth
from ptz_sim.world import World
from ptz_site import PtzPosition, Site
from ptz_site.distortion import Distortion
from ptz_site.geometry import CameraPose, Projection, projection
from ptz_site.schema import PerceptionSettings, Pose, SimulatedCamera

S = 1_000_000_000
SIZE = (1280, 720)
FOOTAGE = Path(os.environ.get('PTZ_COLLAB_TEST_DATA', '') or '/nowhere')
needs_footage = pytest.mark.skipif(
    not (FOOTAGE / 'epfl' / 'terrace_homography.json').is_file(),
    reason='PTZ_COLLAB_TEST_DATA names no folder with epfl/terrace_homography.json',
)


def view(tilt: float = -20.0, lens: Distortion | None = None) -> Projection:
    return projection(CameraPose(0, 0, 6, 0), PtzPosition(0, math.radians(tilt), 1), SIZE, math.radians(60), lens)


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


@pytest.mark.parametrize('k1', [-0.3, 0.2])
def test_through_a_lens_a_foot_point_is_as_sure_as_its_pixels_say(k1: float) -> None:
    lens = Distortion(k1, 0.05, 0.001, -0.001, 0.0)
    for x, y in ((12.0, 0.0), (10.0, 4.5), (30.0, -12.0)):
        foot, _ = view(lens=lens).project(np.array([[x, y, 0.0]]))
        box = (float(foot[0, 0]) + 0.5, float(foot[0, 1]) + 0.5 - 30, 25.0, 60.0)
        point, bent = foot_on_ground(view(), box), foot_on_ground(view(lens=lens), box)
        assert point is not None and bent is not None
        assert (bent.x, bent.y) == pytest.approx((x, y), abs=1e-6)
        assert np.linalg.eigvalsh(bent.covariance).min() > 0
        # A pixel off is so many metres off, to the first order.
        pixels, _ = view(lens=lens).project(np.array([[x, y, 0.0], [x + 0.01, y, 0.0], [x, y + 0.01, 0.0]]))
        metres = np.linalg.inv((pixels[1:] - pixels[0]).T / 0.01)
        expected = metres @ metres.T * (2.0**2 + (0.03 * 60) ** 2)
        assert bent.covariance == pytest.approx(expected, rel=0.08, abs=0.01 * np.trace(expected))
    assert view(lens=lens).to_ground((0.0, 719.0)) == pytest.approx(ground_corner(view(lens=lens), (0.0, 719.0))[:2]), (
        'as in rviz'
    )
    assert math.hypot(bent.x - point.x, bent.y - point.y) > 1, 'aside and far away, a pinhole would be wrong by metres'


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


def terrace(camera: int) -> tuple[NDArray[np.float64], Projection]:
    """A measured homography from a picture to the ground, and the pinhole camera that comes nearest to it.

    The data set's ground is seen from below: y is turned round, so that z points up. Square pixels, principal point in the middle.
    """
    content = json.loads((FOOTAGE / 'epfl' / 'terrace_homography.json').read_text())
    width, height = content['frame_width'], content['frame_height']
    to_ground = np.diag([1.0, -1.0, 1.0]) @ np.array(content['image_to_ground'][camera])
    to_picture = np.linalg.inv(to_ground)

    def columns(focal: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        k = np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])
        return k, np.linalg.solve(k, to_picture)

    def misfit(focal: float) -> float:
        """The first two columns of a rotation are of one length and at right angles."""
        _, found = columns(focal)
        lengths = np.linalg.norm(found[:, :2], axis=0)
        return float((found[:, 0] @ found[:, 1] / lengths.prod()) ** 2 + math.log(lengths[0] / lengths[1]) ** 2)

    k, found = columns(min(np.geomspace(200, 1200, 2000), key=misfit))
    found = found / np.linalg.norm(found[:, :2], axis=0).mean()
    found = found if found[2, 2] > 0 else -found
    left, _, right = np.linalg.svd(np.column_stack((found[:, 0], found[:, 1], np.cross(found[:, 0], found[:, 1]))))
    return to_ground, Projection(k, left @ right, found[:, 2])


@needs_footage
@pytest.mark.parametrize('camera', range(4))
def test_feet_in_a_real_picture_are_where_the_measured_homography_puts_them(camera: int) -> None:
    homography, seen_from = terrace(camera)
    assert seen_from.centre[2] > 50, 'the camera is above the ground'
    errors = []
    for x in range(20, 350, 40):
        for y in range(160, 288, 20):
            point = foot_on_ground(seen_from, (x + 0.5, y - 40 + 0.5, 30.0, 80.0))
            expected = homography @ np.array([x, y, 1.0])
            assert point is not None
            away = np.hypot(*(expected[:2] / expected[2] - (point.x, point.y)))
            errors.append(away / np.hypot(*(np.array([point.x, point.y]) - seen_from.centre[:2])))
    assert np.median(errors) < 0.035, 'share of the distance'


@needs_footage
def test_people_on_the_terrace_are_at_the_same_place_in_two_views() -> None:
    detector = make_detector(PerceptionSettings(detector='models/yolox_nano.onnx', score=0.5), FOOTAGE)
    videos = [cv2.VideoCapture(str(FOOTAGE / 'epfl' / f'terrace1-c{camera}.mp4')) for camera in (0, 1)]
    views = [terrace(camera)[1] for camera in (0, 1)]
    nearest, others = [], []
    for frame in range(300, 2900, 100):
        places = []
        for video, seen_from in zip(videos, views, strict=True):
            video.set(cv2.CAP_PROP_POS_FRAMES, frame)
            _, picture = video.read()
            found = [locate(seen_from, tuple(box), (360, 288)) for box in detector.detect(picture).boxes.tolist()]
            places.append(np.array([[point.x, point.y] for point in found if point is not None]).reshape(-1, 2))
        if len(places[0]) and len(places[1]):
            apart = np.linalg.norm(places[0][:, None] - places[1][None], axis=2)
            nearest.append(apart.min())
            others += apart.ravel().tolist()
    assert len(nearest) >= 15
    # The cameras hang about 100 units high, so that a person is some 80.
    assert np.median(nearest) < 25 < np.median(others)
