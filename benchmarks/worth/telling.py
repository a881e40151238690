# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Figures and charts of what ways of watching are worth, from the results of many scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from report.figures import Chart, ChartKind, Figure, Series, at_least
from rich.table import Table

from worth.comparison import OURS, REFERENCES, Result, Way
from worth.estimates import Estimate, mean, ratio
from worth.measures import NAMES

#: What a user reads for each figure of a Worth, and its unit.
_WORDS = {
    'frontal_people': ('share of people on scenes who had a frontal view', ''),
    'frontal_visits': ('share of stays on a scene with a frontal view', ''),
    'frontal_seconds': ('frontal view for each minute on scenes', 's'),
    'angles': ('distinct view angles of 8, per person and scene', ''),
    'unwatched': ('longest time a scene had no camera at rest', 's'),
    'assigned': ("share of scenes' time with a camera there or on its way", ''),
    'watched': ("share of scenes' time with a camera at rest", ''),
    'target_seen': ("share of targets' time on scenes in clear view", ''),
    'target_frontal': ("share of targets' time on scenes seen frontally", ''),
}
#: The figures that are drawn, and what stands at the axis.
_AXES = {
    'target_frontal': 'share of time',
    'target_seen': 'share of time',
    'frontal_seconds': 's per minute',
    'frontal_visits': 'share of stays',
    'angles': 'angles',
    'unwatched': 's',
}
#: Times the tours', and share of the bound, that are asked for.
TIMES_TOURS, OF_BOUND = 2.0, 0.9


@dataclass(frozen=True)
class Group:
    """Results that belong together, in words."""

    name: str
    results: tuple[Result, ...]


def groups(results: Sequence[Result], key: Callable[[Result], str]) -> list[Group]:
    """By size or density, in the order in which they come."""
    names = dict.fromkeys(key(one) for one in results)
    return [Group(name, tuple(one for one in results if key(one) == name)) for name in names]


def by_size(results: Sequence[Result]) -> list[Group]:
    """One group for each size of a region."""
    return groups(results, lambda one: str(one.scenario.size))


def by_density(results: Sequence[Result]) -> list[Group]:
    """One group for each number of people."""
    return groups(results, lambda one: f'{one.scenario.walkers} people')


def estimate(results: Sequence[Result], way: Way, name: str) -> Estimate:
    """A figure of one way of watching, over some results."""
    return mean([getattr(one.worth[way], name) for one in results])


def table(results: Sequence[Result]) -> Table:
    """All figures of all ways, over all results."""
    found = Table(title=f'{len(results)} regions, means with 95 % intervals', title_justify='left')
    found.add_column('')
    for name in NAMES:
        found.add_column(_WORDS[name][0], justify='right')
    for way in Way:
        cells = [estimate(results, way, name) for name in NAMES]
        found.add_row(str(way), *(f'{one.value:.2f}\n{one.low:.2f}..{one.high:.2f}' for one in cells))
    return found


def figures(results: Sequence[Result]) -> list[Figure]:
    """The goals first, then every figure of every way over all regions, then by sizes of regions."""
    return [*goals(results), *losses(results), *every(results), *by_regions(results)]


def goals(results: Sequence[Result]) -> list[Figure]:
    """What is asked for."""
    frontal = {way: [one.worth[way].target_frontal for one in results] for way in Way}
    times, ours = ratio(frontal[Way.HANDOFF], frontal[Way.TOURS]), mean(frontal[Way.HANDOFF])
    bounds = [one.bound for one in results]
    share, bound = ratio(frontal[Way.HANDOFF], bounds), mean(bounds)
    tours = mean(frontal[Way.TOURS])
    least = [min(one.worth[Way.ROTATION].assigned for one in results), min(one.worth[Way.TOURS].assigned for one in results)]
    return [
        at_least(
            "targets' time seen frontally, times that of uncoordinated tours",
            times.value,
            TIMES_TOURS,
            'times',
            low=times.low,
            high=times.high,
            note=f'{ours.value:.3f} of their time on scenes, tours {tours.value:.3f}',
        ),
        at_least(
            "targets' time seen frontally, as a share of what cameras that know the future could see",
            share.value,
            OF_BOUND,
            low=share.low,
            high=share.high,
            compared='the proven upper bound, as a share of their time on scenes',
            compared_value=bound.value,
        ),
        at_least(
            "share of scenes' time with a camera there or on its way: rotation, the worst region",
            least[0],
            1.0,
            compared='tours, the worst region',
            compared_value=least[1],
        ),
        Figure(
            'the same, as a share of what cameras see that know all of the present, and keep every scene watched',
            ratio(frontal[Way.HANDOFF], frontal[Way.PRESENT]).value,
            low=ratio(frontal[Way.HANDOFF], frontal[Way.PRESENT]).low,
            high=ratio(frontal[Way.HANDOFF], frontal[Way.PRESENT]).high,
            note='without the future, 90 % of the bound can hardly be had: see the next figure',
        ),
        Figure('such cameras, as a share of the bound', ratio(frontal[Way.PRESENT], bounds).value),
        Figure(
            'our decisions, if cameras knew exactly where people look, as a share of the bound',
            ratio(frontal[Way.SEEING], bounds).value,
        ),
        Figure(
            'without a facing model, only by where targets walk, times that of uncoordinated tours',
            ratio(frontal[Way.WALKING], frontal[Way.TOURS]).value,
            'times',
            low=ratio(frontal[Way.WALKING], frontal[Way.TOURS]).low,
            high=ratio(frontal[Way.WALKING], frontal[Way.TOURS]).high,
        ),
        Figure(
            'how close the bound is: the schedule that knows the future, of the bound',
            ratio(frontal[Way.CLAIRVOYANT], bounds).value,
        ),
    ]


def losses(results: Sequence[Result]) -> list[Figure]:
    """Where the frontal time goes that could have been, and what became of holds and handoffs."""
    minutes = sum(one.scenario.seconds for one in results) / 60
    counts = {name: sum(one.counts[name] for one in results) for name in ('holds', 'handed_off', 'never seen after handoff')}
    found = []
    for reason in results[0].lost:
        share = mean([one.lost[reason] for one in results])
        found.append(Figure(f'of the frontal time that was possible: {reason}', share.value, low=share.low, high=share.high))
    found += [
        Figure('holds that began, per region and hour', 60 * counts['holds'] / minutes),
        Figure('holder changes (handoffs), per region and hour', 60 * counts['handed_off'] / minutes),
        Figure(
            'handoffs to a camera that never saw the target there, share',
            counts['never seen after handoff'] / max(1, counts['handed_off']),
            note='nobody is mistaken for somebody else in this model: identity switches of recognition are measured by tracking',
        ),
    ]
    return found


def every(results: Sequence[Result]) -> list[Figure]:
    """Every figure of every way, over all regions; ours beside the tours'."""
    found = []
    for name, (words, unit) in _WORDS.items():
        tours = estimate(results, Way.TOURS, name).value
        for way in Way:
            one = estimate(results, way, name)
            beside = {'compared': 'tours', 'compared_value': tours} if way in OURS else {}
            found.append(Figure(f'{words}: {way}', one.value, unit, low=one.low, high=one.high, **beside))
    return found


def by_regions(results: Sequence[Result]) -> list[Figure]:
    """The comparisons of the goals for each size, and for each density; and how many times the tours' the bound itself is."""
    found = []
    for group in (*by_size(results), *by_density(results)):
        frontal = [one.worth[Way.HANDOFF].target_frontal for one in group.results]
        tours, bounds = [one.worth[Way.TOURS].target_frontal for one in group.results], [one.bound for one in group.results]
        for words, one in (
            ('times that of tours', ratio(frontal, tours)),
            ('share of the bound', ratio(frontal, bounds)),
            ('the bound, times that of tours', ratio(bounds, tours)),
        ):
            found.append(Figure(f'frontal time of targets, {words}: {group.name}', one.value, low=one.low, high=one.high))
    return found


def charts(results: Sequence[Result]) -> list[Chart]:
    """Bars for each way, by size and by density, with intervals."""
    found = []
    for name, label in _AXES.items():
        words = _WORDS[name][0]
        for axis, parted in (('cameras x scenes', by_size(results)), ('people in the region', by_density(results))):
            ways = [way for way in Way if way not in REFERENCES]
            series = [_series(str(way), parted, [estimate(group.results, way, name) for group in parted]) for way in ways]
            if name == 'target_frontal':
                series.append(_series('upper bound', parted, [mean([one.bound for one in group.results]) for group in parted]))
            found.append(Chart(f'{words[0].upper()}{words[1:]}, by {axis}', axis, label, tuple(series), ChartKind.BARS))
    return found


def _series(name: str, parted: Sequence[Group], values: Sequence[Estimate]) -> Series:
    rows = np.array([(one.value, one.low, one.high) for one in values]).T
    return Series(name, tuple(group.name for group in parted), *(tuple(row.tolist()) for row in rows))
