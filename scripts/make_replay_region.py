#!/usr/bin/env python3
# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Films the small region that tests/test_replay_regression.py replays: two simulated cameras on two scenes, four slots, in H.264.

usage: make_replay_region.py (in the environment of env.sh); replaces tests/replay/region.

What is filmed follows from tests/replay/site.yaml alone: no clock, no process, no network. The encoder's bytes may be others with another
version of FFmpeg; then what is expected of them is found anew (see the test).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage

from ptz_collab_msgs.msg import CameraState, PresetHeader
from ptz_driver.marks import SegmentMarker
from ptz_node.convert import plan_to_msg, time_from_ns
from ptz_node.names import optical_frame
from ptz_sim.camera import SimulatedPtz
from ptz_site import NANOSECONDS, CameraOrder, Plan, PlanMode, Site, load_site
from ptz_stitcher.frames import frame_header, sequence_settings
from ptz_stitcher.offline import messages
from ptz_stitcher.offline.events import Event, FrameEvent, PlanEvent, StateEvent
from ptz_stitcher.offline.region_writer import RegionSettings, RegionWriter
from ptz_stitcher.recording.transcoding import H264Encoder
from ptz_stitcher.segments import Cut
from ptz_stitcher.sequence_writer import Frame

FOLDER = Path(__file__).resolve().parents[1] / 'tests' / 'replay'
BEGIN = 1_700_000_000 * NANOSECONDS
#: Before the first slot cameras take up their scenes. WORLD: how old the simulated world is then; somebody walks through both scenes.
LEAD, WORLD = 2 * NANOSECONDS, 20 * NANOSECONDS
SLOTS = 4
#: How often a driver looks whether its camera has arrived.
POLL = NANOSECONDS // 50


def main() -> int:
    site = load_site(FOLDER / 'site.yaml')
    plan = rotation(site)
    out = FOLDER / 'region'
    shutil.rmtree(out, ignore_errors=True)
    # The whole of it, so that it can be cut again in every way; a video would say nothing more.
    cut = Cut.SWITCH_START
    settings = RegionSettings(
        region=site.region.name,
        site='site.yaml',
        out=out,
        cut=cut,
        scenes=tuple(site.scenes),
        polygons={},
        has_plans=True,
        sequence=lambda scene: sequence_settings(
            site.model_copy(update={'stitcher': bag_alone(site)}), 'site.yaml', scene, out, cut
        ),
    )
    writer = RegionWriter(settings)
    filmed = [event for camera in site.cameras for event in film(site, camera, plan)]
    first = PlanEvent(plan.effective_at_ns, plan, plain(plan_to_msg(plan), messages.PLAN))
    for event in sorted([first, *filmed], key=lambda event: event.at_ns):
        writer.take(event)
    summary = writer.close()
    size = sum(file.stat().st_size for file in out.rglob('*') if file.is_file())
    print(f'{out}: {sum(scene.frames for scene in summary.scenes)} frames, {size / 1e6:.1f} MB')
    return 0


def bag_alone(site: Site) -> Any:
    return site.stitcher.model_copy(update={'video': False, 'bag': True})


def rotation(site: Site) -> Plan:
    """The cameras on the scenes in turn."""
    scenes = tuple(site.scenes)
    orders = tuple(CameraOrder(name, scenes[number:] + scenes[:number]) for number, name in enumerate(site.cameras))
    dwell = round(site.region.first_dwell * NANOSECONDS)
    return Plan(
        site.region.name, 1, BEGIN - LEAD, PlanMode.RUNNING, dwell, orders, slot_start_ns=BEGIN, end_slot=SLOTS, reason='start'
    )


def film(site: Site, camera: str, plan: Plan) -> Iterator[Event]:
    """Everything that a camera's driver would have published."""
    ptz = SimulatedPtz(site, camera, BEGIN - LEAD - WORLD)
    marker = SegmentMarker()
    entry = site.cameras[camera]
    encoder = H264Encoder(entry.resolution, entry.rate)
    period = round(NANOSECONDS / entry.rate)
    offset = period * list(site.cameras).index(camera) // len(site.cameras)
    now = BEGIN - LEAD
    scene, moving, fresh = '', False, False
    sequence = 0
    while now < BEGIN + SLOTS * plan.dwell_ns:
        wanted = plan.scene(camera, now)
        if wanted != scene:
            goal = site.preset(camera, wanted)
            assert goal is not None
            ptz.go_to(goal, now)
            marker.switch_commanded(now, wanted, wanted)
            scene, moving, fresh = wanted, True, True
        if moving and not ptz.is_moving(now):
            marker.arrived(now)
            moving, fresh = False, True
        if now == BEGIN:
            fresh = True
        if (now - BEGIN) % NANOSECONDS == 0:
            yield StateEvent(now, camera, now, plain(state(site, camera, ptz, marker, plan, now), messages.STATE))
        # A stamp lies between two looks: nothing happens there.
        stamp = now + offset
        if (now - BEGIN) % period == 0:
            sequence += 1
            header = preset_header(site, camera, ptz, marker, plan, stamp, sequence)
            picture = av.VideoFrame.from_ndarray(ptz.capture(stamp), format='bgr24')
            encoded = encoder.encode(picture, keyframe=fresh)
            fresh = False
            image = CompressedImage(header=header.header, format='h264', data=encoded.data)
            frame = Frame(frame_header(header), encoded, plain(image, messages.IMAGE), plain(header, messages.HEADER))
            yield FrameEvent(stamp, frame)
        now += POLL


def plain(message: Any, type_name: str) -> bytes:
    """A message serialized; ROS leaves anything in the bytes that no field uses, which would be something else each time."""
    return messages.encode(messages.decode(serialize_message(message), type_name), type_name)


def preset_header(
    site: Site, camera: str, ptz: SimulatedPtz, marker: SegmentMarker, plan: Plan, stamp: int, sequence: int
) -> PresetHeader:
    showing, marks = marker.mark(stamp)
    position = ptz.position(stamp)
    header = PresetHeader(
        camera=camera,
        scene=showing.scene,
        preset=showing.preset,
        phase=int(showing.phase),
        marks=int(marks),
        switch_start=time_from_ns(showing.switch_start_ns),
        arrived=time_from_ns(showing.arrived_ns),
        slot=plan.slot(stamp),
        plan_revision=plan.revision,
        sequence=sequence,
        session=BEGIN,
        exposure_mode=PresetHeader.EXPOSURE_AUTO,
        pan=position.pan,
        tilt=position.tilt,
        zoom=position.zoom,
    )
    header.header.stamp, header.header.frame_id = time_from_ns(stamp), optical_frame(site.region.name, camera)
    return header


def state(site: Site, camera: str, ptz: SimulatedPtz, marker: SegmentMarker, plan: Plan, now: int) -> CameraState:
    showing, position = marker.newest, ptz.position(now)
    state = CameraState(
        camera=camera,
        session=BEGIN,
        phase=int(showing.phase),
        scene=showing.scene,
        preset=showing.preset,
        slot=plan.slot(now),
        plan_revision=plan.revision,
        switch_start=time_from_ns(showing.switch_start_ns),
        arrived=time_from_ns(showing.arrived_ns),
        pan=position.pan,
        tilt=position.tilt,
        zoom=position.zoom,
        stamp_source=CameraState.STAMP_SIMULATED,
    )
    state.header.stamp, state.header.frame_id = time_from_ns(now), optical_frame(site.region.name, camera)
    return state


if __name__ == '__main__':
    sys.exit(main())
