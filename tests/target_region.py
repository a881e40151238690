# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's region with somebody to look for, and what the simulator knows of them: for the tests and the benchmark of targets."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import yaml
from ament_index_python.packages import get_package_share_directory
from conftest import start_command
from faults import node_pid
from receiver_process import Receiver
from recordings import headers, read_bag

from ptz_perception.recognition.recogniser import crop_of
from ptz_sim.renderer import Renderer
from ptz_sim.truth import WalkerTruth, truth
from ptz_sim.world import World
from ptz_site import Site, wrap_angle
from ptz_site.frame_package import FramePackage, Observation

S = 1_000_000_000
IN_POSITION = 2
#: px of height from which somebody is seen clearly.
CLEAR_HEIGHT = 80


@dataclass(frozen=True)
class Run:
    """A run that is over: where its files are, and the world that it was filmed in. epoch_ns: when that began."""

    folder: Path
    site: Site
    world: World
    epoch_ns: int
    #: What the receiver has of it.
    packages: tuple[FramePackage, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    def plans(self) -> list:  # type: ignore[type-arg]
        """All revisions."""
        return [message for _, message in read_bag(self.folder / 'region', '/plan')]

    def seen(self, camera: str, scene: str, at_ns: int) -> tuple[WalkerTruth, ...]:
        """Everybody as a camera on a scene could see them."""
        entry, position = self.site.cameras[camera], self.site.preset(camera, scene)
        assert position is not None
        view = entry.projection(position)
        assert view is not None
        return truth(self.world, view, entry.resolution, (at_ns - self.epoch_ns) / S)

    def walker(self, number: int, camera: str, scene: str, at_ns: int) -> WalkerTruth | None:
        """A walker as a camera on a scene could see it."""
        return next((one for one in self.seen(camera, scene, at_ns) if one.walker == number), None)

    def turned(self, number: int, camera: str, at_ns: int) -> float:
        """Rad between where a walker looks and the direction to a camera."""
        (walker,) = [one for one in self.world.state((at_ns - self.epoch_ns) / S).walkers if one.id == number]
        pose = self.site.cameras[camera].mounting
        assert pose is not None
        return abs(wrap_angle(math.atan2(pose.y - walker.y, pose.x - walker.x) - walker.facing))


def write_site(folder: Path, receiver: Receiver | None = None, selection: str = 'rules', video: bool = False) -> Path:
    """The demo's site with a watchlist of its own; best frames are sent to a receiver, if there is one."""
    text = Path(get_package_share_directory('collab_bringup'), 'config', 'demo.yaml').read_text()
    content = yaml.safe_load(text)
    # All cameras are waited for, and one that stands still for some seconds is not out.
    content['region'] |= {'start_timeout': 100.0, 'silence_timeout': 10.0}
    content['perception'] |= {'watchlist': 'watchlist.json', 'best_frames': {'selection': selection}}
    if receiver is not None:
        (folder / 'token').write_text(receiver.token)
        upload = {'url': receiver.url, 'token_file': 'token', 'folder': 'upload', 'send_period': 0.2}
        content['perception']['upload'] = upload
    content['stitcher']['video'] = video
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


def received(receiver: Receiver, pictures: bool = True) -> tuple[tuple[FramePackage, ...], dict[str, bytes]]:
    """Everything that a receiver has: packages, the newest first, and their pictures by id."""
    packages: list[FramePackage] = []
    after = ''
    while True:
        page = receiver.get(f'/v1/packages?limit=100{after}').json()
        packages += [FramePackage.model_validate(one) for one in page['packages']]
        if not page.get('next'):
            break
        after = f'&after={page["next"]}'
    wanted = packages if pictures else []
    return tuple(packages), {one.id: receiver.get(f'/v1/packages/{one.id}/picture').content for one in wanted}


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


def walkers_in_view(run: Run) -> dict[int, float]:
    """For how long (s) each walker was whole, large enough for the detector, and hardly hidden, before a camera at rest."""
    seconds: dict[int, float] = defaultdict(float)
    for header in headers(run.folder / 'region'):
        if header.phase == IN_POSITION and header.scene and header.sequence % 2 == 0:
            for one in run.seen(header.camera, header.scene, header.stamp_ns):
                if is_clear(one):
                    seconds[one.walker] += 2 / run.site.cameras[header.camera].rate
    return dict(seconds)


def looks_at_walkers(run: Run) -> dict[int, int]:
    """In how many pictures that perception looked at each walker was whole, large enough for the detector, and hardly hidden."""
    looks: dict[int, int] = defaultdict(int)
    for _, array in read_bag(run.folder / 'region', '/tracks'):
        stamp = array.header.stamp
        if array.preset.phase == IN_POSITION:
            for one in run.seen(array.preset.camera, array.preset.scene, stamp.sec * S + stamp.nanosec):
                looks[one.walker] += is_clear(one)
    return dict(looks)


def is_clear(seen: WalkerTruth | None) -> bool:
    """Whether somebody is seen well: whole, large enough, and hardly anything in front."""
    return seen is not None and seen.completeness > 0.95 and seen.occluded < 0.2 and seen.box[3] >= CLEAR_HEIGHT


def shown_walker(run: Run, package: FramePackage, one: Observation) -> int | None:
    """Whom an observation shows; None: nobody."""
    return nearest_walker((one.box.x, one.box.y), run.seen(package.camera, package.scene, package.stamp_ns))


def nearest_walker(place: Sequence[float], seen: Sequence[WalkerTruth]) -> int | None:
    """Whose box has its centre (px) nearest to a box's; None: nobody's is near enough to be the same."""
    x, y = place
    found = [
        (math.hypot(x - one.box[0], y - one.box[1]), one.walker)
        for one in seen
        if abs(x - one.box[0]) < 0.3 * one.box[3] and abs(y - one.box[1]) < 0.35 * one.box[3]
    ]
    return min(found)[1] if found else None
