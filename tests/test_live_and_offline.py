# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Through a hold, a handoff, a lost camera and kill -9 of the stitcher: a bag of everything gives afterwards what was recorded live.

Of a region over recorded videos, and (slow) of a simulated one. What is missing live are the moments of the kill.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from conftest import PATIENCE, ended, own_domain, start_command, wait_for
from faults import Holder, node_pid, out, send
from recordings import headers, read_bag, video_start_ns
from rosbags.highlevel import AnyReaderError
from rosbags.rosbag2 import ReaderError
from topic_recorder import recording, topics_of

from collab_bringup.region_console import RegionConsole
from ptz_collab_msgs.msg import RegionState, RotationPlan
from ptz_node.convert import time_to_ns
from ptz_stitcher.offline import StitchRequest, messages, stitch
from ptz_stitcher.storage.names import parts_of

S = 1_000_000_000
#: ns; videos keep times less exactly.
_VIDEO_NS = 25_000
REGION, SCENES, CAMERAS = 'yard', ('door', 'window', 'stairs'), ('left', 'middle', 'right')
MIDDLE = (0.0, 28.0)
RECORDED = """
region: {name: yard, dwell: 3.0, start_timeout: 100.0, silence_timeout: 5.0, hold: {holder_timeout: 60.0}}
scenes: {door: {}, window: {}, stairs: {}}
cameras:
  left: &camera
    backend: recorded
    video: wide.mp4
    pose: {x: -26, y: -18, z: 7, yaw: 45}
    zoom: [1, 4]
    resolution: [160, 90]
    rate: 10
    slew_rate: 90
    slew_acceleration: 300
    presets: {door: {pan: 12, tilt: 0, zoom: 2}, window: {pan: -12, tilt: 0, zoom: 2}, stairs: {pan: 0, tilt: 3, zoom: 2}}
  middle:
    <<: *camera
    offset: 1.3
    pose: {x: 0, y: 28, z: 7, yaw: -90}
  right:
    <<: *camera
    offset: 2.6
    pose: {x: 26, y: -18, z: 7, yaw: 135}
perception: {enabled: false}
"""
SIMULATED = """
region: {name: yard, dwell: 3.0, start_timeout: 100.0, silence_timeout: 5.0, hold: {holder_timeout: 60.0}}
scenes:
  door: {polygon: [[-18, 6], [-8, 6], [-8, 16], [-18, 16]]}
  window: {polygon: [[6, 6], [18, 6], [18, 15], [6, 15]]}
  stairs: {polygon: [[-7, -16], [7, -16], [7, -6], [-7, -6]]}
cameras:
  left: &camera
    backend: simulated
    pose: {x: -26, y: -18, z: 7, yaw: 45}
    zoom: [1, 20]
    resolution: [320, 180]
    rate: 10
    slew_rate: 120
    slew_acceleration: 400
    zoom_rate: 4
    presets: {door: auto, window: auto, stairs: auto}
  middle:
    <<: *camera
    pose: {x: 0, y: 28, z: 7, yaw: -90}
  right:
    <<: *camera
    pose: {x: 26, y: -18, z: 7, yaw: 135}
perception: {enabled: false}
simulation: {seed: 3, walkers: 4, vehicles: 1}
"""

Key = tuple[str, int, int]
Picture = tuple[bytes, bytes]


def film(path: Path) -> None:
    """A wide video in which things move."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, 'yuv420p'
        for number in range(60):
            picture = np.full((360, 640, 3), (90, 110, 80), np.uint8)
            for thing in range(5):
                x, y = (number * 11 * (thing + 1) + 130 * thing) % 640, 40 + 65 * thing
                cv2.circle(picture, (x, y), 22, (50 * thing, 255 - 40 * thing, 180), -1)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format='bgr24')):
                container.mux(packet)
        container.mux(stream.encode(None))


@dataclass(frozen=True)
class Run:
    """What was recorded live, and what was made of a bag that was recorded beside it. shown: frames in the bags just before the kill."""

    live: Path
    offline: Path
    recorded: Path
    shown: dict[str, list[Key]]
    output: str

    @cached_property
    def beside(self) -> list[Any]:
        """The frames that were recorded beside it. On a busy machine the first of a camera may be missing."""
        return [message for _, message in read_bag(self.recorded, '/frames')]


@pytest.fixture(scope='module', params=[RECORDED, pytest.param(SIMULATED, marks=pytest.mark.slow)], ids=['recorded', 'simulated'])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp('yard')
    film(folder / 'wide.mp4')
    (folder / 'yard.yaml').write_text(request.param)
    live, recorded = folder / 'run', folder / 'recorded'
    with own_domain(), recording(recorded, topics_of(REGION, SCENES, CAMERAS)):
        command = start_command('up', folder / 'yard.yaml', '--out', live, cwd=folder)
        with ended(command):
            command.until(lambda: node_pid('coordinator', os.environ['ROS_DOMAIN_ID']) is not None, 'the coordinator starts')
            with RegionConsole(REGION, discovery=PATIENCE) as console:
                hold_and_hand_off(console)
                lose_a_camera(console)
                shown = kill_the_stitcher(live)
            command.interrupt()
            code, output = command.finish()
    assert code == 0 and 'Traceback' not in output, output
    stitched = stitch(StitchRequest((recorded,), folder / 'offline'), lambda done, total: None)
    assert not stitched.problems and not stitched.failures
    return Run(live, folder / 'offline', recorded, shown, output)


def wait_in_a_slot(console: RegionConsole) -> None:
    def is_in_one(state: RegionState) -> bool:
        return (
            state.state == RegionState.STATE_RUNNING
            and state.slot_left.sec >= 1
            and all(one.scene == one.assigned and not one.out for one in state.cameras)
        )

    assert console.wait_for(is_in_one, PATIENCE), console.state


def hold_and_hand_off(console: RegionConsole) -> None:
    """A target is on the scene of a camera, and turns to another one."""
    wait_in_a_slot(console)
    holder = Holder(console, wait_for)
    holder.hold_on('door', 'left')
    holder.hand_off(MIDDLE)
    wait_for(lambda: holder.handed is not None, PATIENCE, 'the handoff ends')
    assert holder.handed is not None and holder.handed.camera == 'middle', holder.handed
    assert console.wait_for(lambda s: [hold.camera for hold in s.holds] == ['middle'], PATIENCE), console.state
    holder.let_go()
    wait_in_a_slot(console)


def lose_a_camera(console: RegionConsole) -> None:
    """Its driver dies, and is started again."""
    # It is silent until that is noticed, however soon it would be there again.
    send('driver_right', signal.SIGSTOP)
    assert console.wait_for(lambda _: 'right' in out(console), PATIENCE), console.state
    send('driver_right', signal.SIGKILL)
    wait_in_a_slot(console)


def kill_the_stitcher(live: Path) -> dict[str, list[Key]]:
    """Returns what was in the files just before, when another one records."""
    shown = {scene: keys(live / scene) for scene in SCENES}
    send('stitcher', signal.SIGKILL)

    def records_again() -> bool:
        parts = [parts_of(live, scene, REGION) for scene in SCENES]
        try:
            return all(len(found) == 2 and len(headers(found[1])) > 20 for found in parts)
        except (AnyReaderError, ReaderError):
            return False  # one has just been begun

    wait_for(records_again, PATIENCE, 'another stitcher records')
    return shown


def keys(bag: Path) -> list[Key]:
    return [(header.camera, header.session, header.sequence) for header in headers(bag)]


def pictures(bag: Path) -> dict[Key, Picture]:
    """Without what padding bytes happen to hold."""
    presets = [message for _, message in read_bag(bag, '/preset_header')]
    images = [message for _, message in read_bag(bag, '/image/compressed')]
    return {
        (p.camera, p.session, p.sequence): (messages.encode(p, messages.HEADER), messages.encode(i, messages.IMAGE))
        for p, i in zip(presets, images, strict=True)
    }


def stamps(bag: Path) -> list[int]:
    return [header.stamp_ns for header in headers(bag)]


def shown_pictures(video: Path) -> list[tuple[int, bytes]]:
    """Of every picture when it was taken, to the accuracy of videos, and its bytes."""
    begin_ns = video_start_ns(video)
    with av.open(str(video)) as container:
        base = container.streams.video[0].time_base or Fraction(1)
        return [(begin_ns + round(p.pts * base * S), bytes(p)) for p in container.demux(video=0) if p.pts is not None and p.size]


def test_all_of_it_happened(run: Run) -> None:
    plans: list[Any] = [message for _, message in read_bag(run.offline / 'region', '/plan')]
    assert any(plan.mode == RotationPlan.MODE_HELD and plan.holds for plan in plans)
    assert any(hold.camera == 'middle' for plan in plans for hold in plan.holds), 'handed off'
    assert any('right' in plan.out for plan in plans)
    lives = {session for _, session, _ in (key for scene in SCENES for key in pictures(run.offline / scene) if key[0] == 'right')}
    assert len(lives) == 2
    assert 'stitcher ended (signal SIGKILL); it is started again' in run.output
    assert 'frames and losses are counted from then on' in run.output.replace('\n', ' ')


@pytest.mark.parametrize('scene', SCENES)
def test_what_is_in_the_live_files_is_in_the_stitched_ones_equally(run: Run, scene: str) -> None:
    recorded = {(m.preset.camera, m.preset.session, m.preset.sequence) for m in run.beside}
    offline = pictures(run.offline / scene)
    before, after = (pictures(part) for part in parts_of(run.live, scene, REGION))
    assert set(run.shown[scene]) <= set(before), 'the kill took something that was in the file'
    assert before and after
    live = {key: picture for key, picture in (before | after).items() if key in recorded}
    assert live
    assert live == {key: offline[key] for key in live}


@pytest.mark.parametrize('scene', SCENES)
def test_what_is_missing_live_are_the_moments_of_the_kill(run: Run, scene: str) -> None:
    parts = parts_of(run.live, scene, REGION)
    live = {key for part in parts for key in keys(part)}
    # Frames that never reached the stitcher are missing for other reasons, and it counts them.
    reached = {(h.camera, h.session, h.sequence) for part in parts_of(run.live, 'region', REGION) for h in headers(part)}
    missing = [h for h in headers(run.offline / scene) if (h.camera, h.session, h.sequence) not in live]
    last, again = max(stamps(parts[0])), min(stamps(parts[1]))
    assert last < again
    outside = [h for h in missing if not last <= h.stamp_ns <= again and (h.camera, h.session, h.sequence) in reached]
    assert not outside


@pytest.mark.parametrize('scene', SCENES)
def test_the_live_videos_play_and_show_the_same(run: Run, scene: str) -> None:
    offline = iter(shown_pictures(run.offline / f'{scene}.mp4'))
    # Recorded cameras show the same picture again and again: a picture is known by its time as well.
    recorded: dict[bytes, list[int]] = defaultdict(list)
    for message in run.beside:
        recorded[bytes(message.data)].append(time_to_ns(message.header.stamp))
    for part in parts_of(run.live, scene, REGION):
        shown = shown_pictures(part.with_name(f'{part.name}.mp4'))
        live = [(at_ns, data) for at_ns, data in shown if any(abs(one - at_ns) < _VIDEO_NS for one in recorded.get(data, ()))]
        assert live
        for stamp_ns, data in live:
            assert any(abs(other_ns - stamp_ns) < _VIDEO_NS and other == data for other_ns, other in offline), (part, stamp_ns)
