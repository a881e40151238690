# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A region over DDS in which processes are killed and stopped: used by the tests of faults and by the benchmark of recovery."""

from __future__ import annotations

import bisect
import itertools
import math
import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from action_msgs.msg import GoalStatus
from conftest import PATIENCE
from rclpy.action import ActionClient
from recordings import headers, read_bag

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.action import Handoff, HoldScene
from ptz_collab_msgs.msg import HoldKeepAlive, PresetFrame, RegionState, RotationPlan
from ptz_node import names
from ptz_node.convert import time_to_ns
from ptz_node.qos import EVENTS, FRAMES_RECORD, LATCHED, LATCHED_RECORD
from ptz_site import load_site

S = 1_000_000_000
FAULT_SITE = """
region: {name: yard, dwell: 4.0, start_timeout: 100.0, silence_timeout: 1.5, hold: {holder_timeout: 60.0}}
scenes:
  gate: {polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}
  road: {polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}
  substation: {polygon: [[-7, -16], [7, -16], [7, -6], [-7, -6]]}
cameras:
  north: &camera
    backend: simulated
    pose: {x: 0, y: 28, z: 7, yaw: -90}
    zoom: [1, 20]
    slew_rate: 120
    slew_acceleration: 400
    zoom_rate: 4
    resolution: [160, 90]
    rate: 10
    presets: {gate: auto, road: auto, substation: auto}
  southwest:
    <<: *camera
    pose: {x: -26, y: -18, z: 7, yaw: 45}
  southeast:
    <<: *camera
    pose: {x: 26, y: -18, z: 7, yaw: 135}
perception: {enabled: false}
stitcher: {video: false}
simulation: {seed: 3, walkers: 2, vehicles: 0}
"""


def write_site(folder: Path, *, doubled: bool = False, silence: float = 1.5) -> Path:
    """Three cameras on three scenes; doubled: on two scenes, so that one camera can be spared. silence (s): until a camera is lost."""
    text = FAULT_SITE.replace('silence_timeout: 1.5', f'silence_timeout: {silence}')
    if doubled:
        lines = [line for line in text.splitlines() if not line.startswith('  substation:')]
        text = '\n'.join(line.replace(', substation: auto', '') for line in lines) + '\n'
    path = folder / 'yard.yaml'
    path.write_text(text)
    load_site(path)
    return path


def node_pid(name: str, domain: str) -> int | None:
    """The process of a node of the graph in a ROS domain; None if it does not run."""
    for folder in Path('/proc').iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / 'cmdline').read_bytes().split(b'\0')
            variables = (folder / 'environ').read_bytes().split(b'\0')
        except OSError:
            continue
        if f'__node:={name}'.encode() in command and f'ROS_DOMAIN_ID={domain}'.encode() in variables:
            return int(folder.name)
    return None


def send(name: str, number: signal.Signals) -> None:
    """Sends a signal to a node of this test's region."""
    pid = node_pid(name, os.environ['ROS_DOMAIN_ID'])
    assert pid is not None, f'{name} does not run'
    os.kill(pid, number)


class Holder:
    """Does what a perception node does that sees a target: holds, keeps the hold alive, hands off, lets go."""

    def __init__(self, console: RegionConsole, wait: Callable[[Callable[[], bool], float, str], None]) -> None:
        self._console, self._wait = console, wait
        node = console.node
        self._hold = ActionClient(node, HoldScene, f'/{console.region}/{names.HOLD_SCENE}')
        self._handoff = ActionClient(node, Handoff, f'/{console.region}/{names.HANDOFF}')
        console.wait_until_known(RegionState, names.REGION_STATE, 'its coordinator does not tell how it does')
        self._alive = node.create_publisher(HoldKeepAlive, f'/{console.region}/{names.HOLD_KEEP_ALIVE}', EVENTS)
        self.hold_id = ''
        self.acknowledged: list[str] = []
        self.result: HoldScene.Result | None = None
        self.status = GoalStatus.STATUS_UNKNOWN
        self.handed: Handoff.Result | None = None
        self._released = ''
        node.create_timer(0.5, self._say)

    def hold(self, camera: str, scene: str) -> None:
        """Holds, and returns when the hold has a name and every camera has acknowledged."""
        self._wait(self._hold.server_is_ready, PATIENCE, 'the coordinator serves holds')
        goal = HoldScene.Goal(camera=camera, scene=scene, target='somebody', mark_colour='#ff0000', mark_shape='triangle')
        future = self._console.send_goal(self._hold, goal, self._on_feedback)
        self._wait(future.done, PATIENCE, 'the hold is accepted')
        self._handle = future.result()
        self._console.result_of(self._handle).add_done_callback(self._on_result)
        self._wait(lambda: self.hold_id != '' or self.result is not None, PATIENCE, 'the hold has a name')

    def hold_on(self, scene: str, camera: str = '') -> str:
        """Holds a scene with whoever is on it, or with one camera when it is there; again if it had just turned away. The camera."""

        def watching() -> str:
            found = on_scene(self._console, scene)
            return found if camera in ('', found) else ''

        while True:
            self._wait(lambda: watching() != '', PATIENCE, f'{camera or "somebody"} is on {scene}')
            holder = watching()
            if not holder:
                continue
            self.hold(holder, scene)
            if self.result is None:
                return holder
            assert self.result.error_code == HoldScene.Result.NOT_ON_SCENE, self.result
            self.result = None

    def hand_off(self, towards: tuple[float, float]) -> None:
        """Asks for a handoff: the target, in the middle, walks towards a point."""
        self._wait(self._handoff.server_is_ready, PATIENCE, 'the coordinator serves handoffs')
        heading = math.atan2(towards[1], towards[0])
        goal = Handoff.Goal(hold_id=self.hold_id, heading=heading, feature=[0.6, 0.8])
        future = self._console.send_goal(self._handoff, goal)
        self._wait(future.done, PATIENCE, 'the handoff is accepted')
        result = self._console.result_of(future.result())
        result.add_done_callback(lambda done: setattr(self, 'handed', done.result().result))

    def cancel(self) -> None:
        """The target has left the view."""
        self._handle.cancel_goal_async()

    def let_go(self) -> None:
        """The same, said on the topic: the coordinator that took the goal may be gone. Again and again: another may just come."""
        self._released = self.hold_id
        self._say()

    def _say(self) -> None:
        if self._released:
            self._alive.publish(HoldKeepAlive(hold_id=self._released, released=True))
        elif self.hold_id:
            self._alive.publish(HoldKeepAlive(hold_id=self.hold_id))

    def _on_feedback(self, message: HoldScene.Impl.FeedbackMessage) -> None:
        self.hold_id = message.feedback.hold_id
        self.acknowledged = list(message.feedback.acknowledged)

    def _on_result(self, future: object) -> None:
        answer = future.result()  # type: ignore[attr-defined]
        self.status, self.result = answer.status, answer.result


def on_scene(console: RegionConsole, scene: str) -> str:
    """The camera that shows a scene now; empty: none, as between two reports of a switch."""
    return next((one.camera for one in console.state.cameras if one.scene == scene), '')


def switches(console: RegionConsole) -> dict[str, str]:
    """What each camera shows."""
    return {one.camera: one.scene for one in console.state.cameras}


def out(console: RegionConsole) -> set[str]:
    """The cameras that are not counted on."""
    return {one.camera for one in console.state.cameras if one.out}


class Watcher:
    """What the cameras of a region show while somebody watches: stamp, scene, switch start, by camera; the plans and states."""

    def __init__(self, console: RegionConsole, cameras: Iterable[str]) -> None:
        self.shown: dict[str, list[tuple[int, str, int]]] = {camera: [] for camera in cameras}
        self.plans: list[RotationPlan] = []
        self.states: list[RegionState] = []
        #: The newest plan that each camera says it has.
        self.followed: dict[str, RotationPlan] = {}
        node = console.node
        for camera in self.shown:
            node.create_subscription(
                RotationPlan,
                f'/{console.region}/{names.camera_plan(camera)}',
                partial(self.followed.__setitem__, camera),
                LATCHED,
            )
            node.create_subscription(
                PresetFrame, f'/{console.region}/{names.camera_frames(camera)}', self._on_frame, FRAMES_RECORD
            )
        node.create_subscription(RotationPlan, f'/{console.region}/{names.PLAN}', self.plans.append, LATCHED_RECORD)
        node.create_subscription(RegionState, f'/{console.region}/{names.REGION_STATE}', self.states.append, LATCHED_RECORD)

    def newest_ns(self) -> int:
        """The stamp up to which every camera that is there has been seen."""
        return max(frames[-1][0] if frames else 0 for frames in self.shown.values())

    def _on_frame(self, message: PresetFrame) -> None:
        preset = message.preset
        frame = (time_to_ns(message.header.stamp), preset.scene, time_to_ns(preset.switch_start))
        self.shown[preset.camera].append(frame)


def shown_in(folder: Path) -> dict[str, list[tuple[int, str, int]]]:
    """The same of a run that is over, from its bag."""
    frames: dict[str, list[tuple[int, str, int]]] = {}
    for header in headers(folder / 'region'):
        frames.setdefault(header.camera, []).append((header.stamp_ns, header.scene, header.switch_start_ns))
    return {camera: sorted(found) for camera, found in frames.items()}


def longest_without(shown: Mapping[str, Sequence[tuple[int, str, int]]], scene: str, begin_ns: int, end_ns: int) -> float:
    """The longest time (s) without a frame of any camera that shows a scene."""
    stamps = sorted(s for found in shown.values() for s, name, _ in found if name == scene and begin_ns <= s <= end_ns)
    edges = [begin_ns, *stamps, end_ns]
    return max(b - a for a, b in itertools.pairwise(edges)) / S


def most_without(
    shown: Mapping[str, Sequence[tuple[int, str, int]]], scene: str, begin_ns: int, end_ns: int, cameras: Iterable[str]
) -> int:
    """How many pictures each of some cameras took, one after the other, while none of all cameras showed a scene; the most.

    Not in seconds: nobody is to blame that a machine or a process stood still for some, and took no pictures.
    """
    stamps = {camera: sorted(stamp for stamp, _, _ in shown[camera]) for camera in cameras}
    showing = sorted(s for found in shown.values() for s, name, _ in found if name == scene and begin_ns <= s <= end_ns)

    def taken(camera: str, after_ns: int, before_ns: int) -> int:
        return bisect.bisect_left(stamps[camera], before_ns) - bisect.bisect_right(stamps[camera], after_ns)

    gaps = itertools.pairwise([begin_ns, *showing, end_ns])
    return max(min(taken(camera, a, b) for camera in stamps) for a, b in gaps)


def span(folder: Path) -> tuple[int, int]:
    """From slot 0 to the last frame."""
    plans = [message for _, message in read_bag(folder / 'region', '/plan')]
    begin = plans[0].slot_start.sec * S + plans[0].slot_start.nanosec
    return begin, max(found[-1][0] for found in shown_in(folder).values())
