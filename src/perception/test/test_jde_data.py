# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what the tracking network is trained with: identities, sheets, splits under conditions; and of retrieval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('torch', reason='PyTorch is for training only')
pytest.importorskip('pycocotools', reason='for training only')

from drawn_identities import write_identities, write_pictures, write_sequence

from ptz_perception.models.jde.appearance import by_view
from ptz_perception.models.jde.batches import Sample, cells_at, make_batch
from ptz_perception.models.jde.data import Conditions, names_of_identities, read_split, tracked_names
from ptz_perception.models.jde.identities import read_identities
from ptz_perception.models.jde.retrieval import Pictured, retrieval
from ptz_perception.models.jde.variations import pasted, varied
from ptz_perception.recognition.sheets import Grid, make_sheet
from ptz_site import UserError

# Identities


def test_identities_are_read_with_what_the_index_says(tmp_path: Path) -> None:
    write_identities(tmp_path, 'train', 0, 2, ('winter', 'dusk'))
    found = read_identities(tmp_path, 'train')
    assert [(one.identity, one.camera) for one in found[:4]] == [('p0', 'north')] * 2 + [('p0', 'south')] * 2
    assert found[0].view == 'train_yard/north'
    assert found[0].keywords == ('winter', 'dusk')


def test_without_an_index_the_names_say_who_and_where(tmp_path: Path) -> None:
    write_identities(tmp_path, 'train', 0, 2, ())
    found = read_identities(tmp_path, 'train')
    assert {(one.identity, one.view) for one in found} == {(who, where) for who in ('p0', 'p1') for where in ('/north', '/south')}


@pytest.mark.parametrize(
    ('said', 'facing'), [('-1.5', -1.5), ('2', 2.0), ('null', None), ('"left"', None), ('true', None), ('NaN', None)]
)
def test_where_a_person_looks_is_what_the_index_says_or_not_known(tmp_path: Path, said: str, facing: float | None) -> None:
    write_identities(tmp_path, 'train', 0, 1)
    index = tmp_path / 'train' / 'identities.json'
    assert [one.facing for one in read_identities(tmp_path, 'train')] == [None] * 4
    index.write_text(index.read_text().replace('"camera"', f'"facing": {said}, "camera"'))
    assert [one.facing for one in read_identities(tmp_path, 'train')] == [facing] * 4


def test_who_is_in_sequences_too_is_the_same_there(tmp_path: Path) -> None:
    write_identities(tmp_path / 'identities', 'train', 0, 1, ('summer',))
    index = tmp_path / 'identities' / 'train' / 'identities.json'
    index.write_text(index.read_text().replace('"camera"', '"track_id": 2, "camera"').replace('train_yard', 'yard-north'))
    write_sequence(tmp_path / 'tracking', 'train', 'yard-north', 1)
    assert names_of_identities(read_split(tmp_path, 'train', ['person'])) == ('yard-north#1', 'yard-north#2')


def test_bad_identities_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'no folder .*train'):
        read_identities(tmp_path, 'train')
    (tmp_path / 'train').mkdir()
    with pytest.raises(UserError, match='has no pictures'):
        read_identities(tmp_path, 'train')
    (tmp_path / 'train' / 'identities.json').write_text('{"crops": 3}')
    with pytest.raises(UserError, match='not an index of identities'):
        read_identities(tmp_path, 'train')


# Splits


def test_a_split_joins_pictures_sequences_and_identities_of_the_wanted_conditions(tmp_path: Path) -> None:
    write_pictures(tmp_path / 'detection', 'train', 3, 1, ('winter', 'fog'))
    write_sequence(tmp_path / 'tracking', 'train', 'yard-north', 2)
    write_identities(tmp_path / 'identities', 'train', 0, 2, ('summer',))
    everything = read_split(tmp_path, 'train', ['person'])
    assert len(everything.pictures) == 5
    assert len(everything.people) == 8
    assert everything.keywords == (('summer',), ('winter', 'fog'))
    assert names_of_identities(everything) == ('p0', 'p1', 'yard-north#1', 'yard-north#2')
    no_winter = read_split(tmp_path, 'train', ['person'], Conditions(unwanted=frozenset({'winter'})))
    assert (len(no_winter.pictures), len(no_winter.people)) == (2, 8)
    winter = read_split(tmp_path, 'train', ['person'], Conditions(wanted=frozenset({'winter'})))
    assert (len(winter.pictures), len(winter.people)) == (3, 0)
    with pytest.raises(UserError, match='nothing in the split test'):
        read_split(tmp_path, 'test', ['person'])


def test_pictures_that_are_in_no_sequence_tell_nobody_apart(tmp_path: Path) -> None:
    write_pictures(tmp_path / 'detection', 'train', 2, 1)
    data = read_split(tmp_path, 'train', ['person'])
    assert set(tracked_names(data.pictures[0])) == {''}
    assert names_of_identities(data) == ()


# Sheets


def plain(colour: int, width: int = 10, height: int = 30) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_people_lie_on_a_sheet_where_their_boxes_say() -> None:
    grid = Grid.of_height((128, 96), 48)
    assert (grid.tile, grid.count) == ((24, 48), 10)
    sheet = make_sheet([plain(50), plain(150), plain(250, 40, 20)], grid)
    assert sheet.picture.shape == (96, 128, 3)
    for box, colour in zip(sheet.boxes, (50, 150, 250), strict=True):
        left, top = np.round(box[:2] - box[2:] / 2).astype(int)
        width, height = box[2:].astype(int)
        assert (sheet.picture[top : top + height, left : left + width] == colour).all()
    # As large as fits, not stretched.
    assert sheet.boxes[0, 2:].tolist() == [16, 48]
    assert sheet.boxes[2, 2:].tolist() == [24, 12]


def test_a_sheet_needs_at_least_one_picture_and_room_for_all() -> None:
    grid = Grid.of_height((64, 64), 64)
    with pytest.raises(ValueError, match='from 1 to 2'):
        make_sheet([], grid)
    with pytest.raises(ValueError, match='from 1 to 2'):
        make_sheet([plain(1)] * 3, grid)


def test_sheets_are_of_one_view_each() -> None:
    assert list(by_view(['a', 'b', 'a', 'a', 'b'], 2)) == [[0, 2], [3], [1, 4]]


def test_variations_are_the_same_for_the_same_seed_and_keep_most_of_a_person() -> None:
    person = np.random.default_rng(1).integers(0, 256, (60, 30, 3)).astype(np.uint8)
    for seed in range(5):
        first, second = (varied(person, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first, second)
        assert first.shape[0] >= 0.8 * 60
        assert first.shape[1] >= 0.8 * 30


def test_people_are_put_into_a_picture_side_by_side_as_far_as_there_is_room() -> None:
    ground = plain(100, 120, 100)
    people = [plain(10 * number, 10, 20) for number in range(20)]
    sheet, rows = pasted(ground, people, (30, 40), np.random.default_rng(1))
    assert (ground == 100).all(), 'the picture itself is not changed'
    assert 4 < len(rows) < 20
    assert sheet.boxes[:, 3].min() >= 30 and sheet.boxes[:, 3].max() <= 40
    for box, row in zip(sheet.boxes, rows, strict=True):
        left, top = np.round(box[:2] - box[2:] / 2).astype(int)
        width, height = box[2:].astype(int)
        assert (sheet.picture[top : top + height, left : left + width] == 10 * row).all()


def test_nobody_is_put_where_they_are_too_large() -> None:
    sheet, rows = pasted(plain(100, 20, 20), [plain(1, 10, 20)], (30, 40), np.random.default_rng(1))
    assert (rows, len(sheet.boxes)) == ([], 0)


# Batches


def test_a_batch_says_where_appearances_are_read_and_what_is_ignored() -> None:
    boxes = np.array([[20.0, 28.0, 16.0, 32.0], [100.0, 60.0, 24.0, 48.0]])
    sample = Sample(np.zeros((96, 128, 3), np.uint8), boxes, np.zeros(2, np.int64), np.array([False, True]), np.array([7, -1]))
    empty = Sample(
        np.zeros((96, 128, 3), np.uint8), np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int64), False
    )
    batch = make_batch([sample, empty], np.array([True, False]), np.random.default_rng(1))
    assert batch.pictures.shape == (2, 3, 96, 128)
    assert batch.classes.tolist() == [[0], [-1]]
    assert batch.identities.tolist() == [[7], [-1]]
    assert batch.finds.tolist() == [True, False]
    assert batch.mask.tolist() == [True, False]
    # The middle of the box, 20 and 28 px: the third of 16 columns, in the fourth row.
    assert batch.places[0, 0, 0] == 3 * 16 + 2
    assert batch.ignored[0].sum() == 3 * 5
    assert not batch.ignored[1].any()


def test_cells_beyond_the_edge_are_the_nearest() -> None:
    points = np.array([[-5.0, 3.0], [500.0, 500.0]])
    assert cells_at(points, (96, 128)).tolist() == [0, 11 * 16 + 15]


# Retrieval


def test_retrieval_by_hand() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.0, 1.0]])
    # 0 asks for 1 among 1 (0.6), 2 (0.8), 3 (0.0): second of three, precision 1 / 2. 1 asks for 0: 2 (0.96), 3 (0.8), 0 (0.6): third.
    found = retrieval(Pictured(vectors, ['a', 'a', 'b', 'c'], ['n', 's', 's', 's']))
    assert found.questions == 2
    assert found.rank_1 == 0
    assert found.mean_ap == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_pictures_of_the_same_view_neither_count_as_right_nor_as_wrong() -> None:
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
    # For each picture of a in n, the other one in n is left out: then a in s comes first. That one asks for both: first and second.
    found = retrieval(Pictured(vectors, ['a', 'a', 'a', 'b'], ['n', 'n', 's', 's']))
    assert found.questions == 3
    assert found.rank_1 == pytest.approx(2 / 3)
    assert found.mean_ap == pytest.approx((1 + 1 + (1 / 2 + 2 / 3) / 2) / 3)


def test_retrieval_over_a_gallery_and_without_questions() -> None:
    asked = Pictured(np.array([[1.0, 0.0]]), ['a'], ['n'])
    gallery = Pictured(np.array([[0.0, 1.0], [0.9, 0.1], [1.0, 0.0]]), ['b', 'a', 'a'], ['s', 's', 'n'])
    assert retrieval(asked, gallery).mean_ap == 1
    alone = retrieval(Pictured(np.array([[1.0, 0.0]]), ['a'], ['n']))
    assert alone.questions == 0
    assert np.isnan(alone.rank_1)
