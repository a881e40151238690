# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab dataset check, as a user calls it: a table, every fault in one line, and an exit code that scripts can use."""

from __future__ import annotations

from pathlib import Path

import dataset_files as files
import pytest
from conftest import start_command


def run(folder: Path, *words: object) -> tuple[int, str]:
    return start_command('dataset', 'check', *words, cwd=folder).finish()


def test_what_is_in_data_sets_of_all_formats_is_a_table(tmp_path: Path) -> None:
    files.coco(tmp_path / 'mine' / 'detection' / 'train', [files.annotation(1), files.annotation(2, image=2, category=7)])
    files.mot(tmp_path / 'mine' / 'tracking' / 'val' / 'yard-north', ['1,4,10,20,5,8,1,1,1', '2,4,10,20,5,8,1,1,1'])
    files.yolo(tmp_path / 'other', {'train/1': '0 .5 .5 .5 .5'}, splits=['train'])
    code, output = run(tmp_path, 'mine', 'other/data.yaml')
    assert code == 0, output
    rows = [[cell.strip() for cell in line.split('│')[1:-1]] for line in output.splitlines() if line.startswith('│')]
    assert rows == [
        ['train', '-', '2', '-', '2', '2', '-', '-', '-', '-', 'person 1, vehicle 1'],
        ['val', '1', '3', '1', '2', '2', '-', '-', '-', '1', 'person 2'],
        ['train', '-', '1', '-', '1', '1', '-', '-', '-', '-', 'person 1'],
    ]
    for part in (
        'mine/detection (COCO)',
        'mine/tracking (MOT)',
        'other/data.yaml (YOLO)',
        'without a box: vehicle',
        'nothing is wrong',
    ):
        assert part in output


def test_every_fault_is_one_line_and_the_rest_is_counted(tmp_path: Path) -> None:
    labels = [files.annotation(number, box=(1, 1, 0, 4)) for number in range(30)] + [files.annotation(100, category=9)]
    files.coco(tmp_path / 'mine', labels)
    (tmp_path / 'mine' / 'images' / '2.jpg').unlink()
    code, output = run(tmp_path, 'mine')
    assert code == 1, output
    lines = output.splitlines()
    assert sum('annotation' in line and 'greater than 0' in line for line in lines) == 20
    assert '... and 10 more; --all shows them' in lines
    assert any(line.startswith('mine/images/2.jpg: ') and 'put it there, or remove it' in line for line in lines)
    assert any('category 9 of 1 annotations is not in categories' in line for line in lines)
    assert lines[-1] == '32 faults'
    code, output = run(tmp_path, 'mine', '--all')
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
def test_what_is_no_data_set_is_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.json').write_text('{"images": [')
    code, output = run(tmp_path, *words)
    assert code == 2, output
    assert said in output.splitlines()[-1] and 'Traceback' not in output
