# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the simulated world: the same for everybody, believable, and true to its own pictures."""

from __future__ import annotations

import math
import subprocess
import sys
import zlib

import numpy as np
import pytest

from ptz_sim.camera import SimulatedPtz
from ptz_sim.renderer import Renderer
from ptz_sim.truth import truth
from ptz_sim.world import World
from ptz_site import PtzPosition, Site

S = 1_000_000_000
SCENES = {
    'gate': {'polygon': [(-18, 6), (-8, 6), (-8, 16), (-18, 16)]},
    'road': {'polygon': [(6, 6), (18, 6), (18, 15), (6, 15)]},
    'yard': {'polygon': [(-7, -16), (7, -16), (7, -6), (-7, -6)]},
}
POSES = {'north': (0, 28, -90), 'southwest': (-26, -18, 45)}
SIZE = (640, 360)


def make_site(walkers: int = 8) -> Site:
    cameras = {
        name: {
            'backend': 'simulated',
            'pose': {'x': x, 'y': y, 'z': 7, 'yaw': yaw},
            'zoom': [1, 20],
            'resolution': SIZE,
            'presets': dict.fromkeys(SCENES, 'auto'),
        }
        for name, (x, y, yaw) in POSES.items()
    }
    return Site.model_validate(
        {'region': {'name': 'r', 'dwell': 5}, 'scenes': SCENES, 'cameras': cameras, 'simulation': {'seed': 7, 'walkers': walkers}}
    )


@pytest.fixture(scope='module')
def site() -> Site:
    return make_site()


@pytest.fixture(scope='module')
def world(site: Site) -> World:
    return World.of_site(site)


@pytest.fixture(scope='module')
def camera(site: Site) -> SimulatedPtz:
    return SimulatedPtz(site, 'north', 0)


def look(site: Site, camera: SimulatedPtz, scene: str, seconds: float) -> np.ndarray:
    position = site.preset('north', scene)
    assert position is not None
    camera.go_to(position, round((seconds - 30) * S))
    return camera.capture(round(seconds * S))


def test_every_process_renders_the_same_pixels(site: Site, camera: SimulatedPtz) -> None:
    code = (
        'import sys, zlib; sys.path.insert(0, sys.argv[1])\n'
        'from test_world import make_site, look; from ptz_sim.camera import SimulatedPtz\n'
        'site = make_site(); print(zlib.crc32(look(site, SimulatedPtz(site, "north", 0), "gate", 77.3).tobytes()))'
    )
    from pathlib import Path

    done = subprocess.run([sys.executable, '-c', code, str(Path(__file__).parent)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == zlib.crc32(look(site, camera, 'gate', 77.3).tobytes())


@pytest.mark.parametrize('scene', SCENES)
def test_pictures_can_be_made_at_any_time(site: Site, camera: SimulatedPtz, scene: str) -> None:
    for seconds in (31, 100, 1234.5, 7200, 40_000):
        picture = look(site, camera, scene, seconds)
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert 30 < picture.mean() < 225
        assert picture.std() > 15


def test_what_differs_from_an_empty_world_lies_where_the_truth_says(site: Site, world: World) -> None:
    with_people, without_people = Renderer(world, SIZE), Renderer(World.of_site(make_site(walkers=0)), SIZE)
    looked_at = 0
    for seconds in range(40, 200, 40):
        for scene in SCENES:
            position = site.preset('north', scene)
            view = site.cameras['north'].projection(position) if position else None
            assert view is not None
            pictures = [renderer.render(seconds, view).astype(int) for renderer in (with_people, without_people)]
            different = np.abs(pictures[0] - pictures[1]).max(axis=2) > 25
            for person in truth(world, view, SIZE, seconds):
                if person.completeness < 0.9 or person.occluded > 0.1 or person.box[3] < 30:
                    continue
                x, y, width, height = person.box
                inside = different[int(y - height / 2) : int(y + height / 2), int(x - width / 2) : int(x + width / 2)]
                assert inside.mean() > 0.2, (scene, seconds, person)
                looked_at += 1
    assert looked_at > 10


def test_a_camera_that_looks_on_or_comes_back_sees_what_a_new_one_would(site: Site, world: World) -> None:
    camera = site.cameras['north']
    first, second = (camera.projection(PtzPosition(math.radians(pan), math.radians(-20), 1.0)) for pan in (-10, 25))
    assert first is not None and second is not None
    renderer = Renderer(world, SIZE)
    for seconds, view in ((30.0, first), (31.0, first), (32.0, second), (33.0, first)):
        fresh = Renderer(world, SIZE, ground=renderer.ground)
        assert (renderer.render(seconds, view) == fresh.render(seconds, view)).all()


def test_people_walk_at_a_human_pace_and_never_through_walls(world: World) -> None:
    solid = world.layout.solid()
    for seconds in np.arange(10, 400, 0.5):
        walkers = world.state(float(seconds)).walkers
        places = np.array([[w.x, w.y] for w in walkers]).reshape(-1, 2)
        assert not solid.contain(places).any()
        later = {w.id: w for w in world.state(float(seconds) + 0.1).walkers}
        for walker in walkers:
            if walker.id in later:
                assert math.hypot(later[walker.id].x - walker.x, later[walker.id].y - walker.y) < 0.25


def test_paths_are_what_the_states_say_one_by_one(world: World) -> None:
    seconds = np.arange(0.0, 700.0, 6.5)
    paths = world.paths(seconds)
    for k, state in enumerate(world.state(float(second)) for second in seconds):
        assert paths.present[k].nonzero()[0].tolist() == [walker.id for walker in state.walkers]
        for one in state.walkers:
            found = [float(values[k, one.id]) for values in (paths.x, paths.y, paths.heading, paths.facing, paths.speed)]
            assert found == pytest.approx([one.x, one.y, one.heading, one.facing, one.speed], abs=1e-6)


def test_people_spend_their_time_in_all_scenes_and_stop_there(world: World) -> None:
    from ptz_sim.shapes import in_polygon

    visits = dict.fromkeys(SCENES, 0)
    standing = total = 0
    for seconds in range(0, 1200, 4):
        for walker in world.state(float(seconds)).walkers:
            total += 1
            standing += walker.speed < 0.1
            for name, polygon in world.scenes.items():
                visits[name] += bool(in_polygon(np.array([[walker.x, walker.y]]), polygon)[0])
    assert all(count > 0.05 * total for count in visits.values()), visits
    assert 0.05 < standing / total < 0.9


def test_front_and_back_of_a_person_look_different(site: Site, world: World) -> None:
    position = site.preset('north', 'gate')
    view = site.cameras['north'].projection(position) if position else None
    assert view is not None
    facings = {round(math.degrees(t.facing) / 60) for s in range(0, 300, 7) for t in truth(world, view, SIZE, s)}
    assert facings == {0, 1, 2, 3}
    from ptz_sim import figures
    from ptz_sim.skeleton import body

    walker = world.state(60.0).walkers[0]
    shown = []
    for turned in (0.0, math.pi):
        from dataclasses import replace

        towards = math.atan2(28 - 11, 0 + 13) + turned
        posed = replace(walker, x=-13.0, y=11.0, heading=towards, facing=towards, speed=0.0, gait=0.0)
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        figure = figures.project(body(posed), view)
        assert figure is not None
        figures.draw(picture, figure, 1.0)
        shown.append(picture.astype(int))
    body_pixels = (shown[0].sum(axis=2) > 0) & (shown[1].sum(axis=2) > 0)
    assert np.abs(shown[0] - shown[1]).max(axis=2)[body_pixels].mean() > 8


def test_turning_blurs_and_rest_is_sharp(site: Site) -> None:
    import cv2

    camera = SimulatedPtz(site, 'north', 0)
    gate, road = site.preset('north', 'gate'), site.preset('north', 'road')
    assert gate is not None and road is not None
    camera.go_to(gate, 0)
    rest = camera.capture(20 * S)
    camera.go_to(road, 20 * S)
    assert camera.is_moving(round(20.5 * S))
    turning = camera.capture(round(20.5 * S))
    sharpness = [cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var() for p in (rest, turning)]
    assert sharpness[1] < 0.6 * sharpness[0]
    assert camera.position(40 * S) == road
