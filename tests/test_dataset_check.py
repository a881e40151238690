# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab dataset check, as a user calls it: a table, every fault in one line, and an exit code that scripts can use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dataset_files as files
import pytest

from collab_bringup.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Calls the command as a shell in the folder would, in this process: starting one takes longer than it has to do."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str]:
        code = main(['dataset', 'check', *map(str, words)])
        return code, ''.join(capsys.readouterr())

    return call


def test_what_is_in_data_sets_of_all_formats_is_a_table(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    files.coco(tmp_path / 'mine' / 'detection' / 'train', [files.annotation(1), files.annotation(2, image=2, category=7)])
    files.mot(tmp_path / 'mine' / 'tracking' / 'val' / 'yard-north', ['1,4,10,20,5,8,1,1,1', '2,4,10,20,5,8,1,1,1'])
    files.yolo(tmp_path / 'other', {'train/1': '0 .5 .5 .5 .5'}, splits=['train'])
    code, output = run('mine', 'other/data.yaml')
    assert code == 0, output
    rows = [line.split() for line in output.splitlines() if line.startswith(('train ', 'val '))]
    assert rows == [
        ['train', '-', '2', '-', '2', '2', '-', '-', '-', '-'],
        ['val', '1', '3', '1', '2', '2', '-', '-', '-', '1'],
        ['train', '-', '1', '-', '1', '1', '-', '-', '-', '-'],
    ]
    assert [line for line in output.splitlines() if line.startswith('classes')] == [
        'classes (train): person 1; vehicle 1',
        'classes (val): person 2',
        'classes (train): person 1; vehicle 0',
    ]
    for part in (
        'mine/detection (COCO)',
        'mine/tracking (MOT)',
        'other/data.yaml (YOLO)',
        'nothing is wrong',
    ):
        assert part in output


def test_every_fault_is_one_line_and_the_rest_is_counted(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    labels = [files.annotation(number, box=(1, 1, 0, 4)) for number in range(30)] + [files.annotation(100, category=9)]
    files.coco(tmp_path / 'mine', labels)
    (tmp_path / 'mine' / 'images' / '2.jpg').unlink()
    code, output = run('mine')
    assert code == 1, output
    lines = output.splitlines()
    assert sum('annotation' in line and 'greater than 0' in line for line in lines) == 20
    assert '... and 10 more; --all shows them' in lines
    assert any(line.startswith('mine/images/2.jpg: ') and 'put it there, or remove it' in line for line in lines)
    assert any('category 9 of 1 annotations is not in categories' in line for line in lines)
    assert lines[-1] == '32 faults'
    code, output = run('mine', '--all')
    assert code == 1
    assert sum('greater than 0' in line for line in output.splitlines()) == 30


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('nowhere',), 'nowhere is not there'),
        (('empty',), 'empty: no data set in COCO, MOTChallenge or YOLO format'),
        (('empty', '--format', 'mot'), 'expected folders with img1, gt/gt.txt and seqinfo.ini'),
        (('broken.json',), 'broken.json: not JSON that can be read'),
    ],
)
def test_what_is_no_data_set_is_one_line(
    run: Callable[..., tuple[int, str]], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.json').write_text('{"images": [')
    code, output = run(*words)
    assert code == 2, output
    assert said in output.splitlines()[-1] and 'Traceback' not in output
