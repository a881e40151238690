# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that were made before: what a camera of a site sees of each scene, so that drawing them costs nothing while it is measured."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import cv2

from ptz_driver.backends.base import CapturedFrame
from ptz_driver.backends.simulated import SimulatedBackend
from ptz_node.images import encode_jpeg
from ptz_sim.camera import SimulatedPtz
from ptz_site import Site

S = 1_000_000_000


@dataclass(frozen=True)
class PreparedPictures:
    """JPEGs of one camera by scene, some seconds of each at the camera's rate, shown forwards and backwards in turn."""

    period_ns: int
    by_scene: dict[str, tuple[bytes, ...]]

    def at(self, scene: str, stamp_ns: int) -> bytes:
        """What is shown of a scene at an instant; of one that is not there, that of any."""
        pictures = self.by_scene.get(scene) or next(iter(self.by_scene.values()))
        place = stamp_ns // self.period_ns % (2 * len(pictures) - 2 or 1)
        return pictures[min(place, 2 * len(pictures) - 2 - place)]


def prepare(site: Site, camera: str, seconds: float, path: Path) -> PreparedPictures:
    """Draws them, unless the file has them already."""
    if path.exists():
        return load(path)
    cv2.setNumThreads(1)
    entry = site.cameras[camera]
    period = round(S / entry.rate)
    by_scene = {}
    for scene in site.reach(camera):
        drawn, position = SimulatedPtz(site, camera, 0), site.preset(camera, scene)
        assert position is not None
        begin = 20 * S
        drawn.go_to(position, 0, entry.slew)
        frames = range(max(2, round(seconds * entry.rate)))
        by_scene[scene] = tuple(encode_jpeg(drawn.capture(begin + k * period), entry.jpeg_quality) for k in frames)
    found = PreparedPictures(period, by_scene)
    path.write_bytes(pickle.dumps(found))
    return found


def load(path: Path) -> PreparedPictures:
    """From a file that prepare() wrote, which nobody else should have touched."""
    found = pickle.loads(path.read_bytes())
    assert isinstance(found, PreparedPictures)
    return found


class PreparedBackend(SimulatedBackend):
    """A simulated camera that shows prepared pictures: it turns, and is on time, as the simulated one is."""

    pictures: PreparedPictures
    _scene = ''

    def go_to(self, scene: str, at_ns: int, speed: float = 0.0) -> None:
        """Begins a turn; the pictures are those of its goal at once."""
        super().go_to(scene, at_ns, speed)
        self._scene = scene

    def read(self) -> CapturedFrame | None:
        """The next frame."""
        stamp = self._grid.next_ns(self._clock.now_ns())
        if not self._clock.sleep_until(stamp):
            return None
        data = self.pictures.at(self._scene, stamp)
        width, height = self._settings.resolution
        return CapturedFrame(stamp, data, 'jpeg', True, width, height, self._opened().position(stamp), self.exposure.at(stamp))
