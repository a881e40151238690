# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations of several cameras on two scenes as headers, with all that may happen to them, and what a network makes of the headers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hypothesis import strategies as st

from ptz_site import Mark, Phase
from ptz_stitcher.segments import FrameHeader

MS = 1_000_000
SCENES = ('gate', 'road')
PERIOD_MS = 100


@dataclass
class _Camera:
    name: str
    offset_ms: int
    session: int = 1
    sequence: int = 0
    scene: str = ''
    phase: Phase = Phase.UNKNOWN
    switch_ms: int = 0
    arrives_ms: int = 0
    fault_ms: int = 0
    due: Mark = Mark.NONE
    headers: list[FrameHeader] = field(default_factory=list)

    def switch(self, at_ms: int, scene: str, turn_ms: int, fault_ms: int) -> None:
        self.scene, self.switch_ms, self.phase, self.due = scene, at_ms, Phase.TURNING, Mark.SWITCH_START
        self.arrives_ms, self.fault_ms = at_ms + turn_ms, at_ms + turn_ms + fault_ms

    def frame(self, stamp_ms: int, slot: int) -> None:
        if self.phase is Phase.TURNING and stamp_ms >= self.arrives_ms:
            self.phase, self.due = Phase.IN_POSITION, self.due | Mark.ARRIVED
        if self.phase is Phase.IN_POSITION and stamp_ms >= self.fault_ms:
            self.phase, self.due = Phase.FAULT, self.due & ~Mark.ARRIVED
        self.sequence += 1
        arrived = 0 if self.phase is Phase.TURNING else self.arrives_ms * MS
        self.headers.append(
            FrameHeader(
                self.name, self.scene, self.session, self.sequence, stamp_ms * MS, self.phase, self.due, self.switch_ms * MS, arrived, slot
            )
        )  # fmt: skip
        self.due = Mark.NONE


def rotation(seed: int) -> list[FrameHeader]:
    """All headers, in the order of their stamps.

    Slots of different lengths (holds), switches inside of them (handoffs), slots without a switch, slot numbers that jump (plan
    revisions), turns that take no time or longer than the slot, cameras that go wrong in position, drivers that are started again,
    and two cameras on one scene.
    """
    chance = random.Random(seed)
    cameras = [_Camera(name, chance.randrange(PERIOD_MS)) for name in ('east', 'north', 'south')[: chance.randint(1, 3)]]
    at_ms, slot = 10_000, chance.randrange(5)
    for _ in range(chance.randint(1, 6)):
        length = chance.choice((300, 1000, 1000, 4000))
        handoff_ms = at_ms + length // 2 if chance.random() < 0.3 else 0
        for camera in cameras:
            _slot(camera, chance, at_ms, length, slot, handoff_ms)
        at_ms += length
        slot += chance.choice((1, 1, 1, 5))
    return sorted((h for camera in cameras for h in camera.headers), key=lambda h: (h.stamp_ns, h.camera))


def _slot(camera: _Camera, chance: random.Random, at_ms: int, length: int, slot: int, handoff_ms: int) -> None:
    def switch(when: int) -> None:
        turn, fault = chance.choice((0, 250, 900, 2000)), chance.choice((10**9, 10**9, 0, 400))
        camera.switch(when, chance.choice(SCENES), turn, fault)

    begin = at_ms
    if camera.headers and chance.random() < 0.15:
        # The driver is started again: no frames for a while, and the switch is commanded anew.
        begin += 200
        camera.session, camera.sequence = at_ms, 0
        switch(begin)
    elif not camera.headers or chance.random() < 0.8:
        switch(begin)
    for stamp in range(at_ms + camera.offset_ms, at_ms + length, PERIOD_MS):
        if handoff_ms and stamp >= handoff_ms > stamp - PERIOD_MS and handoff_ms > begin:
            switch(handoff_ms)
        if stamp >= begin:
            camera.frame(stamp, slot)


@dataclass(frozen=True)
class Network:
    """What becomes of headers on their way: the seed, the share of lost and of doubled ones, and by how much they come late, ms."""

    seed: int
    lost: float
    doubled: float
    delay_ms: int

    def deliver(self, headers: list[FrameHeader]) -> list[FrameHeader]:
        """The headers as they come."""
        chance = random.Random(self.seed)
        came = [h for h in headers if chance.random() >= self.lost]
        came += [h for h in came if chance.random() < self.doubled]
        return sorted(came, key=lambda h: h.stamp_ns + (chance.randrange(self.delay_ms) * MS if self.delay_ms else 0))


ROTATIONS = st.integers(0, 2**32).map(rotation)
NETWORKS = st.builds(Network, st.integers(0, 2**32), st.sampled_from((0.0, 0.02, 0.2, 0.6)), st.floats(0, 0.3), st.just(400))
