# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a driver of a network camera costs, and how late it is: a simulated camera over ONVIF and RTSP, which knows the truth.

Writes out/bench/network.json beside the table. In the same run, for comparison, if it is there: FFmpeg's own program
that reads the same stream and copies it nowhere.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rclpy
from ffmpeg_program import ffmpeg
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from report.figures import Figure, Stopwatch, at_most, write_outcome
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))

from network_camera import free_port_pair, sim_cameras  # noqa: E402
from network_pair import running_pair  # noqa: E402

from collab_bringup.graph import GraphOptions, Part, region_graph  # noqa: E402
from collab_bringup.processes import node_command  # noqa: E402
from ptz_collab_msgs.msg import CameraState, PresetFrame, PresetHeader, RotationPlan  # noqa: E402
from ptz_node import names  # noqa: E402
from ptz_node.convert import plan_to_msg, time_to_ns  # noqa: E402
from ptz_node.qos import FRAMES_RECORD, LATCHED  # noqa: E402
from ptz_site import CameraOrder, Plan, PlanMode, load_site  # noqa: E402

S = 1_000_000_000
SECONDS, DWELL, RATE = 60.0, 4.0, 25
TITLE = 'Driver of a network camera'
SUMMARY = 'What one camera on the network costs the machine, how late its pictures are, and how soon the driver says what is wrong with it.'
COPY = 'CPU of ffmpeg -c copy of the same stream'
SITE = """
region: {{name: bench, dwell: 4.0}}
scenes:
  gate: {{polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}}
  road: {{polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}}
cameras:
  north:
    backend: onvif
    host: 127.0.0.1
    port: {port}
    pose: {{x: 0, y: 28, z: 7, yaw: -90}}
    zoom: [1, 20]
    slew_rate: 90
    slew_acceleration: 270
    zoom_rate: 2
    resolution: [1280, 720]
    rate: {rate}
    presets: {{gate: {{token: gate}}, road: {{token: road}}}}
simulation: {{seed: 7, walkers: 4, vehicles: 1}}
"""


#: Name, what is switched on in the camera, and the fault that the driver then reports.
FAULTS: tuple[tuple[str, dict[str, object], int], ...] = (
    ('ONVIF does not answer', {'hang': True}, CameraState.FAULT_UNREACHABLE),
    ('stream stops', {'freeze_stream': True}, CameraState.FAULT_NO_FRAMES),
    ('stream refused', {'no_stream': True}, CameraState.FAULT_NO_FRAMES),
    ('picture frozen', {'frozen_picture': True}, CameraState.FAULT_FROZEN),
    ('picture black', {'black_picture': True}, CameraState.FAULT_BLACK),
    ('stuck on the way', {'stuck': True}, CameraState.FAULT_NOT_ARRIVED),
)
TIMES = 3


class Listener:
    """Takes what the driver publishes, with the instant at which it came."""

    def __init__(self, node: Node) -> None:
        self.delays: list[float] = []
        self.sequences: list[int] = []
        self.bytes = 0
        self.states: list[CameraState] = []
        node.create_subscription(PresetFrame, names.camera_frames('north'), self._on_frame, FRAMES_RECORD)
        node.create_subscription(CameraState, names.camera_state('north'), self.states.append, LATCHED)
        self.plans = node.create_publisher(RotationPlan, names.PLAN, LATCHED)

    def _on_frame(self, message: PresetFrame) -> None:
        self.delays.append((time.time_ns() - time_to_ns(message.header.stamp)) / S)
        self.bytes += len(message.data)
        self.sequences.append(message.preset.sequence)


def cpu_seconds(pid: int) -> float:
    """What a process has used of all cores."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def main() -> None:
    """Measures and prints."""
    watch = Stopwatch()
    os.environ.setdefault('ROS_DOMAIN_ID', '97')
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    with tempfile.TemporaryDirectory() as folder:
        port = free_port_pair()
        site = Path(folder) / 'bench.yaml'
        site.write_text(SITE.format(port=port, rate=RATE))
        (spec,) = region_graph(load_site(site), GraphOptions(str(site), parts=frozenset({Part.DRIVER})))
        with sim_cameras(site, {'north': port}) as cameras:
            rclpy.init()
            node = Node('listener', namespace='/bench')
            listener = Listener(node)
            executor = SingleThreadedExecutor()
            executor.add_node(node)
            threading.Thread(target=executor.spin, daemon=True).start()
            driver = subprocess.Popen(node_command(spec))
            try:
                rows = measure(listener, driver.pid, cameras['north'].commands, f'rtsp://127.0.0.1:{port + 1}/stream')
            finally:
                driver.send_signal(signal.SIGINT)
                driver.wait(20)
                executor.shutdown()
                rclpy.shutdown()
    with tempfile.TemporaryDirectory() as folder:
        rows += recovery(Path(folder))
    facts = report(rows)
    write_outcome('network', watch.outcome(TITLE, SUMMARY, figures_of(facts)))


def measure(listener: Listener, pid: int, commands: object, address: str) -> list[tuple[str, Sequence[float], str]]:
    """The figures: name, values, unit."""
    while len(listener.delays) < RATE:
        time.sleep(0.1)
    now = time.time_ns()
    orders = (CameraOrder('north', ('gate', 'road')),)
    begins = now + 2 * S
    listener.plans.publish(plan_to_msg(Plan('bench', 1, now, PlanMode.RUNNING, round(DWELL * S), orders, slot_start_ns=begins)))
    time.sleep(3)
    program = ffmpeg()
    options = ['-v', 'error', '-rtsp_transport', 'tcp', '-i', address, '-c', 'copy', '-f', 'null', '-']
    copy = subprocess.Popen([program, *options]) if program else None
    time.sleep(3)
    listener.delays.clear()
    listener.sequences.clear()
    listener.bytes = 0
    before, before_copy = cpu_seconds(pid), cpu_seconds(copy.pid) if copy else 0.0
    time.sleep(SECONDS)
    spent = cpu_seconds(pid) - before
    spent_copy = cpu_seconds(copy.pid) - before_copy if copy else math.nan
    delays, sequences, megabits = list(listener.delays), list(listener.sequences), 8e-6 * listener.bytes / SECONDS
    if copy:
        copy.kill()
        copy.wait()
    lost = sequences[-1] - sequences[0] + 1 - len(sequences)
    marks = sorted(
        {(time_to_ns(s.switch_start), time_to_ns(s.arrived), s.arrival_source) for s in listener.states if s.arrived.sec}
    )
    truth = [(command['at_ns'], command['standstill_ns']) for command in commands()]  # type: ignore[operator]
    late, reached, noticed = [], [], []
    for switch, arrived, _source in marks:
        at, standstill = min(truth, key=lambda one: abs(one[0] - switch))
        slot = round((switch - begins) / (DWELL * S))
        late.append((switch - begins - slot * DWELL * S) / S)
        reached.append((at - switch) / S)
        noticed.append((arrived - standstill) / S)
    return [
        (f'CPU of the driver, {RATE} frames/s of 1280x720, {megabits:.1f} Mbit/s', [spent / SECONDS], '%'),
        (COPY, [spent_copy / SECONDS], '%'),
        (f'frames lost of {len(delays)}', [float(lost)], ''),
        ('capture to message at a subscriber', delays, 'ms'),
        ('slot boundary to SWITCH_START', late[1:], 'ms'),
        ('SWITCH_START until the camera has the command', reached[1:], 'ms'),
        ('standstill to ARRIVED', noticed[1:], 'ms'),
    ]


def recovery(folder: Path) -> list[tuple[str, Sequence[float], str]]:
    """For each fault: s until the driver says so, and s from its end until the camera is in position again."""
    rows: list[tuple[str, Sequence[float], str]] = []
    with running_pair(folder) as pair:
        pair.wait_until_well()
        for name, faults, expected in FAULTS:
            noticed, well = [], []
            for _ in range(TIMES):
                begin = time.monotonic()
                pair.north.set(**faults)
                pair.wait(lambda expected=expected: pair.state().fault == expected, f'{name} is noticed', 60)
                noticed.append(time.monotonic() - begin)
                pair.north.set(**{key: type(value)(0) for key, value in faults.items()})
                begin = time.monotonic()
                pair.wait(
                    lambda: not pair.state().fault and pair.state().phase == PresetHeader.PHASE_IN_POSITION, f'{name} is over', 60
                )
                well.append(time.monotonic() - begin)
                pair.wait_until_well()
            rows += [(f'{name}: until the state says so', noticed, 's'), (f'{name}: from its end until in position', well, 's')]
    return rows


def report(rows: list[tuple[str, Sequence[float], str]]) -> list[dict[str, object]]:
    """Prints the table, and writes the file; returns what is in it."""
    table = Table(title=f'Driver of a network camera, {os.cpu_count()} cores', title_justify='left')
    for heading in ('figure', 'times', '50 %', '99 %', 'greatest'):
        table.add_column(heading, justify='left' if heading == 'figure' else 'right')
    facts = []
    for name, values, unit in rows:
        scaled = np.array(values) * {'ms': 1000, '%': 100, '': 1, 's': 1}[unit]
        p50, p99, most = (float(np.percentile(scaled, share)) for share in (50, 99, 100))
        facts.append({'figure': name, 'unit': unit, 'times': len(values), 'p50': p50, 'p99': p99, 'max': most})
        if len(values) == 1:
            table.add_row(name, '1', f'{p50:.1f} {unit}', '', '')
        else:
            table.add_row(name, str(len(values)), *(f'{figure:.1f} {unit}' for figure in (p50, p99, most)))
    Console(width=130).print(table)
    target = ROOT / 'out' / 'bench' / 'network.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({'cores': os.cpu_count(), 'figures': facts}, indent=2) + '\n')
    return facts


def figures_of(facts: Sequence[Mapping[str, object]]) -> list[Figure]:
    """For the report: medians, up to the greatest value."""
    figures, copied = [], {str(one['figure']): float(str(one['p50'])) for one in facts}.get(COPY, math.nan)
    for fact in facts:
        name, unit, median, most = str(fact['figure']), str(fact['unit']), float(str(fact['p50'])), float(str(fact['max']))
        if name == COPY:
            continue
        if name.startswith('CPU'):
            figures.append(Figure(name, median, '% of a core', compared=COPY, compared_value=copied))
        elif name.startswith('frames lost'):
            figures.append(at_most(name, median, 0.0))
        else:
            figures.append(Figure(f'{name}, median of {fact["times"]}', median, unit, low=median, high=most))
    return figures


if __name__ == '__main__':
    main()
