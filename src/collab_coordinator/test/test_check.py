# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what is found in a site, and of how it is shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from collab_coordinator.check import main
from collab_coordinator.plan_report import examine
from ptz_site import Site

SiteMaker = Callable[..., Site]


def write(site: Site, path: Path) -> str:
    path.write_text(yaml.safe_dump(site.model_dump(mode='json', exclude_defaults=True)))
    return str(path)


def test_a_good_site_is_shown_as_a_table_of_slots_by_cameras(
    make_site: SiteMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(make_site(), tmp_path / 'site.yaml')]) == 0
    output = capsys.readouterr().out
    table = [[cell.strip() for cell in line.split('│')[1:-1]] for line in output.splitlines() if '│' in line]
    assert ['0', '0 s', 'gate', 'road', 'yard'] in table
    assert ['1', '5 s', 'road', 'yard', 'gate'] in table
    assert ['2', '10 s', 'yard', 'gate', 'road'] in table
    assert ['gate', 'always', 'none', '3', 'north, south, west'] in table
    assert ['north', 'yard', 'gate', '1.25 s', '25%'] in table
    assert 'every scene is covered in every slot' in output


def test_a_scene_that_no_camera_reaches_is_a_problem_and_named(
    make_site: SiteMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reach = {'north': ['gate'], 'south': ['road']}
    assert main([write(make_site(reach), tmp_path / 'site.yaml')]) == 1
    output = capsys.readouterr().out
    assert 'scene yard is never covered: no camera has a preset for it (cameras: north, south)' in output


def test_more_scenes_than_cameras_is_no_problem_but_the_gap_is_named(make_site: SiteMaker) -> None:
    examination = examine(make_site({'north': ['gate', 'road', 'yard']}))
    assert not examination.problems
    (note,) = examination.notes
    assert note.endswith('each without a camera for up to 10 s')
    assert 'gate, road, yard' in note


def test_a_pair_that_is_given_up_for_coverage_is_named(make_site: SiteMaker) -> None:
    examination = examine(make_site({'north': ['gate'], 'south': ['gate', 'road']}, ['gate', 'road']))
    assert not examination.problems
    assert 'camera south has a preset for gate, but never watches it' in examination.notes[0]


def test_a_dwell_not_longer_than_the_slowest_turn_is_a_problem_with_number_and_camera(make_site: SiteMaker) -> None:
    (problem,) = examine(make_site(dwell=1.2)).problems
    assert problem.startswith(
        'region.dwell: dwell of 1.2 s is not longer than the slowest turn, 1.25 s (north from yard to gate)'
    )


def test_presets_that_only_the_camera_knows_have_no_turn_time(make_site: SiteMaker) -> None:
    site = make_site()
    presets = {scene: {'token': scene} for scene in site.scenes}
    data = site.model_dump()
    for camera in data['cameras'].values():
        camera['presets'] = presets
    examination = examine(Site.model_validate(data))
    assert examination.slowest is None
    assert not examination.problems


def test_a_missing_file_is_one_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / 'none.yaml')]) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert len(captured.err.strip().splitlines()) == 1
