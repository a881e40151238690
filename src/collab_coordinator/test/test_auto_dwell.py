# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the dwell that follows how long people stay."""

from __future__ import annotations

from collections.abc import Callable

from simulated_region import SimulatedRegion

from collab_coordinator.core.auto_dwell import AutoDwell
from collab_coordinator.core.holds import HoldRequest
from collab_coordinator.core.rotation import RotationRequest
from ptz_site import NANOSECONDS as S
from ptz_site import PlanMode, Site

SiteMaker = Callable[..., Site]


def people(auto: AutoDwell, stay: float, count: int) -> None:
    """So many people stay for so many seconds each, one after the other, while one camera looks on."""
    at = 0.0
    for person in range(count):
        for step in range(int(stay * 4) + 1):
            auto.observer.take('north', 'gate', 1, 1, round((at + step / 4) * S), [person])
        at += stay + 1
    auto.observer.take('north', 'gate', 1, 1, round((at + 10) * S), [])
    auto.observer.take('north', 'road', 1, 2, round((at + 11) * S), [])


def run(region: SimulatedRegion, auto: AutoDwell, seconds: int) -> bool:
    """Whether the dwell was changed within some seconds."""
    changed = False
    for _ in range(10 * seconds):
        region.run(0.1)
        slot = region.rotation.progress(region.now_ns, region.fleet).slot if region.rotation else 0
        changed |= bool(region.act(lambda r, slot=slot: auto.look(r, slot, region.now_ns)))  # type: ignore[misc]
    return changed


def test_the_dwell_changes_at_a_slot_boundary_and_all_cameras_go_on_from_their_scenes(make_site: SiteMaker) -> None:
    site = make_site(dwell='auto')
    region, auto = SimulatedRegion(site, RotationRequest(10 * S)), AutoDwell(site)
    people(auto, 60.0, 40)
    assert run(region, auto, 60)
    before, after = region.plans[0], region.plans[-1]
    assert before.dwell_ns == 10 * S
    # The median of exponential stays with a mean of 60 s is 42 s; three slots fit into it.
    assert 13 * S < after.dwell_ns < 15 * S
    assert (after.effective_at_ns - before.slot_start_ns) % (10 * S) == 0
    boundary = after.effective_at_ns
    assert [before.scene(c, boundary) for c in site.cameras] == [after.scene(c, boundary) for c in site.cameras]
    assert not run(region, auto, 60), 'it is right now'


def test_nothing_changes_while_little_was_seen_or_the_rotation_is_held(make_site: SiteMaker) -> None:
    site = make_site(dwell='auto')
    region, auto = SimulatedRegion(site, RotationRequest(10 * S)), AutoDwell(site)
    assert not run(region, auto, 40)
    region.act(lambda r: r.hold(HoldRequest('', '', limit_ns=0, kept_alive=False), region.now_ns))
    people(auto, 60.0, 40)
    assert not run(region, auto, 40)
    assert region.plans[-1].mode is PlanMode.HELD


def test_the_dwell_is_never_shorter_than_turns_allow(make_site: SiteMaker) -> None:
    site = make_site(dwell='auto')
    region, auto = SimulatedRegion(site, RotationRequest(10 * S)), AutoDwell(site)
    people(auto, 1.0, 60)
    assert run(region, auto, 60)
    # Slowest turn 1.25 s.
    assert region.plans[-1].dwell_ns == 2.5 * S
