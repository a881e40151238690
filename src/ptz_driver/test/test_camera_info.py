# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of CameraInfo: what others make of it is what the camera sees."""

import math

import cv2
import numpy as np
import pytest

from ptz_driver.publishing import camera_info
from ptz_site import CameraPose, OnvifCamera, PtzPosition, RecordedCamera
from ptz_site.geometry import intrinsics, projection
from ptz_site.schema import BaseCamera, Pose

LENS = (-0.32, 0.11, 0.0008, -0.0005, -0.02)
SIZE = (1280, 720)


def onvif(distortion: tuple[float, ...] | None) -> OnvifCamera:
    return OnvifCamera(
        backend='onvif', host='camera', pose=Pose(x=0, y=0, z=6), zoom=(1, 10), presets={'gate': 'auto'}, distortion=distortion
    )


def recorded(distortion: tuple[float, ...] | None) -> RecordedCamera:
    return RecordedCamera(
        backend='recorded', video='a.mp4', pose=Pose(x=0, y=0, z=6), zoom=(1, 10), presets={'gate': 'auto'}, distortion=distortion
    )


@pytest.mark.parametrize('camera', [onvif(None), recorded(None)], ids=['onvif', 'recorded'])
def test_a_pinhole_has_the_zooms_intrinsics_and_five_zeros(camera: BaseCamera) -> None:
    info = camera_info(camera, SIZE, PtzPosition(0.2, -0.1, 2.0))
    assert (info.width, info.height, info.distortion_model) == (1280, 720, 'plumb_bob')
    assert list(info.d) == [0.0] * 5
    focal = 640 / math.tan(math.radians(30)) * 2
    assert list(info.k) == pytest.approx([focal, 0, 639.5, 0, focal, 359.5, 0, 0, 1])
    assert list(info.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert list(info.p) == pytest.approx([focal, 0, 639.5, 0, 0, focal, 359.5, 0, 0, 0, 1, 0])


def test_the_lens_of_a_camera_that_turns_is_in_d() -> None:
    plain, info = (camera_info(onvif(lens), SIZE, PtzPosition(0.2, -0.1, 2.0)) for lens in (None, LENS))
    assert (list(info.d), info.distortion_model) == (list(LENS), 'plumb_bob')
    assert (list(info.k), list(info.r), list(info.p)) == (list(plain.k), list(plain.r), list(plain.p))


@pytest.mark.parametrize('camera', [onvif(LENS), recorded(LENS)], ids=['onvif', 'recorded'])
def test_a_rectified_pixel_is_that_of_a_pinhole_that_looks_there(camera: BaseCamera) -> None:
    position = PtzPosition(math.radians(8), math.radians(-5), 3.0)
    seen, info = camera.projection(position), camera_info(camera, SIZE, position)
    assert seen is not None
    pinhole = projection(CameraPose(0, 0, 6, 0), position, SIZE, camera.hfov_rad)
    points = np.array([[30.0, 4.0, 3.5], [25.0, 6.0, 5.0], [40.0, 3.0, 2.0]])
    raw, _ = seen.project(points)
    k, r, p = np.array(info.k).reshape(3, 3), np.array(info.r).reshape(3, 3), np.array(info.p).reshape(3, 4)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-14)
    rectified = cv2.undistortPointsIter(raw.reshape(-1, 1, 2), k, np.array(info.d), r, p[:, :3], criteria).reshape(-1, 2)
    assert rectified == pytest.approx(pinhole.project(points)[0], abs=1e-5)
    assert p[:, :3] == pytest.approx(intrinsics(SIZE, camera.hfov_rad, 3.0))
