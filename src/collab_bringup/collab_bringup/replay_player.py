# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a recording, with /clock."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock

from collab_bringup.replay_readers import Readers
from ptz_node import names
from ptz_node.convert import time_from_ns
from ptz_node.qos import CLOCK, EVENTS, FRAMES_OUT, LATCHED
from ptz_site import UserError
from ptz_stitcher.offline import messages
from ptz_stitcher.replay import Pace, Replayed

_LATCHED = (f'/{names.PLAN}', f'/{names.REGION_STATE}', f'/{names.WATCHLIST}', '/state', '/heat', '/tf_static')
_PICTURES = (messages.FRAME, messages.IMAGE)
#: s between two messages of /clock.
_TICK = 0.025
#: Of the recording, ns; timers of nodes on /clock run at least so often, also while it is replayed as fast as they can.
_STEP_NS = 100_000_000
#: How often everybody is asked after a step: the first time they take the clock, the second time their timers have run. And at the
#: end: then they have also taken what others of them made of the last message.
_ROUNDS = 2
#: s for discovery of what runs already; on a busy machine it may take longer, so it is looked for again every so many seconds.
_DISCOVERY = 1.0


@dataclass
class Played:
    """What was published."""

    messages: int = 0
    frames: int = 0


class Player:
    """A node that publishes what was recorded. Context manager; in a ROS context of its own.

    topics: with their types. rate: how much faster than it was; None: as fast as the readers take it, and nothing is lost.
    Raises UserError if one of the regions runs: its drivers would take an old plan for the present one.
    """

    def __init__(self, topics: Mapping[str, str], regions: Iterable[str], rate: float | None, say: Callable[[str], None]) -> None:
        self._rate = rate
        self._context = Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node('replay', context=self._context, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._readers = Readers(self._node, self._executor, say)
        self.played = Played()
        self._clock_ns = 0
        self._regions = tuple(regions)
        self._looked = 0.0
        try:
            self._check_that_nothing_runs()
            self._clock = self._node.create_publisher(Clock, '/clock', CLOCK)
            self._publishers = {topic: self._publisher(topic, kind) for topic, kind in topics.items()}
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the node."""
        self._executor.shutdown(timeout_sec=2.0)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def wait_for(self, nodes: Iterable[str], patience: float) -> None:
        """Waits until nodes read, or without any, somebody. Raises UserError if they don't within patience (s)."""
        missing = self._readers.wait_for(tuple(self._publishers.values()), nodes, patience)
        if missing:
            raise UserError(f'{missing[0]} does not read within {patience:g} s; is it running, with this ROS_DOMAIN_ID?')

    def settle(self) -> None:
        """Gives those who read already the time to be found."""
        deadline = time.monotonic() + _DISCOVERY
        while time.monotonic() < deadline:
            self._readers.spin(0.1)

    def play(self, recording: Iterator[Replayed], progress: Callable[[Played], None]) -> None:
        """Publishes all of a recording. Raises UserError when one of its regions turns out to run."""
        pace = Pace(self._rate) if self._rate is not None else None
        self._clock_ns = 0
        for batch in at_once(recording):
            if pace is None:
                self._step_to(batch[0].at_ns)
            else:
                self._wait(pace, batch[0].at_ns)
            used = [self._publish(one) for one in batch]
            if pace is None:
                self._readers.have_taken([publisher for publisher in used if publisher is not None])
            progress(self.played)
            if time.monotonic() - self._looked > _DISCOVERY:
                self._check_for_regions()
        if pace is None:
            self._readers.have_taken(tuple(self._publishers.values()), _ROUNDS)

    def _publish(self, one: Replayed) -> Publisher | None:
        """The publisher, if somebody reads it."""
        publisher = self._publishers[one.topic]
        self.played.messages += not one.copy
        self.played.frames += one.is_frame
        count = publisher.get_subscription_count()
        if count or publisher.qos_profile.durability is DurabilityPolicy.TRANSIENT_LOCAL:
            publisher.publish(one.data)
        return publisher if count else None

    def _step_to(self, at_ns: int) -> None:
        """Lets the clock run to an instant, so slowly that everybody's timers can follow."""
        if not self._clock_ns:
            self._clock_ns = at_ns
        while at_ns - self._clock_ns >= _STEP_NS:
            self._tick(min(at_ns, self._clock_ns + _STEP_NS))
            self._readers.have_taken([self._clock], _ROUNDS)
        self._tick(at_ns)

    def _wait(self, pace: Pace, at_ns: int) -> None:
        due = pace.due(at_ns, time.monotonic())
        while (left := due - time.monotonic()) > 0:
            self._tick(pace.recording_ns(time.monotonic()))
            self._readers.spin(0.0)
            time.sleep(min(left, _TICK))
        self._tick(at_ns)

    def _tick(self, at_ns: int) -> None:
        if at_ns > self._clock_ns or not self._clock_ns:
            self._clock_ns = at_ns
            self._clock.publish(Clock(clock=time_from_ns(at_ns)))

    def _publisher(self, topic: str, type_name: str) -> Publisher:
        package, _, name = type_name.partition('/msg/')
        try:
            kind: Any = getattr(importlib.import_module(f'{package}.msg'), name)
        except (ImportError, AttributeError):
            raise UserError(f'{topic} is of {type_name}, which is not installed; install {package}') from None
        wanted = profile(topic, type_name)
        if self._rate is None:
            # One message at a time is on its way. Fast DDS asks for acknowledgements at once if the history is full; else
            # every three seconds.
            wanted = QoSProfile(reliability=wanted.reliability, durability=wanted.durability, history=wanted.history, depth=1)
        return self._node.create_publisher(kind, topic, wanted)

    def _check_that_nothing_runs(self) -> None:
        deadline = time.monotonic() + _DISCOVERY
        while time.monotonic() < deadline:
            self._check_for_regions()
            if self._node.get_publishers_info_by_topic('/clock'):
                raise UserError('somebody publishes /clock here, perhaps another replay; end it, or take another ROS_DOMAIN_ID')
            self._readers.spin(0.1)

    def _check_for_regions(self) -> None:
        self._looked = time.monotonic()
        for region in self._regions:
            there = self._node.get_publishers_info_by_topic(f'/{region}/{names.REGION_STATE}')
            # Recorded states of a region are published by this node.
            if any(one.node_name != self._node.get_name() for one in there):
                raise UserError(f'region {region} runs here; stop it, or replay with another ROS_DOMAIN_ID')


def at_once(recording: Iterable[Replayed]) -> Iterator[list[Replayed]]:
    """Messages of one instant, one of each topic."""
    batch: list[Replayed] = []
    for one in recording:
        if batch and (one.at_ns != batch[0].at_ns or any(one.topic == other.topic for other in batch)):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def profile(topic: str, type_name: str) -> QoSProfile:
    """How a topic was published when it was recorded."""
    if type_name in _PICTURES:
        return FRAMES_OUT
    return LATCHED if topic.endswith(_LATCHED) else EVENTS
