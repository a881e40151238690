# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a rotation can start, and when. Times in ns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collab_coordinator.core.fleet import Fleet
from collab_coordinator.core.orders import Orders
from collab_coordinator.core.rotation import RotationError
from collab_coordinator.planning.turns import approach_time, dwell_problem, planned_turns, slowest_turn
from ptz_site import NANOSECONDS, Site

#: From the first revision to slot 0, beside the slowest turn: time for the plan to reach all cameras, and for them to come to rest.
START_DELAY_NS = NANOSECONDS


def patience(site: Site, present: tuple[str, ...]) -> float:
    """S to wait for cameras that are not ready. Longer while there is none: a start without any is none, and all may be slow alike."""
    return site.region.start_timeout * (1 if present else 3)


def start_problem(site: Site, present: tuple[str, ...], orders: Orders, fleet: Fleet) -> tuple[RotationError, str] | None:
    """What stands in the way with the cameras that are present; None if nothing does. The dwell is looked at elsewhere."""
    if not present:
        cameras = ', '.join(fleet.cameras)
        return (
            RotationError.NO_CAMERAS,
            f'no camera reported within {patience(site, present):g} s ({cameras}); are the drivers running?',
        )
    if offset := clock_problem(site, present, fleet):
        return RotationError.CLOCK_OFFSET, offset
    if not any(order.camera in present for order in orders):
        return RotationError.NOTHING_TO_WATCH, f'none of {", ".join(present)} reaches a scene; give them presets'
    return None


def clock_problem(site: Site, cameras: tuple[str, ...], fleet: Fleet) -> str:
    """Which clock is off by more than the site allows, in a sentence; empty if none is."""
    limits = site.region.clock
    if limits.allow_beyond:
        return ''
    for camera in cameras:
        offset = fleet.clock_offset(camera)
        if abs(offset) > limits.max_offset:
            return (
                f'clock of {camera} is off by {offset:+.3f} s, more than {limits.max_offset:g} s; set it (NTP), '
                'or set region.clock.allow_beyond: true'
            )
    return ''


def dwell_refusal(site: Site, dwell_ns: int, orders: Orders) -> str:
    """Why a dwell is too short for the slowest turn, for people; empty if it is not."""
    return dwell_problem(dwell_ns / NANOSECONDS, slowest_turn(planned_turns(site, orders)))


def first_dwell_ns(site: Site, orders: Orders) -> int:
    """The dwell with which a rotation begins if nobody says another: the site's, or with dwell: auto one that leaves time for turns."""
    dwell = site.region.first_dwell
    slowest = slowest_turn(planned_turns(site, orders))
    if site.region.dwell == 'auto' and slowest is not None:
        dwell = max(dwell, 2 * slowest.seconds)
    return round(dwell * NANOSECONDS)


def slot_zero_ns(site: Site, orders: Orders, fleet: Fleet, now_ns: int) -> int:
    """When slot 0 begins: at the site's start time if that lies ahead, or as soon as the plan is known and the cameras are in place."""
    if start := _site_start(site, now_ns):
        return start
    positions = {
        camera: report.position
        for camera in fleet.cameras
        if (report := fleet.newest(camera)) is not None and report.position is not None
    }
    slowest = slowest_turn(planned_turns(site, orders))
    seconds = max(slowest.seconds if slowest else 0.0, approach_time(site, orders, positions))
    return now_ns + START_DELAY_NS + round(seconds * NANOSECONDS)


def _site_start(site: Site, now_ns: int) -> int:
    if site.region.start is None:
        return 0
    ns = (site.region.start - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) * 1000
    return ns if ns > now_ns else 0
