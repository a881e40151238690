# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the camera geometry against worked cases and against itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_site.geometry import CameraPose, aim, focal_length, projection, wrap_angle
from ptz_site.motion import PtzPosition

HD = (1280, 720)
HFOV = math.radians(60)


def test_the_picture_is_the_field_of_view_wide() -> None:
    half = HD[0] / 2 / focal_length(HD[0], HFOV, 1.0)
    assert math.degrees(2 * math.atan(half)) == pytest.approx(60)


def test_a_camera_looking_east_sees_north_on_its_left_and_up_above() -> None:
    view = projection(CameraPose(0, 0, 5, 0), PtzPosition(0, 0, 1), HD, HFOV)
    pixels, depth = view.project(np.array([[10.0, 0, 5], [10, 1, 5], [10, 0, 6], [-10, 0, 5]]))
    centre, north, above, _ = pixels
    assert centre == pytest.approx([639.5, 359.5])
    assert north[0] < centre[0]
    assert above[1] < centre[1]
    assert depth[0] == pytest.approx(10) and depth[3] < 0


def test_positive_pan_turns_counter_clockwise_and_positive_tilt_up() -> None:
    pose = CameraPose(0, 0, 5, 0)
    left = projection(pose, PtzPosition(math.radians(90), 0, 1), HD, HFOV)
    up = projection(pose, PtzPosition(0, math.radians(45), 1), HD, HFOV)
    assert left.project(np.array([[0.0, 10, 5]]))[0][0] == pytest.approx([639.5, 359.5])
    assert up.project(np.array([[10.0, 0, 15]]))[0][0] == pytest.approx([639.5, 359.5])


def test_the_centre_of_the_projection_is_where_the_camera_stands() -> None:
    view = projection(CameraPose(3, -4, 7, 1), PtzPosition(0.3, -0.2, 2), HD, HFOV)
    assert view.centre == pytest.approx([3, -4, 7])


@given(
    st.floats(-math.pi, math.pi),
    st.floats(-1.2, -0.15),
    st.floats(1, 10),
    st.floats(0, 1279),
    st.floats(0, 719),
)
def test_pixel_to_ground_and_back(pan: float, tilt: float, zoom: float, x: float, y: float) -> None:
    view = projection(CameraPose(1, 2, 6, 0.5), PtzPosition(pan, tilt, zoom), HD, HFOV)
    ground = view.to_ground((x, y))
    if ground is None or math.hypot(*ground) > 500:
        return
    pixels, depth = view.project(np.array([[*ground, 0.0]]))
    assert depth[0] > 0
    assert pixels[0] == pytest.approx([x, y], abs=1e-4)
    by_homography = view.ground_homography() @ np.array([*ground, 1.0])
    assert by_homography[:2] / by_homography[2] == pytest.approx([x, y], abs=1e-4)


def test_above_the_horizon_there_is_no_ground() -> None:
    view = projection(CameraPose(0, 0, 5, 0), PtzPosition(0, 0, 1), HD, HFOV)
    assert view.to_ground((640, 100)) is None


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(3, 12), st.floats(-math.pi, math.pi))
def test_auto_presets_see_the_whole_scene(x: float, y: float, z: float, yaw: float) -> None:
    polygon = [(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)]
    if math.hypot(x, y) < 15:
        return
    pose = CameraPose(x, y, z, yaw)
    position = aim(pose, polygon, HD, HFOV, (1.0, 20.0))
    points = np.array([(px, py, h) for px, py in polygon for h in (0.0, 1.8)])
    pixels, depth = projection(pose, position, HD, HFOV).project(points)
    assert (depth > 0).all()
    assert (pixels >= -1).all() and (pixels <= np.array(HD)).all()


@given(st.floats(-100, 100))
def test_wrapped_angles_are_equal_angles(angle: float) -> None:
    wrapped = wrap_angle(angle)
    assert -math.pi <= wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
