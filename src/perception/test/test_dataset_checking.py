# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of looking through data sets: what is in them, and what their splits must not share."""

from __future__ import annotations

import shutil

import cv2
import dataset_files as files
import numpy as np
import pytest

from ptz_perception.datasets import Fault, FaultKind, read
from ptz_perception.datasets.checking import Checker


def checked(*folders):
    faults: list[Fault] = []
    checker = Checker(faults.append)
    steps: list[None] = []
    facts = [one for folder in folders for one in checker.check(read(folder, tell=faults.append), lambda: steps.append(None))]
    assert len(steps) == sum(one.pictures for one in facts)
    return facts, faults


def test_facts_of_a_split_count_by_class_size_and_track(tmp_path):
    size = (640, 480)
    images = [files.image(number, width=640, height=480, scene='yard', video_id=number // 2) for number in range(4)]
    labels = [
        files.annotation(1, 0, (10, 10, 31, 33), track_id=1),
        files.annotation(2, 0, (10, 10, 32, 32), track_id=2),
        files.annotation(3, 1, (10, 10, 96, 96), track_id=1, category=7),
        files.annotation(4, 2, (10, 10, 96, 95), track_id=1),
        files.annotation(5, 2, (10, 10, 300, 95), iscrowd=1),
        files.annotation(6, 2, (-31, 0, 62, 10), track_id=9),
    ]
    files.coco(tmp_path / 'train', labels, images)
    for entry in images:
        files.picture(tmp_path / 'train' / 'images' / entry['file_name'], entry['id'], size)
    [facts], faults = checked(tmp_path)
    assert [fault.kind for fault in faults] == [FaultKind.BOX_OUTSIDE]
    assert (facts.pictures, facts.empty, facts.boxes, facts.ignored) == (4, 1, 5, 1)
    assert (facts.small, facts.medium, facts.large) == (2, 2, 1)
    assert dict(facts.classes) == {'person': 4, 'vehicle': 1}
    assert facts.tracks == 4
    assert facts.scenes == {'yard'}


def test_a_picture_in_two_splits_is_found_by_its_content(tmp_path):
    files.coco(tmp_path / 'train', [], [files.image(1), files.image(2)])
    files.coco(tmp_path / 'val', [], [files.image(7)])
    shutil.copy(tmp_path / 'train' / 'images' / '2.jpg', tmp_path / 'val' / 'images' / '7.jpg')
    _, [fault] = checked(tmp_path)
    assert fault.kind is FaultKind.SHARED_PICTURE
    assert str(tmp_path / 'train' / 'images' / '2.jpg') in str(fault)
    assert 'in train' in str(fault) and 'in val' in str(fault)


def test_a_scene_in_two_splits_is_told_once_also_across_the_formats_of_one_data_set(tmp_path):
    files.coco(tmp_path / 'a' / 'train', [], [files.image(1, scene='yard'), files.image(2, scene='yard')])
    files.coco(tmp_path / 'a' / 'val', [], [files.image(3, scene='gate')])
    files.mot(tmp_path / 'b' / 'val' / 'yard-north', [], scene='yard')
    _, [fault] = checked(tmp_path / 'a', tmp_path / 'b')
    assert fault.kind is FaultKind.SHARED_SCENE
    assert 'scene yard is in the splits train and val' in str(fault)


def damage(path, how):
    data = path.read_bytes()
    if how == 'cut':
        path.write_bytes(data[: len(data) // 2])
    elif how == 'padded':
        path.write_bytes(data + b'\0' * 300)
    elif how == 'text':
        path.write_text('<html>404</html>')
    elif how == 'empty':
        path.write_bytes(b'')
    elif how == 'larger':
        cv2.imwrite(str(path), np.zeros((96, 64, 3), np.uint8))
    elif how == 'turned':
        # EXIF with an orientation of 6: to be turned by 90 degrees.
        entry = b'\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00'
        exif = b'Exif\0\0II*\0\x08\0\0\0\x01\0' + entry + b'\0\0\0\0'
        path.write_bytes(data[:2] + b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif + data[2:])


@pytest.mark.parametrize(
    ('how', 'kind', 'says'),
    [
        ('cut', FaultKind.UNREADABLE_PICTURE, 'cut off'),
        ('text', FaultKind.UNREADABLE_PICTURE, "can't be read as a picture"),
        ('empty', FaultKind.UNREADABLE_PICTURE, "can't be read as a picture"),
        ('larger', FaultKind.WRONG_PICTURE_SIZE, 'is 64 x 96 px, and its labels are for 64 x 48'),
        ('turned', FaultKind.WRONG_PICTURE_SIZE, 'because its EXIF data turn it'),
    ],
)
def test_a_picture_that_is_damaged_or_another_than_its_labels_are_for(tmp_path, how, kind, says):
    files.coco(tmp_path)
    damage(tmp_path / 'images' / '2.jpg', how)
    _, [fault] = checked(tmp_path)
    assert fault.kind is kind
    assert says in str(fault)
    assert fault.path == tmp_path / 'images' / '2.jpg'


def test_padding_after_a_picture_is_no_fault(tmp_path):
    files.coco(tmp_path)
    damage(tmp_path / 'images' / '2.jpg', 'padded')
    assert checked(tmp_path)[1] == []
