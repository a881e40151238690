# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ways of watching that are compared, and one region's time watched in all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ptz_sim.world import World
from ptz_site import Site
from worth import oracle
from worth.baselines import Watching, fixed, lockstep, tours, turn_times
from worth.measures import Worth, seen_by, worth_of
from worth.present import present
from worth.region import Watched, watch
from worth.scenario import DWELL, Scenario, site_of
from worth.views import Views, views_of
from worth.watchers import Asked

#: s that the coordinator runs before the region is looked at, so that the rotation has begun; up to a dwell more, by the seed.
LEAD = 12.0


class Way(StrEnum):
    """How a region is watched."""

    FIXED = 'fixed'
    TOURS = 'tours'
    LOCKSTEP = 'lockstep'
    ROTATION = 'rotation'
    HOLD = 'rotation + hold'
    WALKING = 'rotation + hold + handoff, by where they walk only'
    HANDOFF = 'rotation + hold + handoff'
    SEEING = 'ours, if cameras knew where people look'
    PRESENT = 'knows the present, keeps scenes'
    CLAIRVOYANT = 'clairvoyant'


OURS = (Way.ROTATION, Way.HOLD, Way.WALKING, Way.HANDOFF)
#: What can't be had: they say where the rest is lost.
REFERENCES = (Way.SEEING, Way.PRESENT, Way.CLAIRVOYANT)


@dataclass(frozen=True)
class Result:
    """Of one scenario. bound: no way of watching sees a larger share of the targets' time frontally; counts: of holds and handoffs;
    lost: of the targets' time that could be seen frontally, the share that HANDOFF did not, by reason.
    """

    scenario: Scenario
    worth: Mapping[Way, Worth]
    bound: float
    counts: Counter[str]
    lost: Mapping[str, float]


def compare(scenario: Scenario) -> Result:
    """Watches a region in every way. The same scenario gives the same result."""
    site = site_of(scenario)
    views = views_of(site, World.of_site(site), scenario.times)
    turns, targets, steps = turn_times(site), scenario.targets, len(scenario.times)
    dice = np.random.default_rng([scenario.seed, 23])
    lead = LEAD + float(np.round(dice.uniform(0, DWELL), 1))
    watching: dict[Way, Watching] = {
        Way.FIXED: fixed(site, steps),
        Way.TOURS: tours(site, steps, scenario.step, DWELL, dice),
        Way.LOCKSTEP: lockstep(site, steps, scenario.step, DWELL, dice),
        Way.ROTATION: watch(site, views, targets, lead).watching,
        Way.HOLD: watch(site, views, targets, lead, hold=True).watching,
    }
    best = watch(site, views, targets, lead, hold=True, handoff=True)
    watching[Way.HANDOFF] = best.watching
    watching[Way.WALKING] = watch(by_walking_only(site), views, targets, lead, hold=True, handoff=True).watching
    watching[Way.SEEING] = watch(site, views, targets, lead, hold=True, handoff=True, knows_facing=True).watching
    watching[Way.PRESENT] = present(views, turns, targets)
    watching[Way.CLAIRVOYANT] = oracle.clairvoyant(views, turns, targets)
    worth = {way: worth_of(views, one, targets) for way, one in watching.items()}
    return Result(scenario, worth, oracle.bound(views, turns, targets), best.counts, lost_by(site, views, best, targets))


def by_walking_only(site: Site) -> Site:
    """The same site without a facing model."""
    return site.model_copy(update={'perception': site.perception.model_copy(update={'facing': ''})})


def lost_by(site: Site, views: Views, watched: Watched, targets: Sequence[int]) -> dict[str, float]:
    """Why targets were not seen frontally when some camera could have: shares of that time; with 'seen' they add up to 1."""
    chosen = list(targets)
    can = (views.clear[:, chosen].any(axis=3) & views.frontal[:, chosen]).any(axis=2) & (views.scene[:, chosen] >= 0)
    seen = seen_by(views, watched.watching)[:, chosen]
    frontal = (seen & views.frontal[:, chosen]).any(axis=2)
    held = watched.holders >= 0
    by_holder = np.take_along_axis(seen, np.maximum(watched.holders, 0).astype(int)[:, :, None], axis=2)[:, :, 0]
    moving = views.paths.speed[:, chosen] >= site.perception.recognition.least_speed
    turned = ~frontal & held & by_holder
    unsure = turned & (watched.asked == Asked.NOT)
    reasons = {
        'seen': frontal,
        'nobody holds it: not recognised, or the rotation is about to go on': ~frontal & ~held,
        'its holder does not see it: turning, or hidden': ~frontal & held & ~by_holder,
        'another camera is on its way': turned & (watched.asked == Asked.UNDER_WAY),
        'no other camera can take over, or not yet again': turned & (watched.asked == Asked.REFUSED),
        'it walks, and its holder is not sure yet that it has turned away': unsure & moving,
        'it stands, and its holder is not sure yet that it has turned away': unsure & ~moving,
    }
    total = float(can.sum())
    return {reason: float((mask & can).sum()) / total if total else float('nan') for reason, mask in reasons.items()}
