# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's region with somebody to look for, and what the simulator knows of them: for the tests and the benchmark of targets."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import yaml
from ament_index_python.packages import get_package_share_directory
from conftest import start_command
from faults import node_pid
from recordings import read_bag

from ptz_perception.recognition.recogniser import crop_of
from ptz_sim.renderer import Renderer
from ptz_sim.truth import WalkerTruth, truth
from ptz_sim.world import World
from ptz_site import Site, wrap_angle

S = 1_000_000_000


@dataclass(frozen=True)
class Run:
    """A run that is over: where its files are, and the world that it was filmed in. epoch_ns: when that began."""

    folder: Path
    site: Site
    world: World
    epoch_ns: int

    def plans(self) -> list:  # type: ignore[type-arg]
        """All revisions."""
        return [message for _, message in read_bag(self.folder / 'region', '/plan')]

    def walker(self, number: int, camera: str, scene: str, at_ns: int) -> WalkerTruth | None:
        """A walker as a camera on a scene could see it."""
        entry, position = self.site.cameras[camera], self.site.preset(camera, scene)
        assert position is not None
        view = entry.projection(position)
        assert view is not None
        seen = truth(self.world, view, entry.resolution, (at_ns - self.epoch_ns) / S)
        return next((one for one in seen if one.walker == number), None)

    def turned(self, number: int, camera: str, at_ns: int) -> float:
        """Rad between where a walker goes and the direction to a camera."""
        (walker,) = [one for one in self.world.state((at_ns - self.epoch_ns) / S).walkers if one.id == number]
        pose = self.site.cameras[camera].mounting
        assert pose is not None
        return abs(wrap_angle(math.atan2(pose.y - walker.y, pose.x - walker.x) - walker.heading))


def write_site(folder: Path) -> Path:
    """The demo's site with a watchlist of its own."""
    text = Path(get_package_share_directory('collab_bringup'), 'config', 'demo.yaml').read_text()
    content = yaml.safe_load(text)
    content['perception']['watchlist'] = 'watchlist.json'
    content['stitcher']['video'] = False
    path = folder / 'demo.yaml'
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def write_picture(site: Site, number: int, scene: str, path: Path) -> None:
    """A picture of a walker alone on a scene, seen from the front at some other time."""
    world = World.of_site(site)
    seen = []
    for camera, entry in site.cameras.items():
        position = site.preset(camera, scene)
        assert position is not None
        view = entry.projection(position)
        assert view is not None
        for seconds in range(2, 60, 3):
            shown = truth(world, view, entry.resolution, float(seconds))
            seen += [
                (one.facing, camera, seconds, one.box)
                for one in shown
                if one.walker == number and one.completeness > 0.99 and one.occluded < 0.05
            ]
    _, camera, seconds, (x, y, _, height) = min(seen)
    position = site.preset(camera, scene)
    assert position is not None
    view = site.cameras[camera].projection(position)
    assert view is not None
    picture = Renderer(world, site.cameras[camera].resolution).render(float(seconds), view)
    cv2.imwrite(str(path), crop_of(picture, (x, y, 0.42 * height, height)))


def simulation_epoch_ns() -> int:
    """When the world of the drivers that run began."""
    pid = node_pid('driver_north', os.environ['ROS_DOMAIN_ID'])
    words = Path(f'/proc/{pid}/cmdline').read_text().split('\0')
    return next(int(word.split(':=')[1]) for word in words if word.startswith('simulation_epoch:='))


def say(folder: Path, *words: object) -> str:
    """Runs ptz-collab, which must do it; what it prints."""
    code, output = start_command(*words, cwd=folder).finish()
    assert code == 0, output
    return output
