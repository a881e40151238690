# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what a plan says for any instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptz_site import CameraOrder, Plan, PlanBook, PlanMode

S = 1_000_000_000
ORDERS = (CameraOrder('a', ('x', 'y', 'z')), CameraOrder('b', ('y', 'z', 'x')))


def plan(revision: int = 1, effective: int = 100, **changes: object) -> Plan:
    fields: dict[str, object] = {
        'region': 'r',
        'revision': revision,
        'effective_at_ns': effective * S,
        'mode': PlanMode.RUNNING,
        'dwell_ns': 10 * S,
        'orders': ORDERS,
        'slot_start_ns': 100 * S,
        **changes,
    }
    return Plan(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('seconds', 'slot', 'scene'),
    [(50, 0, 'x'), (100, 0, 'x'), (109.999, 0, 'x'), (110, 1, 'y'), (129.5, 2, 'z'), (130, 3, 'x')],
)
def test_slots_follow_each_other_every_dwell(seconds: float, slot: int, scene: str) -> None:
    at = round(seconds * S)
    assert plan().slot(at) == slot
    assert plan().scene('a', at) == scene


def test_a_plan_with_an_end_stays_in_its_last_slot() -> None:
    ending = plan(end_slot=3)
    assert ending.ends_ns() == 130 * S
    assert ending.slot(500 * S) == 2
    assert ending.next_slot_ns(115 * S) == 120 * S
    assert ending.next_slot_ns(120 * S) is None


def test_a_held_plan_stands_and_a_resumed_one_goes_on_with_the_time_left() -> None:
    held = plan(2, 113, mode=PlanMode.HELD, first_slot=1, slot_elapsed_ns=3 * S)
    assert [held.scene('a', t * S) for t in (113, 150, 900)] == ['y', 'y', 'y']
    assert held.next_slot_ns(113 * S) is None
    resumed = plan(3, 200, first_slot=1, slot_start_ns=197 * S)
    assert resumed.scene('a', 206 * S) == 'y'
    assert resumed.next_slot_ns(200 * S) == 207 * S
    assert resumed.scene('a', 207 * S) == 'z'


def test_an_unknown_camera_and_a_stopped_plan_assign_nothing() -> None:
    assert plan().scene('stranger', 100 * S) == ''
    assert plan(mode=PlanMode.STOPPED).scene('a', 100 * S) == ''


def test_a_dwell_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match='dwell'):
        plan(dwell_ns=0)


def test_older_and_repeated_revisions_change_nothing() -> None:
    book = PlanBook()
    assert book.take(plan(5))
    assert not book.take(plan(5, 1))
    assert not book.take(plan(4, 1))
    assert book.newest is not None and book.newest.revision == 5


def test_a_revision_applies_from_its_instant_on() -> None:
    book = PlanBook()
    book.take(plan(1))
    book.take(plan(2, 125, mode=PlanMode.HELD, first_slot=2))
    at_120, at_125 = book.in_force(120 * S), book.in_force(125 * S)
    assert at_120 is not None and at_120.revision == 1
    assert at_125 is not None and at_125.revision == 2
    assert book.next_change_ns(121 * S) == 125 * S
    assert book.next_change_ns(125 * S) is None


def test_the_first_plan_is_taken_up_early_so_that_cameras_are_in_place() -> None:
    book = PlanBook()
    book.take(plan(1, 100))
    early = book.in_force(90 * S)
    assert early is not None and early.scene('b', 90 * S) == 'y'


def test_a_newer_revision_replaces_one_that_was_to_come_later() -> None:
    book = PlanBook()
    book.take(plan(1))
    book.take(plan(2, 200, mode=PlanMode.STOPPED))
    book.take(plan(3, 150, mode=PlanMode.HELD))
    later = book.in_force(250 * S)
    assert later is not None and later.revision == 3


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 1000)), min_size=1, max_size=20),
    st.integers(0, 1200),
)
def test_in_force_is_the_highest_revision_in_effect_whatever_the_order_of_arrival(
    arrivals: list[tuple[int, int]], now: int
) -> None:
    book = PlanBook()
    taken: list[Plan] = []
    for revision, effective in arrivals:
        candidate = plan(revision, effective)
        if book.take(candidate):
            taken.append(candidate)
    effective_now = [p for p in taken if p.effective_at_ns <= now * S]
    if effective_now:
        in_force = book.in_force(now * S)
        assert in_force is not None
        assert in_force.revision == max(p.revision for p in effective_now)


def test_forgetting_keeps_what_is_in_force_and_what_is_to_come() -> None:
    book = PlanBook()
    for revision, effective in ((1, 100), (2, 110), (3, 130)):
        book.take(plan(revision, effective))
    book.forget_before(120 * S)
    assert book.in_force(120 * S) == plan(2, 110)
    assert book.in_force(130 * S) == plan(3, 130)
