# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of recordings, read and written without ROS."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from ptz_site import NANOSECONDS, CameraOrder, Plan, PlanMode
from ptz_site.stream_marks import StreamMark
from ptz_stitcher.frames import time_ns
from ptz_stitcher.recording.msgdefs import topic_type

FRAME = 'ptz_collab_msgs/msg/PresetFrame'
HEADER = 'ptz_collab_msgs/msg/PresetHeader'
PLAN = 'ptz_collab_msgs/msg/RotationPlan'
STATE = 'ptz_collab_msgs/msg/CameraState'
TRACKS = 'ptz_collab_msgs/msg/TrackArray'
IMAGE = 'sensor_msgs/msg/CompressedImage'
OUR_TYPES = (FRAME, HEADER, PLAN, STATE, TRACKS)
_NOTHING = np.zeros(0, np.uint8)


@cache
def typestore() -> Typestore:
    """The standard messages of ROS 2 Jazzy and the project's own, from their definitions."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in OUR_TYPES:
        found = topic_type(name)
        store.register(
            {key: value for key, value in get_types_from_msg(found.definition, name).items() if key not in store.fielddefs}
        )
    return store


def decode(data: bytes | memoryview, type_name: str) -> Any:
    """The message in serialized data. Raises ValueError if it is damaged."""
    try:
        # A view, because the decoder copies what it is given.
        return typestore().deserialize_cdr(memoryview(data), type_name)
    except Exception as error:  # the decoder is generated code: a damaged message makes it fail in many ways
        raise ValueError(f'a damaged {type_name}: {error}') from None


def encode(message: Any, type_name: str) -> bytes:
    """A message as it is written to bags."""
    return bytes(typestore().serialize_cdr(message, type_name))


def image_head(header: Any, encoding: str, size: int) -> bytes:
    """A serialized CompressedImage up to its picture, of `size` bytes, which comes last."""
    # The length of what comes last is the last number of one without any (CDR, little-endian).
    return encode(typestore().types[IMAGE](header, encoding, _NOTHING), IMAGE)[:-4] + size.to_bytes(4, 'little')


def std_header(stamp_ns: int, frame_id: str) -> Any:
    """A std_msgs/Header."""
    types = typestore().types
    return types['std_msgs/msg/Header'](_time(stamp_ns), frame_id)


def header_of_mark(mark: StreamMark, frame_id: str) -> Any:
    """The PresetHeader that a mark tells; what it does not tell is not known: exposure, pan, tilt, zoom."""
    unknown = float('nan')
    return typestore().types[HEADER](
        header=std_header(mark.stamp_ns, frame_id),
        camera=mark.camera,
        scene=mark.scene,
        preset=mark.preset,
        phase=int(mark.phase),
        marks=int(mark.marks),
        switch_start=_time(mark.switch_start_ns),
        arrived=_time(mark.arrived_ns),
        slot=mark.slot,
        plan_revision=mark.plan_revision,
        sequence=mark.sequence,
        session=mark.session,
        exposure_mode=0,
        exposure_time=0.0,
        gain=unknown,
        pan=unknown,
        tilt=unknown,
        zoom=unknown,
    )


def plan_of(message: Any) -> Plan:
    """What a RotationPlan says of who watches what and when; without its holds, which don't change that."""
    return Plan(
        region=message.region,
        revision=message.revision,
        effective_at_ns=time_ns(message.effective_at),
        mode=PlanMode(message.mode),
        dwell_ns=time_ns(message.dwell),
        orders=tuple(CameraOrder(order.camera, tuple(order.scenes)) for order in message.orders),
        first_slot=message.first_slot,
        slot_start_ns=time_ns(message.slot_start),
        slot_elapsed_ns=time_ns(message.slot_elapsed),
        end_slot=message.end_slot,
        out=tuple(message.out),
        coordinator=message.coordinator,
        reason=message.reason,
    )


def _time(ns: int) -> Any:
    return typestore().types['builtin_interfaces/msg/Time'](*divmod(ns, NANOSECONDS))
