# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of lens distortion: by hand, against OpenCV, which is independent of it, and there and back."""

import itertools
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_site.distortion import Distortion
from ptz_site.geometry import CameraPose, Projection, focal_length, intrinsics, projection, rotation, window_projection
from ptz_site.motion import PtzPosition
from ptz_site.schema import OnvifCamera, Pose, RecordedCamera

HD = (1280, 720)
HFOV = math.radians(60)
FOCAL = focal_length(HD[0], HFOV, 1.0)
POSE = CameraPose(1, 2, 6, 0.5)
BARREL = Distortion(-0.32, 0.11, 0.0008, -0.0005, -0.02)
PINCUSHION = Distortion(0.18, 0.05, -0.001, 0.0012, 0.01)
LENSES = pytest.mark.parametrize('lens', [BARREL, PINCUSHION], ids=['barrel', 'pincushion'])
#: Pixels all over the picture, and one beyond it, as the covariance of a place asks for.
PIXELS = list(itertools.product(np.linspace(-1, HD[0], 17).tolist(), np.linspace(-1, HD[1], 11).tolist()))


def view(lens: Distortion | None, zoom: float = 1.0, tilt: float = -0.6) -> Projection:
    return projection(POSE, PtzPosition(0.3, tilt, zoom), HD, HFOV, lens)


def opencv_pixels(seen: Projection, lens: Distortion, points: np.ndarray) -> np.ndarray:
    turn, _ = cv2.Rodrigues(seen.r)
    pixels, _ = cv2.projectPoints(points, turn, seen.t, seen.k, np.array(lens.coefficients))
    return pixels.reshape(-1, 2)


@pytest.mark.parametrize(
    ('lens', 'shown'),
    [
        # At (0.5, 0): r^2 = 0.25.
        (Distortion(-0.2, 0, 0, 0, 0), (0.5 * (1 - 0.05), 0)),
        (Distortion(0, 0.4, 0, 0, 0), (0.5 * (1 + 0.025), 0)),
        (Distortion(0, 0, 0, 0, 0.64), (0.5 * (1 + 0.01), 0)),
        (Distortion(0, 0, 0.01, 0, 0), (0.5, 0.01 * 0.25)),
        (Distortion(0, 0, 0, 0.01, 0), (0.5 + 0.01 * 0.75, 0)),
    ],
    ids=['k1', 'k2', 'k3', 'p1', 'p2'],
)
def test_each_coefficient_by_hand(lens: Distortion, shown: tuple[float, float]) -> None:
    assert lens.distorted(np.array([[0.5, 0.0]]))[0] == pytest.approx(shown, abs=1e-15)
    assert lens.undistorted(*shown) == pytest.approx((0.5, 0.0), abs=1e-12)


def test_a_barrel_draws_the_corners_in_and_a_pincushion_pushes_them_out() -> None:
    corner = np.array([[0.5, 0.3]])
    assert np.hypot(*BARREL.distorted(corner)[0]) < np.hypot(0.5, 0.3) < np.hypot(*PINCUSHION.distorted(corner)[0])


@LENSES
@pytest.mark.parametrize('zoom', [1.0, 1.7, 8.0])
def test_pixels_are_those_of_opencv(lens: Distortion, zoom: float) -> None:
    seen = view(lens, zoom)
    points = np.array(
        [[*ground, height] for pixel in PIXELS for height in (0.0, 1.7) if (ground := seen.to_ground(pixel, height))]
    )
    assert len(points) > 300
    pixels, depths = seen.project(points)
    assert (depths > 0).all()
    assert pixels == pytest.approx(opencv_pixels(seen, lens, points), abs=1e-6)


@LENSES
def test_what_a_pixel_shows_is_what_opencv_says(lens: Distortion) -> None:
    seen = view(lens)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-14)
    expected = cv2.undistortPointsIter(
        np.array(PIXELS).reshape(-1, 1, 2), seen.k, np.array(lens.coefficients), None, None, criteria
    )
    for pixel, straight in zip(PIXELS, expected.reshape(-1, 2), strict=True):
        ray = seen.ray(pixel)
        assert ray is not None
        in_camera = seen.r @ ray
        assert in_camera[:2] / in_camera[2] == pytest.approx(straight, abs=1e-8)


@LENSES
def test_the_ground_is_found_again_to_a_millimetre_all_over_the_picture(lens: Distortion) -> None:
    seen = view(lens)
    places = [seen.to_ground(pixel) for pixel in PIXELS]
    assert None not in places
    back, _ = seen.project(np.array([[*place, 0.0] for place in places if place]))
    assert back == pytest.approx(np.array(PIXELS), abs=1e-6)
    for place, pixel in zip(places, back.tolist(), strict=True):
        assert seen.to_ground((pixel[0], pixel[1])) == pytest.approx(place, abs=1e-3)


def test_without_distortion_nothing_changes_and_with_zeros_nothing_to_speak_of() -> None:
    plain, zeros = view(None), view(Distortion(0, 0, 0, 0, 0))
    points = np.array([[8.0, 9.0, 0.0], [10.0, 6.0, 1.7], [-3.0, -9.0, 0.5]])
    # The formula of a pinhole, to the last bit.
    camera = points @ plain.r.T + plain.t
    assert (plain.project(points)[0] == (camera @ plain.k.T)[:, :2] / camera[:, 2:]).all()
    assert zeros.project(points)[0] == pytest.approx(plain.project(points)[0], abs=1e-9)
    for pixel in PIXELS:
        ray = plain.r.T @ np.linalg.solve(plain.k, np.array([*pixel, 1.0]))
        scale = -plain.centre[2] / ray[2]
        assert plain.to_ground(pixel) == (plain.centre[0] + scale * ray[0], plain.centre[1] + scale * ray[1])
        assert zeros.to_ground(pixel) == pytest.approx(plain.to_ground(pixel), abs=1e-9)


def test_beyond_the_reach_of_the_model_there_is_nothing_rather_than_nonsense() -> None:
    # r (1 - 0.3 r^2) is greatest at r^2 = 1 / 0.9, where it is two thirds of r.
    lens = Distortion(-0.3, 0, 0, 0, 0)
    assert lens.reach == pytest.approx(math.sqrt(1 / 0.9))
    furthest = lens.reach * 2 / 3
    assert lens.undistorted(furthest * 0.999, 0) is not None
    assert lens.undistorted(furthest * 1.001, 0) is None
    seen = view(lens)
    assert seen.to_ground((639.5 + FOCAL * furthest * 1.001, 359.5)) is None
    assert seen.ray((1e7, 1e7)) is None
    assert lens.undistorted(math.nan, 0.0) is None and lens.undistorted(math.inf, 0.0) is None
    # A point far aside would be drawn inside the picture by the polynomial.
    aside = seen.centre + seen.r.T @ np.array([1.6, 0.0, 1.0])
    pixels, depths = seen.project(aside[None])
    assert depths[0] == pytest.approx(1) and np.isnan(pixels).all()
    assert 0 < opencv_pixels(seen, lens, aside[None])[0][0] < HD[0]


def test_a_lens_whose_model_never_turns_back_reaches_everywhere() -> None:
    assert PINCUSHION.reach == math.inf
    assert Distortion(-0.3, 0.2, 0, 0, 0).reach == math.inf
    # Its slope 1 - 0.9 s + 0.2 s^2 is 0 at s = 2 and s = 2.5; the nearer one counts.
    assert Distortion(-0.3, 0.04, 0, 0, 0).reach == pytest.approx(math.sqrt(2))


@given(
    st.tuples(
        st.floats(-0.5, 0.5), st.floats(-0.3, 0.3), st.floats(-0.005, 0.005), st.floats(-0.005, 0.005), st.floats(-0.2, 0.2)
    ),
    st.floats(0, 0.97),
    st.floats(-math.pi, math.pi),
)
def test_there_and_back_within_the_reach(numbers: tuple[float, float, float, float, float], share: float, angle: float) -> None:
    lens = Distortion(*numbers)
    radius = share * min(lens.reach, 1.5)
    point = radius * math.cos(angle), radius * math.sin(angle)
    shown = lens.distorted(np.array([point]))[0]
    back = lens.undistorted(float(shown[0]), float(shown[1]))
    assert back == pytest.approx(point, abs=1e-7)


@given(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 5))
def test_no_finite_coefficients_are_too_odd(numbers: tuple[float, float, float, float, float]) -> None:
    lens = Distortion(*numbers)
    if lens.covers(HD, FOCAL):
        place = lens.undistorted(0.3, 0.2)
        assert place is not None
        assert lens.distorted(np.array([place]))[0] == pytest.approx((0.3, 0.2), abs=1e-9)


def test_distortion_vanishes_as_the_camera_zooms_in() -> None:
    def shift(zoom: float) -> float:
        """How far the corner is from where a pinhole shows it, px."""
        place = view(None, zoom).to_ground((0.0, 0.0))
        assert place is not None
        return float(np.hypot(*view(BARREL, zoom).project(np.array([[*place, 0.0]]))[0][0]))

    assert shift(1) > 40
    # The leading term goes with r^3 in normalised coordinates, and a pixel is 1/zoom of them.
    assert shift(10) == pytest.approx(shift(20) * 4, rel=0.05)
    assert shift(20) < 0.5


@LENSES
def test_a_bent_picture_has_no_homography(lens: Distortion) -> None:
    with pytest.raises(ValueError, match='no homography'):
        view(lens).ground_homography()


def test_a_window_keeps_the_lens_of_the_wide_picture() -> None:
    """A window's picture is a part of the wide one, enlarged: what is at one pixel there is at one pixel here."""
    wide = projection(POSE, PtzPosition(0, 0, 1), HD, HFOV, BARREL)
    position = PtzPosition(math.radians(10), math.radians(-4), 2.5)
    part = window_projection(POSE, position, HD, HFOV, BARREL)
    points = wide.centre + np.array([[2.0, -0.4, 5.0], [-1.5, 0.8, 4.0], [0.5, 1.0, 6.0]]) @ wide.r
    # The window's middle in the wide picture.
    middle = np.array([639.5 - FOCAL * math.tan(position.pan), 359.5 - FOCAL * math.tan(position.tilt)])
    in_wide, _ = wide.project(points)
    assert part.project(points)[0] == pytest.approx((in_wide - middle) * 2.5 + [639.5, 359.5], abs=1e-6)
    # A whole picture leaves no room to move.
    assert window_projection(POSE, PtzPosition(0.2, 0.1, 1), HD, HFOV).k == pytest.approx(intrinsics(HD, HFOV, 1))


def test_cameras_of_a_site_have_their_lenses() -> None:
    common = {'pose': Pose(x=1, y=2, z=6), 'distortion': BARREL.coefficients, 'presets': {'gate': 'auto'}, 'zoom': (1, 10)}
    onvif = OnvifCamera(backend='onvif', host='camera', **common)
    recorded = RecordedCamera(backend='recorded', video='wide.mp4', **common)
    position = PtzPosition(0.2, -0.1, 2)
    turned, part = onvif.projection(position), recorded.projection(position)
    assert turned is not None and part is not None
    assert turned.distortion == part.distortion == BARREL
    assert turned.r == pytest.approx(rotation(0.2, -0.1))
    assert part.r == pytest.approx(rotation(0, 0))
    plain = RecordedCamera(backend='recorded', video='wide.mp4', **{**common, 'distortion': None})
    as_before = plain.projection(position)
    assert as_before is not None and as_before.distortion is None
    assert as_before.r == pytest.approx(rotation(0.2, -0.1))
