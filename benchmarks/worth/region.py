# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A region that is watched our way: the coordinator's core and the cameras of tests/simulated_region.py, with the eyes of watchers.py."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tests'))

from simulated_region import START, SimulatedCamera, SimulatedRegion

from collab_coordinator.core.rotation import RotationRequest
from ptz_site import NANOSECONDS, Hold, Phase, Site
from worth.baselines import Watching
from worth.views import Views
from worth.watchers import Eyes, Watchers

#: ns from one look of the coordinator to the next, as in its node.
_TICK_NS = NANOSECONDS // 10


@dataclass(frozen=True)
class Watched:
    """A region's time. holders: (T, targets), who held for each target, a camera's number, -1: nobody; asked: (T, targets), of Asked;
    counts: how often what happened.
    """

    watching: Watching
    holders: np.ndarray
    asked: np.ndarray
    counts: Counter[str] = field(default_factory=Counter)


def watch(
    site: Site,
    views: Views,
    targets: Sequence[int],
    lead: float,
    *,
    hold: bool = False,
    handoff: bool = False,
    knows_facing: bool = False,
) -> Watched:
    """Runs the rotation through all steps of the views, which begin `lead` s after the coordinator. knows_facing: as in Eyes."""
    steps, step_ns = len(views.clear), round(views.step * NANOSECONDS)
    dwell_ns = round(site.region.first_dwell * NANOSECONDS)
    region = SimulatedRegion(site, RotationRequest(dwell_ns), tick_ns=_TICK_NS)
    # Steps lie between the coordinator's ticks: a plan is with all cameras before one of them acts.
    region.run(lead + 0.05)
    begin_ns = region.now_ns
    numbers = {scene: s for s, scene in enumerate(site.scenes)}
    watchers = Watchers(site, region.act, handoff)
    eyes = [Eyes(site, c, views, targets, knows_facing) for c in range(len(site.cameras))]
    rest, sent = (np.full((steps, len(eyes)), -1, np.int8) for _ in range(2))
    holders, asked = np.full((steps, len(targets)), -1, np.int8), np.zeros((steps, len(targets)), np.int8)
    names = {name: c for c, name in enumerate(site.cameras)}
    for k in range(steps):
        now_ns = begin_ns + k * step_ns
        region.run((now_ns - region.now_ns) / NANOSECONDS)
        for c, camera in enumerate(region.cameras.values()):
            sent[k, c] = numbers.get(camera.scene, -1)
            rest[k, c] = sent[k, c] if camera.phase(now_ns) is Phase.IN_POSITION else -1
        if not hold or region.rotation is None:
            continue
        watchers.hear(region.rotation.take_ended_holds(), now_ns)
        for c, camera in enumerate(region.cameras.values()):
            # What a camera knows is one step old.
            looked = k > 0 and rest[k, c] >= 0 and rest[k - 1, c] == rest[k, c]
            seen = eyes[c].look(k - 1, int(rest[k, c]), camera.switch_ns, now_ns) if looked else None
            watchers.pass_time(camera.name, seen, camera.scene, _holds(camera, now_ns), now_ns)
        holding = watchers.holding
        for t, target in enumerate(targets):
            holders[k, t] = names.get(holding.get(str(target), ''), -1)
            asked[k, t] = watchers.asked(str(target), now_ns)
    assert region.now_ns >= START
    return Watched(Watching(rest, sent), holders, asked, watchers.counts)


def slot_zero(site: Site) -> float:
    """S from the coordinator's begin to slot 0."""
    region = SimulatedRegion(site, RotationRequest(round(site.region.first_dwell * NANOSECONDS)), tick_ns=_TICK_NS)
    region.run(1.0)
    return (region.plans[0].slot_start_ns - START) / NANOSECONDS


def _holds(camera: SimulatedCamera, now_ns: int) -> tuple[Hold, ...]:
    plan = camera.book.in_force(now_ns)
    return plan.holds if plan is not None else ()
