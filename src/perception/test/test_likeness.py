# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of finding what example pictures show, and of keeping what is new of it."""

from __future__ import annotations

import itertools
import json

import cv2
import numpy as np
import posters
import pytest

from ptz_perception.datasets import read
from ptz_perception.datasets.collecting import CollectedSet, Collector, Outcome, Shot
from ptz_perception.datasets.likeness import Features, Likeness
from ptz_perception.datasets.variety import Variety
from ptz_perception.detections import overlaps

#: The least height (px) at which each kind of feature must find the poster.
LEAST = {Features.ORB: 90, Features.AKAZE: 150, Features.SIFT: 70}


@pytest.fixture(scope='module', params=list(Features))
def likeness(request) -> tuple[Features, Likeness]:
    return request.param, Likeness([posters.poster()], request.param)


@pytest.mark.parametrize(('turn', 'taper'), [(0.0, 0.0), (0.3, 0.0), (-0.2, 0.25)])
def test_it_is_found_where_it_is_in_any_view(likeness, turn, taper):
    features, one = likeness
    for height in (LEAST[features], 200):
        at = posters.corners(330, 180, height, turn, taper)
        [found] = one.find(posters.holding(posters.yard(), at))
        assert overlaps(np.array([found.box]), posters.box(at))[0, 0] > 0.85
        assert np.abs(found.outline - at).max() < 0.1 * height
        assert found.inliers >= 15


def test_another_poster_a_yard_and_a_blank_picture_do_not_hold_it(likeness):
    _, one = likeness
    other = posters.holding(posters.yard(), posters.corners(330, 180, 200), posters.poster(seed=7))
    for picture in (other, posters.yard(), np.zeros((360, 640, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)):
        assert one.find(picture) == ()


def test_it_is_not_found_mirrored(likeness):
    _, one = likeness
    assert one.find(posters.holding(posters.yard(), posters.corners(330, 180, 200), posters.poster()[:, ::-1])) == ()


def test_half_of_it_at_the_pictures_edge_is_found_with_a_box_inside():
    at = posters.corners(600, 180, 160)
    [found] = Likeness([posters.poster()]).find(posters.holding(posters.yard(), at))
    assert found.box[0] + found.box[2] / 2 <= posters.SIZE[0]
    assert overlaps(np.array([found.box]), posters.box(at))[0, 0] > 0.85
    assert Likeness([posters.poster()]).find(posters.holding(posters.yard(), posters.corners(660, 180, 160))) == ()


def test_several_examples_of_the_same_propose_one_box_and_of_others_their_own():
    first, second = posters.poster(1), posters.poster(2)
    one = Likeness([first, second, cv2.resize(first, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)])
    frame = posters.holding(posters.yard(), posters.corners(150, 180, 150), first)
    frame = posters.holding(frame, posters.corners(480, 180, 150), second)
    found = one.find(frame)
    assert len(found) == 2
    assert {round(one.box[0], -1) for one in found} == {150, 480}
    assert {one.example for one in found} in ({0, 1}, {1, 2})


def test_of_a_cut_out_example_only_the_object_counts():
    cut_out = np.dstack((posters.yard(3)[:300, :400], np.zeros((300, 400), np.uint8)))
    cut_out[60:270, 50:330, :3], cut_out[60:270, 50:330, 3] = posters.poster(), 255
    at = posters.corners(330, 180, 150)
    [found] = Likeness([cut_out]).find(posters.holding(posters.yard(), at))
    assert overlaps(np.array([found.box]), posters.box(at))[0, 0] > 0.85


@pytest.mark.parametrize('picture', [np.full((100, 100, 3), 128, np.uint8), np.zeros((50, 50, 4), np.uint8)])
def test_an_example_that_shows_too_little_is_refused(picture):
    with pytest.raises(ValueError, match='in it'):
        Likeness([picture])


# What is new


def boxed(at):
    return posters.box(at)


def test_the_same_again_is_not_new_but_elsewhere_or_looking_otherwise_it_is():
    variety = Variety()
    at = posters.corners(300, 180, 120)
    moved, larger = posters.corners(340, 190, 120), posters.corners(300, 180, 170)
    other = posters.holding(posters.yard(), at, posters.poster(5))

    def is_new(picture, where, source='north'):
        return variety.is_new(source, picture, boxed(where))

    assert is_new(posters.holding(posters.yard(0), at), at)
    assert not is_new(posters.holding(posters.yard(1), at), at)
    darker = (0.7 * posters.holding(posters.yard(2), at)).astype(np.uint8)
    assert not is_new(darker, at)
    assert is_new(posters.holding(posters.yard(), moved), moved)
    assert is_new(posters.holding(posters.yard(), larger), larger)
    assert is_new(other, at)
    assert is_new(posters.holding(posters.yard(), at), at, source='south')


# Collecting


def shot(at, number, jpeg=False) -> Shot:
    frame = posters.yard(number) if at is None else posters.holding(posters.yard(number), at)
    data = cv2.imencode('.jpg', frame)[1].tobytes() if jpeg else None
    return Shot('north', 'gate', number * 1_000_000_000, frame, data)


def test_what_is_collected_is_a_data_set_that_reads_back(tmp_path):
    kept = CollectedSet(tmp_path / 'out', 'poster', ('front.jpg',))
    collector = Collector(Likeness([posters.poster()], Features.ORB), kept)
    places = [posters.corners(200, 180, 150), posters.corners(200, 180, 150), None, posters.corners(430, 180, 150)]
    outcomes = [collector.look(shot(at, number, jpeg=True)) for number, at in enumerate(places)]
    assert outcomes == [Outcome.KEPT, Outcome.REPEATED, Outcome.NOTHING, Outcome.KEPT]
    # Nobody has said that it is over: it is there all the same.
    data = read(tmp_path / 'out')
    pictures = list(data.splits[0])
    assert data.names == ('poster',)
    assert [picture.scene for picture in pictures] == ['gate', 'gate']
    for picture, at in zip(pictures, (places[0], places[3]), strict=True):
        assert overlaps(picture.boxes, posters.box(at))[0, 0] > 0.85
    assert pictures[0].path.read_bytes() == shot(places[0], 0, jpeg=True).jpeg
    [first, *_] = json.loads((tmp_path / 'out' / 'annotations.json').read_text())['annotations']
    assert first['example'] == 'front.jpg'
    assert first['matches'] >= 15


def test_names_of_sources_can_not_lead_out_of_the_folder(tmp_path):
    kept = CollectedSet(tmp_path / 'out', 'poster', ('a',))
    frame = posters.yard()
    for source in ('../../etc', '/demo/cameras/north/image', '', '...'):
        path = kept.add(Shot(source, '', 0, frame), ())
        assert path.resolve().parent == tmp_path / 'out' / 'images'
        assert cv2.imread(str(path)).shape == frame.shape


def test_hundreds_of_pictures_are_not_written_again_and_again(tmp_path, monkeypatch):
    kept = CollectedSet(tmp_path / 'out', 'poster', ('a',))
    written = []
    save = kept.save
    monkeypatch.setattr(kept, 'save', lambda: (written.append(len(kept)), save()))
    frame = posters.yard()
    for number in range(400):
        kept.add(Shot('north', '', number, frame, b'\xff\xd8'), ())
    assert written[:3] == [1, 2, 3]
    assert len(written) < 200
    assert all(after - before <= 9 for before, after in itertools.pairwise(written))
