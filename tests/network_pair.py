# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Two network cameras and their drivers, processes of their own, that follow a plan; one of them can be made to misbehave.

Used by the tests of faults and by the benchmark of recovery.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import rclpy
from conftest import PATIENCE, own_domain, wait_for
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from network_camera import SimCamera, free_port_pair, over_network, sim_cameras
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from collab_bringup.graph import GraphOptions, NodeSpec, Part, region_graph
from collab_bringup.processes import node_command
from ptz_collab_msgs.msg import CameraState, PresetFrame, PresetHeader, RotationPlan
from ptz_node import names
from ptz_node.convert import plan_to_msg
from ptz_node.qos import EVENTS, FRAMES_RECORD, LATCHED
from ptz_site import CameraOrder, Plan, PlanMode, load_site

S = 1_000_000_000
DWELL = 3.0
SITE = """
region: {name: yard, dwell: 3.0, arrival_timeout: 2.5}
scenes:
  gate: {polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}
  road: {polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}
cameras:
  north: &camera
    backend: simulated
    pose: {x: 0, y: 28, z: 7, yaw: -90}
    zoom: [1, 20]
    slew_rate: 90
    slew_acceleration: 400
    zoom_rate: 4
    resolution: [320, 180]
    rate: 10
    presets: {gate: auto, road: auto}
  southwest:
    <<: *camera
    pose: {x: -26, y: -18, z: 7, yaw: 45}
simulation: {seed: 3, walkers: 2, vehicles: 0}
"""


class Pair:
    """Two drivers, their cameras, and what they say."""

    def __init__(self, node: Node, specs: dict[str, NodeSpec], cameras: dict[str, SimCamera], log: Path) -> None:
        self.node, self.cameras, self._specs, self._log = node, cameras, specs, log
        self.states: dict[str, list[CameraState]] = {name: [] for name in specs}
        self.frames: dict[str, list[PresetHeader]] = {name: [] for name in specs}
        self.newest: dict[str, PresetFrame] = {}
        #: Of both drivers.
        self.diagnostics: list[DiagnosticStatus] = []
        #: What came before the newest change of faults: states of north, diagnostics.
        self._before = 0, 0
        self.processes = {name: self._start(name) for name in specs}
        for name in specs:
            node.create_subscription(CameraState, names.camera_state(name), self.states[name].append, LATCHED)
            node.create_subscription(PresetFrame, names.camera_frames(name), self._on_frame, FRAMES_RECORD)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, EVENTS)
        self._revision = 0
        self._plans = node.create_publisher(RotationPlan, names.PLAN, LATCHED)

    def rotate(self, mode: PlanMode = PlanMode.RUNNING) -> None:
        """Publishes an endless plan, or one that lets the cameras rest."""
        self._revision += 1
        orders = (CameraOrder('north', ('gate', 'road')), CameraOrder('southwest', ('road', 'gate')))
        now = time.time_ns()
        plan = Plan('yard', self._revision, now, mode, round(DWELL * S), orders, slot_start_ns=now)
        self._plans.publish(plan_to_msg(plan))
        self.wait(lambda: self.state().plan_revision == self._revision, 'the plan is followed')

    @property
    def north(self) -> SimCamera:
        """The camera that misbehaves."""
        return self.cameras['north']

    def state(self) -> CameraState:
        """Its driver's newest state."""
        return self.states['north'][-1]

    def set(self, **faults: object) -> None:
        """Changes what is wrong with north; what it says from now on counts for what is waited for."""
        self._before = len(self.states['north']), len(self.diagnostics)
        self.north.set(**faults)

    def wait(self, condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        """Waits until a condition holds."""
        newest = self.states['north'][-1] if self.states['north'] else None
        wait_for(condition, timeout, f'{what}; before, the state was {newest.fault_text if newest else "none"!r}')

    def since(self) -> list[CameraState]:
        """What its driver has said since the newest change of faults."""
        return self.states['north'][self._before[0] :]

    def wait_for_fault(self, fault: int, words: str) -> CameraState:
        """The driver says what is wrong, in its state, which is returned, and in the diagnostics."""

        def found() -> Iterator[CameraState]:
            return (state for state in self.since() if state.fault == fault and words in state.fault_text)

        self.wait(lambda: any(found()), f'fault {fault} with {words!r}')
        self.wait(lambda: self.says(DiagnosticStatus.ERROR, words), f'diagnostics with {words!r}')
        return next(found())

    def says(self, level: bytes, words: str) -> bool:
        """Whether a diagnostic status of north has had these words since the newest change of faults."""
        found = [status for status in self.diagnostics[self._before[1] :] if 'driver_north' in status.name]
        return any(status.level == level and words in status.message for status in found)

    def wait_until_well(self, *names: str) -> None:
        """They follow the plan again: each arrives at both scenes, with frames. names: of cameras; none: north."""
        waited = names or ('north',)
        begin = {name: (len(self.states[name]), len(self.frames[name])) for name in waited}

        def well(name: str) -> bool:
            states, frames = begin[name]
            recent = [s for s in self.states[name][states:] if s.phase == PresetHeader.PHASE_IN_POSITION and not s.fault]
            shown = {f.scene for f in self.frames[name][frames:] if f.phase == PresetHeader.PHASE_IN_POSITION}
            return {state.scene for state in recent} == {'gate', 'road'} == shown and self.states[name][-1].fault == 0

        self.wait(lambda: all(well(name) for name in waited), f'{" and ".join(waited)} follow the plan again')

    def arrivals(self, since: int) -> set[int]:
        """How arrivals were noticed in the states since one of them."""
        return {s.arrival_source for s in self.states['north'][since:]} - {CameraState.ARRIVAL_NONE}

    def restart(self, name: str) -> None:
        """The driver is started anew, as somebody would who has mended something; returns when the new one has reported."""
        before = {state.session for state in self.states[name]}
        self.processes[name].send_signal(signal.SIGINT)
        assert self.processes[name].wait(PATIENCE) == 0
        self.processes[name] = self._start(name)
        self.wait(lambda: self.states[name][-1].session not in before, f'the driver of {name} is back')

    def log(self) -> str:
        """What the drivers printed."""
        return self._log.read_text()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        with self._log.open('a') as log:
            return subprocess.Popen(node_command(self._specs[name]), stdout=log, stderr=subprocess.STDOUT)

    def _on_frame(self, message: PresetFrame) -> None:
        self.frames[message.preset.camera].append(message.preset)
        self.newest[message.preset.camera] = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics.extend(message.status)

    def end(self) -> list[int]:
        """Ends both drivers; their exit codes. None is left to anybody else in this domain."""
        try:
            for process in self.processes.values():
                process.send_signal(signal.SIGINT)
            return [process.wait(PATIENCE) for process in self.processes.values()]
        finally:
            for process in self.processes.values():
                process.kill()


@contextlib.contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Both cameras rotate until the block ends."""
    ports = {'north': free_port_pair(), 'southwest': free_port_pair()}
    site = folder / 'yard.yaml'
    site.write_text(over_network(SITE, folder, ports, manual_pause=4.0, exposure={'time': 0.004, 'mode_switch_period': 3600}))
    nodes = region_graph(load_site(site), GraphOptions(str(site), parts=frozenset({Part.DRIVER})))
    specs = {str(node.parameters['camera']): node for node in nodes}
    with own_domain() as domain, sim_cameras(site, ports) as cameras, contextlib.ExitStack() as stack:
        rclpy.init(domain_id=domain)
        stack.callback(rclpy.shutdown)
        node = Node('observer', namespace='/yard')
        # While it is not destroyed its plan stays in the domain, which somebody else may get.
        stack.callback(node.destroy_node)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        spinning = threading.Thread(target=executor.spin, daemon=True)
        spinning.start()
        stack.callback(spinning.join, 5)
        stack.callback(executor.shutdown)
        pair = Pair(node, specs, cameras, folder / 'log')
        try:
            pair.wait(lambda: all(pair.frames.values()) and all(pair.states.values()), 'frames and states of both cameras')
            pair.rotate()
            yield pair
        finally:
            codes = pair.end()
    assert codes == [0, 0]
