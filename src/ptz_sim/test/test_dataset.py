# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of simulated data sets: what scenes are drawn, and that labels say what the pictures show."""

from __future__ import annotations

import configparser
import dataclasses
import math
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptz_sim import figures, silhouettes
from ptz_sim.dataset import coco, pieces
from ptz_sim.dataset.identities import photograph
from ptz_sim.dataset.labels import Label, labels
from ptz_sim.dataset.scenes import draw_scenes, keywords
from ptz_sim.dataset.spec import SceneSpec
from ptz_sim.dataset.studio import Studio
from ptz_sim.dataset.tracking import film
from ptz_sim.layout import Viewpoint
from ptz_sim.skeleton import body
from ptz_sim.truth import truth
from ptz_sim.vehicles import Body, Vehicle
from ptz_sim.walkers import Walker
from ptz_sim.world import World, WorldState
from ptz_site import PtzPosition, UserError
from ptz_site.geometry import CameraPose, projection
from ptz_site.schema import SimulationSettings

SIZE = (640, 360)
SHARES = (0.8, 0.1, 0.1)


# ---- scenes


def test_the_same_seed_gives_the_same_scenes_and_another_one_others() -> None:
    assert draw_scenes(6, 1, SIZE, SHARES) == draw_scenes(6, 1, SIZE, SHARES)
    assert draw_scenes(6, 1, SIZE, SHARES)[0] != draw_scenes(6, 2, SIZE, SHARES)[0]
    assert len({scene.settings.seed for scene in draw_scenes(40, 1, SIZE, SHARES)}) == 40


def test_splits_have_their_shares_of_the_scenes() -> None:
    splits = Counter(scene.split.value for scene in draw_scenes(60, 1, SIZE, SHARES))
    assert splits == {'train': 48, 'val': 6, 'test': 6}
    assert Counter(scene.split.value for scene in draw_scenes(3, 1, SIZE, (0, 0, 1))) == {'test': 3}


def test_all_conditions_come_about_and_keywords_are_those_of_the_world() -> None:
    scenes = draw_scenes(150, 1, SIZE, SHARES)
    words = Counter(word for scene in scenes for word in scene.keywords)
    assert set(words) == {*(word for word in words if word == 'infrared'), *keywords()}
    for scene in scenes:
        made = scene.settings
        assert scene.keywords[:4] == (made.season, made.time_of_day, made.weather, made.ground)
        assert ('empty' in scene.keywords) == (made.walkers == 0)
        assert made.season == 'winter' or made.weather != 'snow'


def test_conditions_are_taken_by_turns_and_change_nothing_else() -> None:
    mixed = draw_scenes(8, 1, SIZE, SHARES, ['summer,day,clear', 'winter,dusk,clear'])
    assert [scene.keywords[:3] for scene in mixed] == [('summer', 'day', 'clear'), ('winter', 'dusk', 'clear')] * 4
    night = draw_scenes(8, 1, SIZE, SHARES, ['winter,night,fog'])
    for one, other in zip(mixed, night, strict=True):
        assert one.polygons == other.polygons and one.split == other.split and one.keywords[3:] == other.keywords[3:6]
        chosen = {'season': 'winter', 'time_of_day': 'night', 'weather': 'fog'}
        assert one.settings.model_copy(update=chosen) == other.settings
        for here, there in zip(one.cameras, other.cameras, strict=True):
            assert dataclasses.replace(there, sensor=dataclasses.replace(there.sensor, grey=False)) == here


@pytest.mark.parametrize(
    ('shares', 'conditions', 'said'),
    [
        (SHARES, ['sunny'], "'sunny' is no keyword; there are summer"),
        (SHARES, ['summer,winter'], 'two of a kind'),
        ((0.8, 0.1, 0.2), [], 'add up to 1'),
        ((1.2, -0.1, -0.1), [], 'add up to 1'),
        ((math.nan, 0.5, 0.5), [], 'add up to 1'),
    ],
)
def test_what_makes_no_sense_is_told(shares: tuple[float, float, float], conditions: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        draw_scenes(2, 1, SIZE, shares, conditions)


# ---- labels


@pytest.fixture(scope='module')
def empty() -> World:
    settings = SimulationSettings(seed=3, walkers=8, vehicles=0, extent=60, buildings=0)
    return World(settings, {'yard': [(-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0)]}, [Viewpoint(0, -25, 3, ('yard',))])


VIEW = projection(CameraPose(0, -25, 3, math.pi / 2), PtzPosition(0, -0.06, 2), SIZE, 1.1)


def standing(world: World, number: int, x: float, y: float) -> Walker:
    some = world.state(100.0).walkers[0]
    return dataclasses.replace(some, id=number, x=x, y=y, heading=0.0, facing=0.0, speed=0.0)


def seen(world: World, *walkers: Walker, vehicles: tuple[Vehicle, ...] = ()) -> dict[int, Label]:
    state = WorldState(100.0, walkers, vehicles, world.light(100.0))
    return {label.id: label for label in labels(world, state, VIEW, SIZE) if label.person}


def test_boxes_and_facing_are_those_of_the_ground_truth(empty: World) -> None:
    told = {person.walker: person for person in truth(empty, VIEW, SIZE, 100.0)}
    found = {label.id: label for label in labels(empty, empty.state(100.0), VIEW, SIZE)}
    assert len(found) > 3
    for number, label in found.items():
        x, y, width, height = told[number].box
        left, top, right, bottom = label.box
        # In boxes of pictures 0 is the edge of the first pixel, in the geometry it is its middle.
        assert (left, top) == pytest.approx((x - width / 2 + 0.5, y - height / 2 + 0.5))
        assert (right - left, bottom - top) == pytest.approx((width, height))
        assert abs(label.facing) == pytest.approx(told[number].facing)


@pytest.mark.parametrize(('looks', 'facing'), [(-90, 0), (-60, 30), (-120, -30), (0, 90), (180, -90), (89, 179), (91, -179)])
def test_facing_has_the_sign_of_the_side_to_which_somebody_looks(empty: World, looks: float, facing: float) -> None:
    """The camera is south of the person and looks north: east (0 degrees) is right in its picture."""
    person = dataclasses.replace(standing(empty, 0, 0.0, 0.0), heading=math.radians(40), facing=math.radians(looks))
    assert seen(empty, person)[0].facing == pytest.approx(math.radians(facing))


def test_who_stands_alone_is_wholly_seen(empty: World) -> None:
    label = seen(empty, standing(empty, 0, 0.0, 0.0))[0]
    assert label.visibility == 1.0
    assert label.contrast == 1.0
    assert label.distance == pytest.approx(25, abs=0.2)


def test_who_stands_behind_somebody_is_hidden_by_what_that_one_covers(empty: World) -> None:
    near, behind = standing(empty, 0, 0.0, -4.0), standing(empty, 1, 0.15, 0.0)
    found = seen(empty, near, behind)
    assert found[0].visibility == 1.0
    assert 0.05 < found[1].visibility < 0.7
    # By counting: what is left of the silhouette when the nearer one is cut out of it.
    masks = []
    for walker in (near, behind):
        figure = figures.project(body(walker), VIEW)
        assert figure is not None
        mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        silhouettes.fill_figure(mask, figure, 1)
        masks.append(mask.astype(bool))
    assert found[1].pixels == (masks[1] & ~masks[0]).sum()
    assert found[1].visibility == pytest.approx((masks[1] & ~masks[0]).sum() / masks[1].sum())


def test_a_vehicle_hides_who_is_behind_it_and_not_who_is_before_it(empty: World) -> None:
    van = Vehicle(0, 0.0, -2.0, 0.0, 0.0, 0.0, Body.VAN, (90, 90, 90))
    found = seen(empty, standing(empty, 0, 0.0, -5.0), standing(empty, 1, 1.5, 1.0), vehicles=(van,))
    assert found[0].visibility == 1.0
    assert 1 not in found or found[1].visibility < 0.5


def test_who_is_cut_off_by_the_edge_is_seen_in_part(empty: World) -> None:
    # The picture's right edge is here, so far away.
    edge = 25 * SIZE[0] / 2 / float(VIEW.k[0, 0])
    label = seen(empty, standing(empty, 0, edge, 0.0))[0]
    assert 0.3 < label.visibility < 0.7
    entry = coco.annotation(label, SIZE)
    assert entry is not None and entry.iscrowd == 0
    assert entry.bbox[0] + entry.bbox[2] == SIZE[0] < entry.full_bbox[0] + entry.full_bbox[2]


@pytest.mark.parametrize(
    ('changed', 'ignored'),
    [({}, 0), ({'visibility': 0.19}, 1), ({'contrast': 0.05}, 1), ({'box': (10.0, 10.0, 14.0, 17.5)}, 1), ({'person': False}, 0)],
)
def test_what_can_hardly_be_seen_is_to_be_ignored(changed: dict[str, object], ignored: int) -> None:
    label = Label(True, 3, (10.0, 10.0, 30.0, 60.0), 1.0, 500, 1.0, 20.0, 0.5)
    entry = coco.annotation(dataclasses.replace(label, **changed), SIZE)  # type: ignore[arg-type]
    assert entry is not None and entry.iscrowd == ignored


def test_what_is_outside_has_no_box() -> None:
    assert coco.annotation(Label(True, 3, (-20.0, 10.0, 0.5, 60.0), 1.0, 5, 1.0, 20.0, 0.5), SIZE) is None


# ---- sequences and identities


@pytest.fixture(scope='module')
def scene() -> SceneSpec:
    return draw_scenes(1, 4, SIZE, (1, 0, 0), ['summer,day,clear,busy,middle'])[0]


@pytest.fixture(scope='module')
def studio(scene: SceneSpec) -> Studio:
    return Studio(scene)


def test_sequences_are_in_the_format_of_motchallenge(scene: SceneSpec, studio: Studio, tmp_path: Path) -> None:
    sequences = film(scene, studio, 5, tmp_path)
    assert [(one.camera, one.frames) for one in sequences] == [('c0', 3), ('c1', 2)]
    folder = tmp_path / f'{scene.name}-c0'
    info = configparser.ConfigParser()
    info.read(folder / 'seqinfo.ini')
    said = info['Sequence']
    assert (said['seqLength'], said['imWidth'], said['imHeight'], said['scene']) == ('3', '640', '360', scene.name)
    assert said['keywords'].split(',') == list(scene.keywords)
    assert sorted(path.name for path in (folder / 'img1').iterdir()) == ['000001.jpg', '000002.jpg', '000003.jpg']
    rows = np.loadtxt(folder / 'gt' / 'gt.txt', delimiter=',', ndmin=2)
    assert set(rows[:, 0]) == {1, 2, 3} and set(rows[:, 6]) <= {0, 1} and set(rows[:, 7]) <= {1, 3}
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    # People are where they were a fifth of a second ago, or nearly.
    places = {(row[0], row[1]): row[2:4] for row in rows if row[7] == 1}
    moved = [
        np.abs(places[2, number] - place).max()
        for (frame, number), place in places.items()
        if frame == 1 and (2, number) in places
    ]
    assert moved and max(moved) < 60


def test_identities_are_whole_people_from_several_cameras(scene: SceneSpec, studio: Studio, tmp_path: Path) -> None:
    crops = photograph(scene, studio, 18, tmp_path)
    assert 6 < len(crops) <= 18
    for identity in {crop.identity for crop in crops}:
        own = [crop for crop in crops if crop.identity == identity]
        assert len({crop.camera for crop in own}) >= 2
        assert len({crop.seconds for crop in own}) > 1
    for crop in crops:
        assert crop.height >= 64 and crop.visibility >= 0.9 and crop.scene == scene.name and abs(crop.facing) <= math.pi
        picture = cv2.imread(str(tmp_path / crop.file))
        assert crop.height * 0.95 <= picture.shape[0] < crop.height * 1.2 and picture.shape[1] < picture.shape[0] * 1.2


# ---- the folder


def options(**changed: object) -> pieces.Options:
    return dataclasses.replace(pieces.Options(2, 2, ('detection',), 1, SIZE, (0.5, 0.0, 0.5)), **changed)  # type: ignore[arg-type]


def test_a_folder_is_never_mixed_up(tmp_path: Path) -> None:
    folder = tmp_path / 'data'
    pieces.open_folder(folder, options(), False)
    # Begun, and gone on with by the same options only.
    pieces.open_folder(folder, options(), False)
    with pytest.raises(UserError, match='unfinished data set made with other options'):
        pieces.open_folder(folder, options(seed=2), False)
    (folder / 'detection').mkdir()
    pieces.open_folder(folder, options(seed=2), True)
    assert not (folder / 'detection').exists()
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match='is a file'):
        pieces.open_folder(tmp_path / 'file', options(), True)
    foreign = tmp_path / 'foreign'
    foreign.mkdir()
    (foreign / 'thesis.tex').touch()
    for overwrite, said in ((False, 'is not empty'), (True, 'something else than a data set')):
        with pytest.raises(UserError, match=said):
            pieces.open_folder(foreign, options(), overwrite)
    assert (foreign / 'thesis.tex').exists()
