# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A process that reads frames, and whatever else is asked for, more slowly than they come, and keeps next to none waiting.

usage: slow_reader.py SECONDS SETUP TOPIC...; SETUP: s between two subscriptions; prints topic, stamp (ns) and camera of each frame;
ends with SIGINT.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from ptz_collab_msgs.msg import PresetFrame
from ptz_node.convert import time_to_ns
from ptz_node.run import run

SHORT = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, history=HistoryPolicy.KEEP_LAST, depth=1)


class SlowReader(Node):
    """Takes its time over each frame."""

    def __init__(self) -> None:
        super().__init__('slow_reader')
        self._seconds = float(sys.argv[1])
        for number, topic in enumerate(sys.argv[3:]):
            time.sleep(float(sys.argv[2]) if number else 0.0)
            self.create_subscription(PresetFrame, topic, partial(self._on_frame, topic), SHORT)
        self._say('reads')

    def _on_frame(self, topic: str, message: PresetFrame) -> None:
        time.sleep(self._seconds)
        self._say(f'{topic} {time_to_ns(message.header.stamp)} {message.preset.camera}')

    def _say(self, line: str) -> None:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


if __name__ == '__main__':
    sys.exit(run(SlowReader))
