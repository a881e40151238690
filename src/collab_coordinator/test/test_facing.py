# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of which camera a target walks towards."""

import math

import pytest

from collab_coordinator.core.facing import Facing, better_facing, facing_angle, nearest_first
from ptz_site import CameraPose

EAST, NORTH, WEST = CameraPose(20, 0, 5, 0), CameraPose(0, 20, 5, 0), CameraPose(-20, 0, 5, 0)
POSES = {'east': EAST, 'north': NORTH, 'west': WEST}


@pytest.mark.parametrize(('heading', 'angle'), [(0, 0), (90, 90), (180, 180), (-170, 170), (350, 10), (730, 10)])
def test_the_angle_is_between_heading_and_direction_to_the_camera(heading: float, angle: float) -> None:
    assert math.degrees(facing_angle(math.radians(heading), (0, 0), EAST)) == pytest.approx(angle)


def test_the_direction_is_seen_from_where_the_target_is() -> None:
    assert math.degrees(facing_angle(0.0, (20, -20), EAST)) == pytest.approx(90)


def test_the_best_facing_come_first_and_only_if_they_are_better_by_the_margin() -> None:
    margin = math.radians(20)
    towards_east = better_facing(math.radians(10), (0, 0), 'west', POSES, margin)
    assert [facing.camera for facing in towards_east] == ['east', 'north']
    assert better_facing(math.radians(44), (0, 0), 'east', POSES, margin) == ()
    # 54 degrees from east and 36 from north: better, but by 18 only.
    assert better_facing(math.radians(54), (0, 0), 'east', POSES, margin) == ()
    assert [f.camera for f in better_facing(math.radians(56), (0, 0), 'east', POSES, margin)] == ['north']


def test_a_present_camera_without_a_pose_faces_nothing() -> None:
    assert [f.camera for f in better_facing(0.0, (0, 0), 'nowhere', POSES, 0.3)] == ['east', 'north', 'west']


def test_of_the_cameras_that_see_the_face_those_that_are_there_come_first() -> None:
    found = [Facing('a', 0.1), Facing('b', 0.3), Facing('c', 0.7), Facing('d', 1.0)]
    assert [f.camera for f in nearest_first(found, {'b', 'c', 'd'})] == ['b', 'c', 'a', 'd']
    assert [f.camera for f in nearest_first(found, ())] == ['a', 'b', 'c', 'd']
