# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of recognising: what pictures say of who it is, when a track is a target, and the watchlist on disk."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx_models import write_colour_model

from ptz_perception.detections import Detections, Image
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.recognition.embedders.colour import ColourEmbedder
from ptz_perception.recognition.quality import GOOD, view_qualities
from ptz_perception.recognition.recogniser import Recogniser, Recognition, Reference, crop_of
from ptz_perception.recognition.watchlist import Target, Watchlist, WatchlistError, WatchlistFault, checked_feature
from ptz_perception.recognition.watchlist_file import WatchlistFile
from ptz_perception.tracking.byte_tracker import ByteTracker
from ptz_sim.renderer import Renderer
from ptz_sim.truth import truth
from ptz_sim.world import World
from ptz_site import Site, UserError
from ptz_site.schema import PerceptionSettings, RecognitionSettings

S = 1_000_000_000
SIZE = (640, 360)
Box = tuple[float, float, float, float]


def person(picture: Image, box: Box, shirt: tuple[int, int, int], trousers: tuple[int, int, int]) -> None:
    """Draws somebody."""
    x, y, width, height = (round(value) for value in box)
    left, right, top = x - width // 4, x + width // 4, y - height // 2
    cv2.rectangle(picture, (left, top + height // 7), (right, top + height // 2), shirt, -1)
    cv2.rectangle(picture, (left, top + height // 2), (right, top + height), trousers, -1)
    cv2.circle(picture, (x, top + height // 12), height // 13, (120, 150, 200), -1)


def street(*people: tuple[Box, tuple[int, int, int], tuple[int, int, int]]) -> Image:
    picture = np.random.default_rng(1).normal(110, 6, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    for box, shirt, trousers in people:
        person(picture, box, shirt, trousers)
    return picture


RED, BLUE, GREEN, BLACK = (30, 30, 200), (200, 60, 30), (40, 160, 40), (30, 30, 30)


def test_the_same_clothes_are_alike_in_other_light_and_others_are_not() -> None:
    embedder = ColourEmbedder()
    box = (300.0, 180.0, 60.0, 140.0)
    red = embedder.embed(crop_of(street((box, RED, BLACK)), box))
    darker = embedder.embed(crop_of((street((box, RED, BLACK)) * 0.75).astype(np.uint8), box))
    blue = embedder.embed(crop_of(street((box, BLUE, BLACK)), box))
    assert np.linalg.norm(red) == pytest.approx(1.0) and len(red) == embedder.length
    assert red @ darker > red @ blue + 0.1
    with pytest.raises(ValueError, match='at least 8 x 16 px'):
        embedder.embed(np.zeros((4, 4, 3), np.uint8))


def test_walkers_of_the_simulated_region_are_told_apart_across_cameras(demo_site: Site) -> None:
    """Each walker's pictures in one camera against everybody's in another: the right one comes first nearly always."""
    world = World.of_site(demo_site)
    embedder, features = ColourEmbedder(), {}
    for camera, entry in list(demo_site.cameras.items())[:2]:
        renderer = Renderer(world, (1280, 720))
        for scene in demo_site.scenes:
            position = demo_site.preset(camera, scene)
            assert position is not None
            view = entry.projection(position)
            assert view is not None
            for seconds in range(10, 230, 20):
                shown = [
                    one
                    for one in truth(world, view, entry.resolution, float(seconds))
                    if one.completeness > 0.99 and one.occluded < 0.2 and one.box[3] > 80
                ]
                picture = renderer.render(float(seconds), view) if shown else None
                for one in shown:
                    assert picture is not None
                    crop = crop_of(picture, (one.box[0], one.box[1], 0.42 * one.box[3], one.box[3]))
                    features.setdefault((one.walker, camera), []).append(embedder.embed(crop))
    first, second = list(demo_site.cameras)[:2]
    fused = {key: np.sum(found, axis=0) / np.linalg.norm(np.sum(found, axis=0)) for key, found in features.items()}
    walkers = [walker for walker, camera in fused if camera == first and (walker, second) in fused]
    assert len(walkers) >= 6
    right = [max(walkers, key=lambda other: float(fused[walker, first] @ fused[other, second])) == walker for walker in walkers]
    assert np.mean(right) >= 0.85


def look(
    recogniser: Recogniser, tracker: ByteTracker, picture: Image, boxes: list[Box], step: int, *refs: Reference
) -> dict[int, Recognition]:
    found = Detections.of(np.array(boxes).reshape(-1, 4), np.full(len(boxes), 0.9), np.zeros(len(boxes), np.int64), ('person',))
    return dict(recogniser.look(tracker.update(found, step * S // 5), picture, refs))


def test_a_match_needs_several_good_frames_and_takes_the_right_one() -> None:
    embedders = make_embedders(PerceptionSettings(), Path())
    recogniser, tracker = Recogniser(embedders, RecognitionSettings(good_frames=3, similarity=0.9)), ByteTracker()
    left, right = (150.0, 180.0, 60.0, 140.0), (450.0, 180.0, 60.0, 140.0)
    picture = street((left, RED, BLACK), (right, BLUE, BLACK))
    wanted = Reference('red', 'body', ColourEmbedder().embed(crop_of(picture, left)))
    matched = [look(recogniser, tracker, picture, [left, right], step, wanted) for step in range(5)]
    assert [known[1].target for known in matched] == ['', '', 'red', 'red', 'red']
    assert {known[2].target for known in matched} == {''}
    assert matched[-1][1].similarity > 0.95 and matched[-1][1].good_frames == 5


def test_poor_pictures_neither_make_a_match_nor_break_it() -> None:
    embedders = make_embedders(PerceptionSettings(), Path())
    recogniser, tracker = Recogniser(embedders, RecognitionSettings(good_frames=2, similarity=0.9)), ByteTracker()
    box = (150.0, 180.0, 60.0, 140.0)
    picture = street((box, RED, BLACK))
    wanted = Reference('red', 'body', ColourEmbedder().embed(crop_of(picture, box)))
    for step in range(3):
        known = look(recogniser, tracker, picture, [box], step, wanted)
    assert known[1].target == 'red'
    # Somebody in green walks right before them.
    front = (156.0, 200.0, 66.0, 150.0)
    covered = street((box, RED, BLACK), (front, GREEN, GREEN))
    for step in range(3, 8):
        known = look(recogniser, tracker, covered, [box, front], step, wanted)
    assert known[1].target == 'red' and known[1].good_frames == 3


def test_nobody_is_two_targets_and_no_target_is_two_people() -> None:
    embedders = make_embedders(PerceptionSettings(), Path())
    recogniser, tracker = Recogniser(embedders, RecognitionSettings(good_frames=1, similarity=0.9)), ByteTracker()
    left, right = (150.0, 180.0, 60.0, 140.0), (450.0, 180.0, 60.0, 140.0)
    picture = street((left, RED, BLACK), (right, RED, BLACK))
    vector = ColourEmbedder().embed(crop_of(picture, left))
    known = look(recogniser, tracker, picture, [left, right], 0, Reference('a', 'body', vector), Reference('b', 'body', vector))
    assert sorted(one.target for one in known.values()) == ['a', 'b']
    known = look(recogniser, tracker, picture, [left, right], 1, Reference('a', 'body', vector))
    assert sorted(one.target for one in known.values()) == ['', 'a']


def test_an_empty_watchlist_and_features_of_other_lengths_match_nobody() -> None:
    embedders = make_embedders(PerceptionSettings(), Path())
    recogniser, tracker = Recogniser(embedders, RecognitionSettings(good_frames=1, similarity=-1)), ByteTracker()
    box = (150.0, 180.0, 60.0, 140.0)
    picture = street((box, RED, BLACK))
    assert look(recogniser, tracker, picture, [box], 0)[1].target == ''
    assert look(recogniser, tracker, picture, [box], 1, Reference('a', 'body', np.ones(3, np.float32)))[1].target == ''


def test_views_are_good_when_whole_large_and_free() -> None:
    boxes = np.array([[300, 180, 60, 140], [20, 180, 60, 140], [300, 190, 60, 140], [500, 180, 10, 24]], float)
    qualities = view_qualities(boxes, np.full(4, 0.9), SIZE, 48)
    assert list(qualities >= GOOD) == [False, False, True, False], 'hidden, cut off, good, too small'


def test_an_embedder_is_a_model_that_gives_one_vector(tmp_path: Path) -> None:
    write_colour_model(tmp_path / 'mean.onnx', (32, 64))
    settings = PerceptionSettings(embedders={'body': 'colour', 'plate': 'mean.onnx'})
    embedders = make_embedders(settings, tmp_path)
    blue = embedders['plate'].embed(np.full((64, 32, 3), (255, 0, 0), np.uint8))
    assert len(blue) == 3 and np.linalg.norm(blue) == pytest.approx(1.0) and blue[2] == max(blue)
    with pytest.raises(UserError, match=r'perception.embedders.face: no file .*nowhere.onnx.*; or give colour'):
        make_embedders(PerceptionSettings(embedders={'face': 'nowhere.onnx'}), tmp_path)


def target(name: str = 'anna') -> Target:
    return Target(name, 'body', (0.6, 0.8), 'Anna', added_ns=1_700_000_000 * S, added_by='me')


def test_the_watchlist_survives_and_every_change_is_logged(tmp_path: Path) -> None:
    file = WatchlistFile(tmp_path / 'deep' / 'list.json')
    assert len(file.read()) == 0
    file.write(file.read().with_target(target()), 'add', 'anna', 'me', 1_700_000_000 * S)
    file.write(file.read().with_target(target('bert')), 'add', 'bert', 'you', 1_700_000_001 * S)
    file.write(file.read().without('anna'), 'remove', 'anna', 'you', 1_700_000_002 * S)
    assert [one.target for one in file.read()] == ['bert']
    lines = [json.loads(line) for line in file.log_path.read_text().splitlines()]
    assert [(line['action'], line['target'], line['who']) for line in lines] == [
        ('add', 'anna', 'me'),
        ('add', 'bert', 'you'),
        ('remove', 'anna', 'you'),
    ]
    assert lines[0]['time'] == '2023-11-14T22:13:20+00:00'


@pytest.mark.parametrize('text', ['{', '{"version": 1, "targets": [{"target": "x"}]}', '{"version": 9, "targets": []}'])
def test_a_damaged_list_is_one_line_and_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    file = WatchlistFile(tmp_path / 'list.json')
    file.path.write_text(text)
    with pytest.raises(UserError, match=r'list\.json is') as caught:
        file.read()
    assert len(str(caught.value).splitlines()) == 1 and file.path.read_text() == text


def test_a_list_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(WatchlistError, match="can't be written") as caught:
        WatchlistFile(tmp_path / 'file' / 'list.json').write(Watchlist().with_target(target()), 'add', 'anna', 'me', S)
    assert caught.value.fault is WatchlistFault.NOT_SAVED


def test_changes_that_make_no_sense_are_refused_by_name() -> None:
    watchlist = Watchlist().with_target(target())
    with pytest.raises(WatchlistError, match='anna is on the list already'):
        watchlist.with_target(target())
    with pytest.raises(WatchlistError, match='no target bert is on the list; there is anna'):
        watchlist.without('bert')
    with pytest.raises(WatchlistError, match='allowed are letters'):
        target('../../etc')
    with pytest.raises(WatchlistError, match='give #rrggbb'):
        Target('a', 'body', (1.0,), mark_colour='red')
    for numbers, kind, fault in (
        ((1.0, 0.0), 'face', WatchlistFault.UNKNOWN_KIND),
        ((1.0,), 'body', WatchlistFault.BAD_FEATURE),
        ((0.0, 0.0), 'body', WatchlistFault.BAD_FEATURE),
    ):
        with pytest.raises(WatchlistError) as caught:
            checked_feature(numbers, kind, {'body': 2})
        assert caught.value.fault is fault
    assert checked_feature((3.0, 4.0), 'body', {'body': 2}) == pytest.approx((0.6, 0.8))


def test_new_targets_get_colours_of_their_own() -> None:
    watchlist = Watchlist()
    for name in 'abcdefgh':
        watchlist = watchlist.with_target(Target(name, 'body', (1.0,), mark_colour=watchlist.free_colour()))
    assert len({one.mark_colour for one in watchlist}) == 8


def test_the_same_clothes_in_the_shadow_are_more_alike_than_other_clothes() -> None:
    def dressed(upper: tuple[int, int, int], lower: tuple[int, int, int], light: float) -> np.ndarray:
        picture = np.full((160, 64, 3), 90.0)
        picture[25:80, 16:48], picture[80:155, 18:46] = upper, lower
        return (picture * light).clip(0, 255).astype(np.uint8)

    embedder = ColourEmbedder()
    sunny = embedder.embed(dressed((30, 130, 240), (90, 130, 160), 1.0))
    shadow = embedder.embed(dressed((30, 130, 240), (90, 130, 160), 0.55))
    other = embedder.embed(dressed((30, 40, 240), (160, 90, 60), 1.0))
    assert float(sunny @ shadow) > float(sunny @ other) + 0.2
