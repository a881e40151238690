# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a user is told, and the exit code, when something can't work."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command
from recordings import headers, video_frames

Start = Callable[..., Command]
SCENES = ('gate', 'road', 'substation')


@pytest.mark.parametrize(
    ('old', 'new', 'says'),
    [
        ('gate: auto', 'gatte: auto', 'no scene of this name'),
        ('  southwest:', '  north:', 'given twice'),
        ('dwell: 2.0', 'dwell: much', "region.dwell: 'much' found"),
        ('backend: simulated', 'backend: recorded\n    video: none.mp4', 'no file'),
    ],
)
@pytest.mark.parametrize('command', ['check', 'up'])
def test_a_bad_site_is_one_line_and_nothing_starts(
    ptz_collab: Start, small_site: Path, tmp_path: Path, command: str, old: str, new: str, says: str
) -> None:
    small_site.write_text(small_site.read_text().replace(old, new, 1))
    code, output = ptz_collab(command, small_site).finish()
    assert code == 2
    assert says in output and str(small_site) in output
    assert 'Traceback' not in output
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('command', ['check', 'up'])
def test_a_missing_site_file(ptz_collab: Start, command: str) -> None:
    code, output = ptz_collab(command, 'nowhere.yaml').finish()
    assert code == 2
    assert output.strip().splitlines() == ['nowhere.yaml: No such file or directory; give the path of a site file']


def test_check_shows_the_plan_and_names_what_cannot_be_covered(ptz_collab: Start, small_site: Path) -> None:
    text = small_site.read_text()
    small_site.write_text(text.replace('scenes:\n', 'scenes:\n  roof: {polygon: [[0, 0], [1, 0], [1, 1]]}\n'))
    code, output = ptz_collab('check', small_site).finish()
    assert code == 1
    assert 'roof' in output and 'north' in output and 'Traceback' not in output


def test_check_of_a_good_site_ends_well(ptz_collab: Start, small_site: Path) -> None:
    code, output = ptz_collab('check', small_site).finish()
    assert code == 0, output
    assert all(word in output for word in ('north', 'southwest', 'southeast', 'gate', 'road', 'substation'))


def test_a_dwell_shorter_than_the_slowest_turn_is_refused_with_the_number(ptz_collab: Start, small_site: Path) -> None:
    small_site.write_text(small_site.read_text().replace('slew_rate: 120', 'slew_rate: 5'))
    for command, expected in (('check', 1), ('up', 2)):
        code, output = ptz_collab(command, small_site).finish()
        assert code == expected, output
        assert 'region.dwell: dwell of 2 s is not longer than the slowest turn' in output
        assert 'give a dwell of more than' in output
    assert not (small_site.parent / 'out').exists(), 'nothing was begun'


def test_an_earlier_run_is_not_written_over(ptz_collab: Start, small_site: Path, tmp_path: Path) -> None:
    (tmp_path / 'keep').mkdir()
    (tmp_path / 'keep' / 'thesis.txt').write_text('years of work')
    for options in ([], ['--overwrite']):
        code, output = ptz_collab('up', small_site, '--out', tmp_path / 'keep', *options).finish()
        assert code == 2 and 'keep' in output
    assert (tmp_path / 'keep' / 'thesis.txt').read_text() == 'years of work'


def test_a_broken_video_is_named(ptz_collab: Start, tmp_path: Path) -> None:
    (tmp_path / 'broken.mp4').write_bytes(b'not a video' * 1000)
    site = tmp_path / 'site.yaml'
    site.write_text(
        'region: {name: broken, dwell: 2}\nscenes: {door: {}}\ncameras:\n'
        '  a: {backend: recorded, video: broken.mp4, presets: {door: {pan: 0, tilt: 0}}}\n'
    )
    code, output = ptz_collab('up', site, '--duration', 4, '--out', tmp_path / 'run').finish()
    assert code == 1
    assert 'broken.mp4' in output and 'Traceback' not in output


def test_ctrl_c_closes_files_that_open(ptz_collab: Start, small_site: Path, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    command = ptz_collab('up', small_site, '--duration', 600, '--out', out)
    bags = [out / scene / f'{scene}_0.mcap' for scene in SCENES]
    command.until(lambda: all(bag.is_file() and bag.stat().st_size > 100_000 for bag in bags), 'recording')
    command.interrupt()
    code, output = command.finish()
    assert code == 130, output
    assert 'Traceback' not in output
    for scene in SCENES:
        assert len(headers(out / scene)) == len(video_frames(out / f'{scene}.mp4')) > 0
    assert (out / 'report.html').is_file()


def test_ctrl_c_while_nodes_start(ptz_collab: Start, small_site: Path, tmp_path: Path) -> None:
    command = ptz_collab('up', small_site, '--duration', 600, '--out', tmp_path / 'run')
    command.until(lambda: (tmp_path / 'run' / 'logs').is_dir(), 'the first process')
    command.interrupt()
    code, output = command.finish()
    assert code == 130, output
    assert 'Traceback' not in output


def test_a_full_disk_stops_recording_and_loses_nothing(ptz_collab: Start, small_site: Path, tmp_path: Path) -> None:
    limit = 700_000

    def small_disk() -> None:
        # Writing beyond fails as on a full disk, with EFBIG in place of ENOSPC.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    out = tmp_path / 'run'
    command, said = ptz_collab('up', small_site, '--out', out, preexec=small_disk), out / 'logs' / 'stitcher.log'
    full = [re.compile(rf'/{scene}(/|\.mp4).*(full|too large)', re.IGNORECASE) for scene in SCENES]
    command.until(lambda: said.is_file() and all(one.search(said.read_text()) for one in full), 'no scene is recorded any more')
    command.interrupt()
    code, output = command.finish()
    assert 'Traceback' not in output
    assert code == 1, output
    assert 'full' in output.lower() or 'too large' in output.lower(), output
    for scene in SCENES:
        assert len(headers(out / scene)) > 10
        assert len(video_frames(out / f'{scene}.mp4')) > 10
