# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the readers of data sets: what is good is read as it is, what is bad is told and left out."""

from __future__ import annotations

import json
import pickle

import dataset_files as files
import numpy as np
import pytest

from ptz_perception.datasets import DataSetKind, Fault, FaultKind, coco, find, kind_of, mot, read, yolo
from ptz_perception.datasets.data_set import split_name
from ptz_site import UserError


class Heard(list[Fault]):
    """Keeps what it is told."""

    def __call__(self, fault: Fault) -> None:
        self.append(fault)

    @property
    def kinds(self) -> list[FaultKind]:
        return [fault.kind for fault in self]


@pytest.mark.parametrize(
    ('name', 'split'),
    [
        ('train', 'train'),
        ('train2017', 'train'),
        ('instances_val2017', 'val'),
        ('valid', 'val'),
        ('Testing', 'test'),
        ('latest', ''),
        ('test_yard', ''),
        ('yard', ''),
    ],
)
def test_splits_are_known_by_their_names(name, split):
    assert split_name(name) == split


# COCO


def test_coco_is_read_with_scenes_tracks_and_what_is_to_be_ignored(tmp_path):
    scenes = [{'name': 'yard-3', 'keywords': ['winter', 'dusk'], 'split': 'train'}]
    labels = [
        files.annotation(1, box=(10, 20, 5, 8), track_id=4, visibility=0.5),
        files.annotation(2, category=7, iscrowd=1),
        files.annotation(3, image=2, segmentation=[[1, 2, 3.5, 4]]),
    ]
    files.coco(tmp_path / 'train', labels, [files.image(2, scene='b'), files.image(1, scene='a')], scenes=scenes)
    files.coco(tmp_path / 'val', [], [files.image(5)])
    heard = Heard()
    found = read(tmp_path, tell=heard)
    assert (found.kind, found.names) == (DataSetKind.COCO, ('person', 'vehicle'))
    assert [(split.name, len(split)) for split in found.splits] == [('train', 2), ('val', 1)]
    assert found.scenes[0].keywords == ('winter', 'dusk')
    first, second = found.split('train')
    assert first.path == tmp_path / 'train' / 'images' / '1.jpg'
    assert (first.scene, first.size, first.classes) == ('a', files.SIZE, ('person', 'vehicle'))
    assert first.boxes[0].tolist() == [12.5, 24.0, 5.0, 8.0]
    assert first.ignored.tolist() == [False, True]
    assert first.track_ids.tolist() == [4, -1]
    assert first.visibility.tolist() == [0.5, 1.0]
    assert (second.scene, len(second)) == ('b', 1)
    assert len(next(iter(found.split('val')))) == 0
    assert not heard
    with pytest.raises(UserError, match='no split test'):
        found.split('test')


def test_coco_as_its_makers_lay_it_out(tmp_path):
    files.picture(tmp_path / 'val2017' / '000001.jpg')
    (tmp_path / 'annotations').mkdir()
    entry = files.image(1, file_name='000001.jpg')
    text = json.dumps({'images': [entry], 'annotations': [files.annotation(1)], 'categories': [{'id': 1, 'name': 'person'}]})
    (tmp_path / 'annotations' / 'instances_val2017.json').write_text(text)
    [split] = coco.read(tmp_path).splits
    assert split.name == 'val'
    assert [picture.path for picture in split] == [tmp_path / 'val2017' / '000001.jpg']
    [alone] = read(tmp_path / 'annotations' / 'instances_val2017.json').splits
    assert len(list(alone)) == 1


COCO_FAULTS = [
    ([files.annotation(1, category=3)], FaultKind.UNKNOWN_CLASS, 'category 3 of 1'),
    ([files.annotation(1, image=9)], FaultKind.UNKNOWN_PICTURE, 'picture 9'),
    ([files.annotation(1), files.annotation(1)], FaultKind.DUPLICATE, 'annotation 1 is there 2 times'),
    ([files.annotation(1, box=(1, 2, 0, 4))], FaultKind.BAD_BOX, 'annotation 1: box 1, 2, 0 x 4'),
    ([files.annotation(1, box=(1, 2, 3, -4))], FaultKind.BAD_BOX, 'greater than 0'),
    ([files.annotation(1, box=(60, 2, 10, 4))], FaultKind.BOX_OUTSIDE, '6 px over the edge'),
    ([files.annotation(1, box=(64, 2, 10, 4))], FaultKind.BOX_OUTSIDE, 'is outside of'),
    ([files.annotation(1, box=(1, 2, 3, 4)) | {'bbox': [1, 2, 3]}], FaultKind.BAD_LABEL, 'four numbers'),
    ([{'id': 1, 'image_id': 1}], FaultKind.BAD_LABEL, 'category_id'),
    (['nonsense'], FaultKind.BAD_LABEL, 'annotation None'),
]


@pytest.mark.parametrize(('labels', 'kind', 'says'), COCO_FAULTS)
def test_faults_of_coco_are_told_in_one_line_and_leave_the_rest(tmp_path, labels, kind, says):
    files.coco(tmp_path, [*labels, files.annotation(100, image=2)])
    heard = Heard()
    pictures = list(read(tmp_path, tell=heard).splits[0])
    assert heard.kinds == [kind]
    assert says in str(heard[0])
    assert str(heard[0]).startswith(f'{tmp_path / "annotations.json"}: ')
    assert '\n' not in str(heard[0])
    assert len(pictures[1]) == 1
    for picture in pictures:
        assert (picture.boxes[:, 2:] > 0).all()
        assert (picture.clipped[:, 2:] > 0).all()


def test_pictures_of_coco_that_are_not_there_or_not_described(tmp_path):
    files.coco(tmp_path, [], [files.image(1), files.image(2), files.image(3), files.image(3, file_name='4.jpg'), files.image(5)])
    document = json.loads((tmp_path / 'annotations.json').read_text())
    del document['images'][1]['width']
    document['images'].append({'id': None, 'file_name': 'x.jpg'})
    (tmp_path / 'annotations.json').write_text(json.dumps(document))
    (tmp_path / 'images' / '1.jpg').unlink()
    (tmp_path / 'images' / '5.jpg').write_bytes(b'GIF89a no more')
    heard = Heard()
    sizes = [picture.size for picture in read(tmp_path, tell=heard).splits[0]]
    assert sizes == [files.SIZE] * 3
    kinds = [FaultKind.BAD_LABEL, FaultKind.DUPLICATE, FaultKind.MISSING_PICTURE, FaultKind.WRONG_PICTURE_SIZE]
    assert heard.kinds == kinds


@pytest.mark.parametrize('text', ['', '{"images": [', '[1, 2]', '{}', '{"images": [], "annotations": []}', '{"images": 5}'])
def test_what_is_no_coco_is_refused_in_one_line(tmp_path, text):
    (tmp_path / 'annotations.json').write_text(text)
    with pytest.raises(UserError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(f'{tmp_path / "annotations.json"}: ')
    assert '\n' not in str(caught.value)


# MOTChallenge


def test_mot_is_read_with_tracks_scenes_and_splits(tmp_path):
    rows = ['1,4,10,20,5,8,1,1,0.75', '3,4,-2,20,5,8,1,1,0.25', '3,5,1,1,4,4,0,8,1']
    files.mot(tmp_path / 'train' / 'yard-north', rows, scene='yard', keywords='winter, dusk')
    files.mot(tmp_path / 'test' / 'MOT17-01-SDP', [])
    heard = Heard()
    found = read(tmp_path, tell=heard)
    assert found.kind is DataSetKind.MOT
    assert {split.name: len(split) for split in found.splits} == {'train': 3, 'test': 3}
    assert {scene.name: (scene.keywords, scene.split) for scene in found.scenes} == {
        'yard': (('winter', 'dusk'), 'train'),
        'MOT17-01': ((), 'test'),
    }
    first, second, third = found.split('train')
    assert [picture.frame for picture in (first, second, third)] == [1, 2, 3]
    assert (first.scene, first.sequence) == ('yard', 'yard-north')
    assert first.boxes.tolist() == [[12.5, 24, 5, 8]]
    assert first.visibility.tolist() == [0.75]
    assert len(second) == 0
    assert third.track_ids.tolist() == [4, 5]
    assert third.ignored.tolist() == [False, True]
    assert third.classes == ('person', 'distractor')
    assert third.clipped[0].tolist() == [1.5, 24, 3, 8]
    assert not heard


def test_a_sequence_alone_without_seqinfo_is_read(tmp_path):
    files.mot(tmp_path / 'seq', ['1,1,10,20,5,8,-1,-1,-1,-1'], length=None)
    (tmp_path / 'seq' / 'seqinfo.ini').unlink()
    [split] = read(tmp_path / 'seq').splits
    first, *_ = split
    assert (split.name, len(split), first.size, first.ignored.tolist()) == ('all', 3, files.SIZE, [False])


MOT_FAULTS = [
    ({'rows': ['1,1,a,2,3,4']}, FaultKind.BAD_LABEL, "line 1: '1,1,a,2,3,4' found"),
    ({'rows': ['1,1,2,3']}, FaultKind.BAD_LABEL, 'line 1'),
    ({'rows': ['nan,1,2,3,4,5']}, FaultKind.BAD_LABEL, 'line 1'),
    ({'rows': ['1,1,1,1,4,4,1,99,1']}, FaultKind.UNKNOWN_CLASS, 'class 99 found; allowed: 1 to 13'),
    ({'rows': ['1,1,1,1,4,4,1,1,1'] * 2}, FaultKind.DUPLICATE, 'line 2: object 1 is in frame 1 already'),
    ({'rows': ['1,1,1,1,0,4,1,1,1']}, FaultKind.BAD_BOX, 'line 1'),
    ({'rows': ['1,1,90,1,4,4,1,1,1']}, FaultKind.BOX_OUTSIDE, 'remove the label'),
    ({'rows': ['9,1,1,1,4,4,1,1,1']}, FaultKind.UNKNOWN_PICTURE, 'frame 9 has 1 labels'),
    ({'rows': [], 'frames': [1, 3]}, FaultKind.FRAME_GAP, 'frame 2 is missing'),
    ({'rows': [], 'frames': [3]}, FaultKind.FRAME_GAP, 'frames 1 to 2 are missing'),
    ({'rows': [], 'length': 5}, FaultKind.FRAME_GAP, 'frames 4 to 5 are missing'),
    ({'rows': [], 'imWidth': 'wide'}, FaultKind.BAD_LABEL, 'seqinfo.ini'),
]


@pytest.mark.parametrize(('options', 'kind', 'says'), MOT_FAULTS)
def test_faults_of_mot_are_told_in_one_line(tmp_path, options, kind, says):
    files.mot(tmp_path / 'seq', **options)
    heard = Heard()
    list(read(tmp_path, tell=heard).splits[0])
    assert heard.kinds == [kind]
    assert says in str(heard[0])
    assert '\n' not in str(heard[0])


def test_a_sequence_without_any_picture_is_one_fault(tmp_path):
    files.mot(tmp_path / 'seq', ['1,1,1,1,4,4,1,1,1'], frames=[])
    heard = Heard()
    assert list(read(tmp_path, tell=heard).splits[0]) == []
    assert heard.kinds == [FaultKind.MISSING_PICTURE]


def test_a_sequence_for_training_needs_labels(tmp_path):
    files.mot(tmp_path / 'train' / 'seq', [])
    (tmp_path / 'train' / 'seq' / 'gt' / 'gt.txt').unlink()
    heard = Heard()
    assert len(list(read(tmp_path, tell=heard).splits[0])) == 3
    assert heard.kinds == [FaultKind.MISSING_LABELS]


# YOLO


def test_yolo_is_read_with_boxes_polygons_and_empty_pictures(tmp_path):
    labels = {'train/1': '0 0.5 0.5 0.25 0.5\n1 0 0 0.5 0 0.5 0.5\n', 'train/2': '', 'val/3': '1 .1 .1 .1 .1'}
    files.yolo(tmp_path, labels)
    (tmp_path / 'labels' / 'train' / '2.txt').unlink()
    heard = Heard()
    found = read(tmp_path, tell=heard)
    assert (found.kind, found.names) == (DataSetKind.YOLO, ('person', 'vehicle'))
    assert [(split.name, len(split)) for split in found.splits] == [('train', 2), ('val', 1)]
    first, second = found.split('train')
    assert first.boxes.tolist() == [[32, 24, 16, 24], [16, 12, 32, 24]]
    assert first.classes == ('person', 'vehicle')
    assert len(second) == 0
    assert not heard


@pytest.mark.parametrize('names', ['{0: person, 1: vehicle}', '[person, vehicle]'])
def test_names_of_yolo_in_both_ways(tmp_path, names):
    assert read(files.yolo(tmp_path, {'train/1': ''}, names)).names == ('person', 'vehicle')


def test_yolo_with_the_folders_of_other_tools(tmp_path):
    for name in ('train/images/1.jpg', 'valid/images/2.jpg'):
        files.picture(tmp_path / name)
    (tmp_path / 'train' / 'labels').mkdir()
    (tmp_path / 'train' / 'labels' / '1.txt').write_text('0 .5 .5 .5 .5')
    (tmp_path / 'data.yaml').write_text('train: ../train/images\nval: ../valid/images\nnc: 1\nnames: [person]\n')
    heard = Heard()
    found = yolo.read(tmp_path / 'data.yaml', heard)
    assert {split.name: [len(picture) for picture in split] for split in found.splits} == {'train': [1], 'val': [0]}
    assert not heard


def test_yolo_without_a_description_needs_classes(tmp_path):
    files.yolo(tmp_path, {'1': '0 .5 .5 .5 .5'})
    (tmp_path / 'data.yaml').unlink()
    with pytest.raises(UserError, match=r'classes\.txt'):
        read(tmp_path)
    (tmp_path / 'classes.txt').write_text('person\n')
    [split] = read(tmp_path).splits
    assert (split.name, [picture.classes for picture in split]) == ('all', [('person',)])


def test_yolo_with_a_list_of_pictures(tmp_path):
    files.yolo(tmp_path, {'train/1': '0 .5 .5 .5 .5'})
    (tmp_path / 'train.txt').write_text('./images/train/1.jpg\n./images/train/2.jpg\n')
    (tmp_path / 'data.yaml').write_text('train: train.txt\nnames: [person]\n')
    heard = Heard()
    [split] = read(tmp_path, tell=heard).splits
    assert [len(picture) for picture in split] == [1]
    assert heard.kinds == [FaultKind.MISSING_PICTURE]


YOLO_FAULTS = [
    ('0 .5 .5 .5', FaultKind.BAD_LABEL, 'expected class, centre x'),
    ('0 a .5 .5 .5', FaultKind.BAD_LABEL, 'line 1'),
    ('0 320 240 50 50', FaultKind.BAD_LABEL, 'shares from 0 to 1'),
    ('2 .5 .5 .5 .5', FaultKind.UNKNOWN_CLASS, 'class 2 found; allowed: 0 to 1'),
    ('0 .5 .5 0 .5', FaultKind.BAD_BOX, 'greater than 0'),
    ('0 .9 .5 .5 .5', FaultKind.BOX_OUTSIDE, '10 px over the edge'),
    ('0 .5 .5 .5 .5\n0 .5 .5 .5 .5', FaultKind.DUPLICATE, 'line 2'),
]


@pytest.mark.parametrize(('text', 'kind', 'says'), YOLO_FAULTS)
def test_faults_of_yolo_are_told_in_one_line(tmp_path, text, kind, says):
    files.yolo(tmp_path, {'train/1': text}, splits=['train'])
    heard = Heard()
    list(read(tmp_path, tell=heard).splits[0])
    assert heard.kinds == [kind]
    assert says in str(heard[0])
    assert str(heard[0]).startswith(str(tmp_path / 'labels' / 'train' / '1.txt'))


def test_a_picture_of_yolo_that_is_none_and_a_folder_that_is_not_there(tmp_path):
    files.yolo(tmp_path, {'train/1': ''})
    (tmp_path / 'images' / 'train' / '1.jpg').write_text('no picture')
    heard = Heard()
    found = read(tmp_path, tell=heard)
    assert [list(split) for split in found.splits] == [[], []]
    assert heard.kinds == [FaultKind.MISSING_PICTURE, FaultKind.UNREADABLE_PICTURE]


@pytest.mark.parametrize('text', ['names: [', 'just text', 'train: images', 'names: {1: person}', 'names: []'])
def test_what_does_not_describe_a_yolo_data_set_is_refused(tmp_path, text):
    (tmp_path / 'data.yaml').write_text(text)
    with pytest.raises(UserError) as caught:
        read(tmp_path)
    assert '\n' not in str(caught.value)


# Whichever


def test_the_format_is_told_by_the_files(tmp_path):
    files.coco(tmp_path / 'a' / 'detection' / 'train')
    files.mot(tmp_path / 'a' / 'tracking' / 'train' / 'seq', [])
    files.yolo(tmp_path / 'b', {'train/1': ''})
    assert kind_of(tmp_path / 'a' / 'detection') is DataSetKind.COCO
    assert kind_of(tmp_path / 'a' / 'tracking') is DataSetKind.MOT
    assert kind_of(tmp_path / 'b') is DataSetKind.YOLO
    assert kind_of(tmp_path / 'b' / 'images') is None
    assert [kind for kind, _ in find(tmp_path / 'a')] == [DataSetKind.COCO, DataSetKind.MOT]


@pytest.mark.parametrize('reader', [coco.read, mot.read, yolo.read, read])
def test_what_is_no_data_set_is_refused(tmp_path, reader):
    for path in (tmp_path, tmp_path / 'nowhere'):
        with pytest.raises(UserError, match=str(path)):
            reader(path)


def test_pictures_can_be_read_again_and_given_to_other_processes(tmp_path):
    split = read(files.coco(tmp_path, [files.annotation(1)])).splits[0]
    first, again = tuple(split), tuple(split)
    copied = pickle.loads(pickle.dumps(first))
    for pictures in (again, copied):
        assert [picture.path for picture in pictures] == [picture.path for picture in first]
        assert all(np.array_equal(one.boxes, other.boxes) for one, other in zip(pictures, first, strict=True))


def test_labels_of_yolo_are_looked_for_beside_the_last_folder_of_pictures(tmp_path):
    path = tmp_path / 'images' / 'a' / 'images' / '1.jpg'
    assert yolo.labels_of(path) == tmp_path / 'images' / 'a' / 'labels' / '1.txt'
