# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Records topics beside a region that runs, as `ros2 bag record` does: serialized, when they come, into a bag with definitions."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosbags.rosbag2 import StoragePlugin, Writer

from ptz_collab_msgs.msg import CameraState, PresetFrame, RotationPlan, TrackArray
from ptz_node.qos import EVENTS, FRAMES_RECORD, LATCHED_RECORD
from ptz_stitcher.offline import messages

#: Types of topics, and with which QoS they are recorded.
_TYPES = {
    messages.FRAME: (PresetFrame, FRAMES_RECORD),
    messages.PLAN: (RotationPlan, LATCHED_RECORD),
    messages.STATE: (CameraState, LATCHED_RECORD),
    messages.TRACKS: (TrackArray, EVENTS),
}


def topics_of(region: str, scenes: tuple[str, ...], cameras: tuple[str, ...]) -> dict[str, str]:
    """Types of the topics that tell a rotation."""
    return {
        f'/{region}/plan': messages.PLAN,
        **{f'/{region}/scenes/{scene}/frames': messages.FRAME for scene in scenes},
        **{f'/{region}/cameras/{camera}/frames': messages.FRAME for camera in cameras},
        **{f'/{region}/cameras/{camera}/state': messages.STATE for camera in cameras},
        **{f'/{region}/cameras/{camera}/tracks': messages.TRACKS for camera in cameras},
    }


@contextlib.contextmanager
def recording(folder: Path, topics: Mapping[str, str]) -> Iterator[None]:
    """Records while the block runs, in the domain of this environment."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=int(os.environ['ROS_DOMAIN_ID']))
    # Without what a node has to talk of itself: what is not there need not be destroyed, in which Fast DDS can hang.
    node = Node('recorder', context=context, enable_rosout=False, start_parameter_services=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    ended = threading.Event()
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:

        def write(connection: Any, data: bytes) -> None:
            writer.write(connection, time.time_ns(), data)

        for topic, type_name in topics.items():
            connection = writer.add_connection(topic, type_name, typestore=messages.typestore())
            kind, qos = _TYPES[type_name]
            node.create_subscription(kind, topic, lambda data, connection=connection: write(connection, data), qos, raw=True)

        def spin() -> None:
            while not ended.is_set():
                executor.spin_once(timeout_sec=0.1)

        thread = threading.Thread(target=spin)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            node.destroy_node()
            context.shutdown()
