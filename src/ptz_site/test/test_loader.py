# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what a user is told about a site file that can't be used."""

from pathlib import Path

import pytest

from ptz_site import SiteError, load_site

GOOD = """\
region: {name: yard, dwell: 5}
scenes:
  gate: {polygon: [[0, 0], [5, 0], [5, 5]]}
  road: {polygon: [[9, 9], [12, 9], [12, 12]]}
cameras:
  north:
    backend: simulated
    pose: {x: 0, y: 20, z: 6, yaw: -90}
    zoom: [1, 10]
    presets:
      gate: auto
      road: {pan: 10, tilt: -20, zoom: 2}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / 'site.yaml'
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(SiteError) as caught:
        load_site(write(folder, text))
    return [problem.removeprefix(str(folder)) for problem in caught.value.problems]


def test_a_good_site_is_read_in_radians(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, GOOD))
    assert site.reach('north') == ('gate', 'road')
    road = site.preset('north', 'road')
    assert road is not None and road.pan == pytest.approx(0.17453, abs=1e-4)
    assert site.preset('north', 'gate') is not None


@pytest.mark.parametrize(
    ('old', 'new', 'expected'),
    [
        ('dwell: 5', 'dwel: 5', ['/site.yaml:1: region.dwell: missing; region needs it', '/site.yaml:1: region.dwel: unknown key; did you mean dwell?']),
        ('dwell: 5', 'dwell: -1', ['/site.yaml:1: region.dwell: -1 found; input should be greater than 0']),
        ('simulated', 'teleported', ['/site.yaml:7: cameras.north.backend: teleported found; allowed: simulated, recorded, onvif']),
        ('road: {pan', 'rode: {pan', ['/site.yaml:12: cameras.north.presets.rode: no scene of this name; the site has gate, road']),
        ('zoom: 2', 'zoom: 20', ['/site.yaml:6: cameras.north: presets.road.zoom: 20 found; allowed: 1 to 10, the camera\'s zoom']),
        ('gate: auto', 'gate: somewhere', ["/site.yaml:11: cameras.north.presets.gate: 'somewhere' found; allowed: 'auto'"]),
        ('gate: auto', 'gate: {token: P1}', ['/site.yaml:11: cameras.north.presets.gate: a simulated camera keeps no presets; give pan, tilt and zoom, or auto']),
        (', yaw: -90', ', yaw: -90, pitch: 3', ['/site.yaml:8: cameras.north.pose.pitch: unknown key; see docs/site-file.md for the keys']),
        ('  north:', '  North:', ["/site.yaml:6: cameras.North: 'North' found; allowed: small letters, digits and _, beginning with a letter"]),
    ],
)  # fmt: skip
def test_an_error_names_line_key_what_was_found_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, expected: list[str]
) -> None:
    assert old in GOOD
    assert problems(tmp_path, GOOD.replace(old, new)) == expected


NETWORK = GOOD.replace('backend: simulated', 'backend: onvif\n    host: camera')


@pytest.mark.parametrize(
    ('text', 'numbers', 'expected'),
    [
        (NETWORK, '[-0.3, 0.1]', 'distortion: [-0.3, 0.1] found; allowed: five finite numbers, [k1, k2, p1, p2, k3]'),
        (NETWORK, '[0, 0, 0, 0, 0, 0]', 'distortion: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0] found; allowed: five finite numbers, [k1, k2, p1, p2, k3]'),
        (NETWORK, '[.nan, 0, 0, 0, 0]', 'distortion: [nan, 0.0, 0.0, 0.0, 0.0] found; allowed: five finite numbers, [k1, k2, p1, p2, k3]'),
        (NETWORK, '[0, .inf, 0, 0, 0]', 'distortion: [0.0, inf, 0.0, 0.0, 0.0] found; allowed: five finite numbers, [k1, k2, p1, p2, k3]'),
        (NETWORK, '[-0.5, 0, 0, 0, 0]', 'distortion: [-0.5, 0.0, 0.0, 0.0, 0.0] found; the picture folds back before its corners; measure hfov and distortion again, up to the corners'),
        (NETWORK, '[0, 0, 0.5, 0, 0]', 'distortion: [0.0, 0.0, 0.5, 0.0, 0.0] found; the picture folds back before its corners; measure hfov and distortion again, up to the corners'),
        (GOOD, '[-0.3, 0.1, 0, 0, 0]', 'distortion: a simulated camera is a pinhole; leave it out'),
    ],
)  # fmt: skip
def test_a_distortion_that_cannot_be_is_refused_in_one_sentence(tmp_path: Path, text: str, numbers: str, expected: str) -> None:
    given = text.replace('    zoom: [1, 10]', f'    zoom: [1, 10]\n    distortion: {numbers}')
    assert problems(tmp_path, given) == [f'/site.yaml:6: cameras.north: {expected}']


def test_network_and_recorded_cameras_may_have_a_distortion(tmp_path: Path) -> None:
    (tmp_path / 'wide.mp4').touch()
    for backend in ('onvif\n    host: camera', 'recorded\n    video: wide.mp4'):
        text = GOOD.replace('backend: simulated', f'backend: {backend}\n    distortion: [-0.3, 0.1, 0.001, 0, -0.01]')
        lens = load_site(write(tmp_path, text)).cameras['north'].lens
        assert lens is not None and lens.coefficients == (-0.3, 0.1, 0.001, 0.0, -0.01)
    assert load_site(write(tmp_path, GOOD)).cameras['north'].lens is None


def test_two_cameras_of_one_name_are_not_silently_one(tmp_path: Path) -> None:
    twice = GOOD + GOOD[GOOD.index('  north:') :]
    assert problems(tmp_path, twice) == [
        '/site.yaml:13: cameras.north: given twice, first in line 6; every name may be used once'
    ]


def test_differing_resolutions_are_an_error_before_the_start(tmp_path: Path) -> None:
    second = (
        GOOD[GOOD.index('  north:') :]
        .replace('north', 'south')
        .replace('zoom: [1, 10]', 'zoom: [1, 10]\n    resolution: [640, 360]')
    )
    (problem,) = problems(tmp_path, GOOD + second)
    assert 'north 1280x720, south 640x360' in problem
    assert load_site(write(tmp_path, GOOD + second + 'stitcher: {video: false}\n'))


def test_a_missing_file_broken_yaml_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match='No such file'):
        load_site(tmp_path / 'nowhere.yaml')
    assert 'not valid YAML' in problems(tmp_path, 'region: {name: [')[0]
    assert 'empty' in problems(tmp_path, '')[0]
    assert 'mapping' in problems(tmp_path, '- a\n- b\n')[0]


def test_a_missing_video_says_how_to_give_the_folder(tmp_path: Path) -> None:
    text = GOOD.replace('backend: simulated', 'backend: recorded\n    video: nowhere.mp4')
    (problem,) = problems(tmp_path, text)
    assert 'no file' in problem and '--media' in problem


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('dwell: 5', 'dwell: 0').replace('zoom: 2', 'zoom: 0')
    assert len(problems(tmp_path, text)) == 2
