# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab dataset simulate, as a user calls it: what is in the folder, the same for any number of processes and after a kill."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from conftest import FOR_EVER, ended, start_command

FEW = ('--scenes', 2, '--pictures', 3, '--size', '320x240', '--seed', 5, '--shares', '0.5', '0', '0.5')


def run(folder: Path, *words: object) -> tuple[int, str]:
    with ended(start_command('dataset', 'simulate', *words, cwd=folder)) as command:
        return command.finish(timeout=FOR_EVER)


def sums(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope='module')
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('simulate')
    code, output = run(folder, 'one', *FEW, '--jobs', 2)
    assert code == 0, output
    assert 'detection' in output and 'tracking' in output and 'identities' in output
    return folder / 'one'


def test_splits_don_t_share_scenes_and_files_say_what_is_there(made: Path) -> None:
    index = json.loads((made / 'dataset.json').read_text())
    assert index['format'] == 1
    assert [scene['split'] for scene in index['scenes']].count('train') == 1
    found = set()
    assert json.loads((made / 'detection' / 'val' / 'annotations.json').read_text())['images'] == []
    for split in ('train', 'test'):
        document = json.loads((made / 'detection' / split / 'annotations.json').read_text())
        scenes = {picture['scene'] for picture in document['images']}
        assert len(scenes) == 1 and not scenes & found
        assert (
            scenes
            == {scene['name'] for scene in document['scenes']}
            == {s['name'] for s in index['scenes'] if s['split'] == split}
        )
        found |= scenes
        assert len(document['images']) == index['counts']['detection'][split]['pictures'] == 3
        for picture in document['images']:
            shape = cv2.imread(str(made / 'detection' / split / 'images' / picture['file_name'])).shape
            assert shape == (picture['height'], picture['width'], 3) == (240, 320, 3)
        sizes = {picture['id']: (picture['width'], picture['height']) for picture in document['images']}
        for box in document['annotations']:
            left, top, width, height = box['bbox']
            limits = sizes[box['image_id']]
            assert left >= 0 and top >= 0 and left + width <= limits[0] + 0.01 and top + height <= limits[1] + 0.01
            assert box['category_id'] in (1, 2) and 0 <= box['visibility'] <= 1
        sequences = [path for path in (made / 'tracking' / split).iterdir() if (path / 'gt' / 'gt.txt').is_file()]
        assert {path.name.partition('-')[0] for path in sequences} == scenes
        crops = json.loads((made / 'identities' / split / 'identities.json').read_text())['crops']
        assert {crop['scene'] for crop in crops} <= scenes
        assert {crop['file'] for crop in crops} == {
            str(path.relative_to(made / 'identities' / split)) for path in (made / 'identities' / split).rglob('*.jpg')
        }
    assert not (made / '.work').exists()


KILLED = """
import os, sys
from pathlib import Path
from collab_bringup.cli import main
write, written = Path.write_bytes, []
def write_bytes(path, data):
    written.append(path)
    if len(written) == 5:
        write(path, data[: len(data) // 2])
        os.kill(os.getpid(), 9)
    return write(path, data)
Path.write_bytes = write_bytes
main(['dataset', 'simulate', *sys.argv[1:]])
"""


def test_what_was_killed_goes_on_and_comes_out_the_same(made: Path, tmp_path: Path) -> None:
    words = ('one', *map(str, FEW), '--jobs', '1')
    killed = subprocess.run([sys.executable, '-c', KILLED, *words], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.glob('one/.work/detection-*.json'))) == 1, 'it was at the next kind of the first scene'
    assert not (tmp_path / 'one' / 'dataset.json').exists()
    code, output = run(tmp_path, 'one', *FEW, '--jobs', 1)
    assert code == 0, output
    assert sums(tmp_path / 'one') == sums(made)


def test_a_data_set_is_replaced_only_when_asked_to(made: Path) -> None:
    code, output = run(made.parent, 'one', *FEW)
    assert code == 2
    assert 'one has a data set already; --overwrite replaces it' in output
    other = (*FEW[:1], 1, *FEW[2:3], 1, *FEW[4:], '--kinds', 'detection')
    copy = shutil.copytree(made, made.parent / 'two')
    code, output = run(made.parent, 'two', *other, '--seed', 6, '--overwrite')
    assert code == 0, output
    assert len(list(copy.rglob('*.jpg'))) == 1
    assert json.loads((copy / 'dataset.json').read_text())['options']['seed'] == 6


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('--conditions', 'sunny'), "--conditions: 'sunny' is no keyword"),
        (('--shares', 1, 1, 1), 'add up to 1'),
        (('--seed', -1), '--seed: -1 found'),
        (('--scenes', 0), '0 found; allowed: 1 to 1000000'),
        (('--size', '12x12'), 'WIDTHxHEIGHT'),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, words: tuple[object, ...], said: str) -> None:
    (tmp_path / 'mine.txt').touch()
    code, output = run(tmp_path, 'new', *words)
    assert code == 2, output
    assert said in output.splitlines()[-1] and 'Traceback' not in output
    assert not (tmp_path / 'new').exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / 'mine.txt').touch()
    code, output = run(tmp_path, '.', *FEW, '--overwrite')
    assert code == 2 and 'something else than a data set' in output
    assert (tmp_path / 'mine.txt').exists()
