# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what a coordinator that starts makes of what it hears."""

from dataclasses import replace

import pytest

from collab_coordinator.core.fleet import CameraReport, Fleet
from collab_coordinator.core.takeover import LISTEN_NS, PATIENCE_NS, Instance, Takeover, gives_way
from ptz_site import NANOSECONDS as S
from ptz_site import CameraOrder, Phase, Plan, PlanMode

PLAN = Plan('r', 7, 100 * S, PlanMode.RUNNING, 5 * S, (CameraOrder('north', ('gate', 'road')),), slot_start_ns=100 * S)


def fleet(revision: int) -> Fleet:
    found = Fleet(['north'], 3 * S)
    found.take(CameraReport('north', 200 * S, 200 * S, 1, Phase.IN_POSITION, 'gate', revision))
    return found


def test_it_listens_first_and_then_goes_on_with_the_newest_plan() -> None:
    takeover = Takeover()
    takeover.saw(PLAN)
    takeover.saw(replace(PLAN, revision=5))
    assert not takeover.is_ready(200 * S, fleet(7))
    assert not takeover.is_ready(200 * S + LISTEN_NS - 1, fleet(7))
    assert takeover.is_ready(200 * S + LISTEN_NS, fleet(7))
    assert takeover.plan(200 * S) == PLAN


def test_of_two_plans_with_one_number_it_goes_on_with_the_later_one() -> None:
    """One of them is of a coordinator that a camera which stood still has never heard of."""
    later = replace(PLAN, effective_at_ns=PLAN.effective_at_ns + S, coordinator='second')
    for plans in ((PLAN, later), (later, PLAN)):
        takeover = Takeover()
        for plan in plans:
            takeover.saw(plan)
        assert takeover.plan(200 * S) == later


def test_it_waits_for_a_plan_that_a_camera_names_but_not_for_ever() -> None:
    takeover = Takeover()
    assert not takeover.is_ready(0, fleet(7))
    assert not takeover.is_ready(LISTEN_NS, fleet(7))
    takeover.saw(replace(PLAN, revision=6))
    assert not takeover.is_ready(LISTEN_NS, fleet(7))
    assert takeover.is_ready(PATIENCE_NS, fleet(7))


def test_a_plan_that_has_ended_or_was_stopped_is_not_gone_on_with() -> None:
    takeover = Takeover()
    takeover.saw(replace(PLAN, end_slot=4))
    assert takeover.plan(119 * S) is not None
    assert takeover.plan(120 * S) is None
    takeover.saw(replace(PLAN, revision=8, mode=PlanMode.STOPPED))
    assert takeover.plan(119 * S) is None


@pytest.mark.parametrize(
    ('own', 'other', 'gives'),
    [
        (Instance('a', 5, 0), Instance('b', 3, 0), True),  # it was there first
        (Instance('a', 3, 0), Instance('b', 5, 0), False),
        (Instance('a', 3, 4), Instance('b', 5, 9), True),  # its plan is newer: we were thought dead
        (Instance('a', 5, 9), Instance('b', 3, 4), False),
        (Instance('a', 3, 4), Instance('b', 3, 4), False),  # by name, so that one of the two stays
        (Instance('b', 3, 4), Instance('a', 3, 4), True),
        (Instance('a', 3, 4), Instance('a', 3, 4), False),  # ourselves
    ],
)
def test_of_two_coordinators_one_gives_way(own: Instance, other: Instance, gives: bool) -> None:
    assert gives_way(own, other) is gives
    assert own == other or gives_way(other, own) is not gives
