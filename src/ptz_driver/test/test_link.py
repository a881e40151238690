# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that talks to a camera, with cameras that do not answer, or whose clock is set: nobody waits for it, and it is not locked out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from network_camera import PATIENCE

from ptz_driver.health import Fault
from ptz_driver.onvif.client import MediaProfile, MoveStatus, NotAuthorizedError, PtzPreset, RefusedError, Services
from ptz_driver.onvif.link import CameraLink, LinkOptions, LinkState
from ptz_driver.onvif.session import Goal
from ptz_driver.onvif.spaces import Ranges
from ptz_site import NANOSECONDS, Credentials

OPTIONS = LinkOptions('', Ranges((math.pi, -math.pi), (-1.0, 1.0), (1.0, 20.0)), status=True, tolerance=0.01, manual_pause=60.0)


class Camera:
    """Answers at once what the link asks. clock: s that it is ahead; silent: presets are not turned to before it is set.

    on_connect: what happens when somebody connects.
    """

    def __init__(self, on_connect: Callable[[Camera], None] = lambda _: None) -> None:
        self.clock, self.believed, self.connections = 0.0, 0.0, 0
        self._on_connect = on_connect
        self.silent, self.asked, self.keyframe = threading.Event(), threading.Event(), threading.Event()
        self.silent.set()

    def clock_seconds(self) -> int:
        return int(time.time() + self.clock)

    def set_clock_offset(self, seconds: float) -> None:
        self.believed = seconds

    def connect(self) -> Services:
        self.connections += 1
        self._on_connect(self)
        self._authorize()
        return Services('media', 'ptz', '')

    def profiles(self) -> tuple[MediaProfile, ...]:
        return (MediaProfile('main', 'main', 'source', 'node', 'H264', (160, 90), 10.0),)

    def presets(self, _profile: str) -> tuple[PtzPreset, ...]:
        return (PtzPreset('1', 'gate', None),)

    def go_to_preset(self, _profile: str, _token: str, _speed: float) -> None:
        self.asked.set()
        assert self.silent.wait(PATIENCE)

    def status(self, _profile: str) -> MoveStatus:
        return MoveStatus(None, False)

    def synchronize(self, _profile: str) -> None:
        self._authorize()
        self.keyframe.set()

    def _authorize(self) -> None:
        if abs(self.believed - self.clock) > 5:
            raise NotAuthorizedError('a token that is not fresh')

    def __getattr__(self, name: str) -> Any:
        """What it can't do."""

        def refuse(*_arguments: object) -> None:
            raise RefusedError(name)

        return refuse


@contextmanager
def linked(camera: Camera, **options: Any) -> Iterator[CameraLink]:
    fixed = LinkOptions(**{**vars(OPTIONS), **options})
    link = CameraLink(fixed, lambda _: camera, Credentials, lambda _client, _profile: 'rtsp://camera/stream', time.time_ns)  # type: ignore[arg-type,return-value]
    link.start()
    try:
        until(link, lambda state: state.learnt is not None or state.fault is not Fault.NONE)
        yield link
    finally:
        camera.silent.set()
        link.end()


def until(link: CameraLink, condition: Callable[[LinkState], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition(link.state()):
        assert time.monotonic() < deadline, link.state()
        time.sleep(0.01)


def test_nobody_waits_for_a_camera_that_does_not_answer() -> None:
    camera, done = Camera(), threading.Event()

    def ask(link: CameraLink) -> None:
        link.state()
        link.watch()
        link.want_keyframe()
        link.turn(Goal('gate'), 0.0, 2)
        done.set()

    with linked(camera) as link:
        camera.silent.clear()
        link.turn(Goal('gate'), 0.0, 1)
        assert camera.asked.wait(PATIENCE)
        threading.Thread(target=ask, args=(link,), daemon=True).start()
        assert done.wait(PATIENCE), 'while it is being asked'
        assert not camera.silent.is_set()


def test_a_keyframe_that_is_the_first_to_be_asked_for_after_the_clock_was_set_locks_nobody_out() -> None:
    camera = Camera()
    with linked(camera, status=False) as link:
        camera.clock = 3600.0
        link.want_keyframe()
        assert camera.keyframe.wait(PATIENCE)
        until(link, lambda state: state.offset is not None and state.offset.low_ns > 3500 * NANOSECONDS)
        assert link.state().fault is Fault.NONE and link.state().connections == 1


def test_a_clock_that_is_set_while_it_is_connected_locks_nobody_out() -> None:
    camera = Camera(lambda one: setattr(one, 'clock', 3600.0))
    with linked(camera) as link:
        assert link.state().fault is Fault.NONE and camera.connections == 2


def test_a_wrong_password_is_tried_once() -> None:
    def refuse(_camera: Camera) -> None:
        raise NotAuthorizedError('nobody knows it')

    camera, begin = Camera(refuse), time.monotonic()
    with linked(camera) as link:
        assert link.state().fault is Fault.REFUSED
        # As after a clock that was set: it took longer than a digest is good for.
        assert camera.connections == 1 or time.monotonic() - begin > 2
