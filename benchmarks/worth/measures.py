# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a way of watching is worth: figures of one region's time, from where its cameras looked."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from worth.baselines import Watching
from worth.views import SECTORS, Array, Flags, Views

#: s: shorter stays of people on scenes are not counted; a view must last so long to count.
STAY, VIEW = 3.0, 0.4


@dataclass(frozen=True)
class Worth:
    """Of one region's time; NaN where there was nobody to say it of.

    frontal_people: share of the people who were on a scene for STAY s that had a frontal view; frontal_visits: the same for each of
    their stays on a scene; frontal_seconds: per person and minute on scenes; angles: distinct view angles (of SECTORS) per person and
    scene; unwatched: s, the longest time that any scene had no camera at rest; assigned, watched: share of scenes' time that a camera was
    there or on its way, and at rest there; target_seen, target_frontal: share of the targets' time on scenes in clear view, and frontal.
    """

    frontal_people: float
    frontal_visits: float
    frontal_seconds: float
    angles: float
    unwatched: float
    assigned: float
    watched: float
    target_seen: float
    target_frontal: float


NAMES = tuple(field.name for field in fields(Worth))


def worth_of(views: Views, watching: Watching, targets: tuple[int, ...]) -> Worth:
    """The figures. Only people within a scene's polygon are counted: nobody asked for what lies between."""
    seen = seen_by(views, watching)
    there = views.scene >= 0
    frontal = (seen & views.frontal).any(axis=2) & there
    anyhow = seen.any(axis=2) & there
    stays = visits(views)
    least = round(VIEW / views.step)
    people = sorted({person for person, _, _ in stays})
    of_visits = [frontal[begin:end, person].sum() >= least for person, begin, end in stays]
    of_people = [frontal[:, person].sum() >= least for person in people]
    on_scenes = float(there.sum()) * views.step
    their = there[:, targets].sum()
    return Worth(
        _mean(of_people),
        _mean(of_visits),
        60 * frontal.sum() * views.step / on_scenes if on_scenes else np.nan,
        angles(views, seen & there[:, :, None]),
        max((longest_gap((watching.at_rest == s).any(axis=1)) for s in _scenes(views)), default=0) * views.step,
        _mean([(watching.assigned == s).any(axis=1).mean() for s in _scenes(views)]),
        _mean([(watching.at_rest == s).any(axis=1).mean() for s in _scenes(views)]),
        anyhow[:, targets].sum() / their if their else np.nan,
        frontal[:, targets].sum() / their if their else np.nan,
    )


def seen_by(views: Views, watching: Watching) -> Flags:
    """(T, W, C): whom each camera saw clearly, where it looked."""
    rest = np.maximum(watching.at_rest, 0).astype(int)[:, None, :, None]
    seen = np.take_along_axis(views.clear, rest, axis=3)[..., 0]
    return np.asarray(seen & (watching.at_rest >= 0)[:, None, :])


def visits(views: Views) -> list[tuple[int, int, int]]:
    """Every stay of a person on a scene that lasted for STAY s: person, first step, step after the last."""
    found = []
    least = round(STAY / views.step)
    for person in range(views.scene.shape[1]):
        column = views.scene[:, person]
        edges = np.flatnonzero(np.diff(column)) + 1
        for begin, end in zip([0, *edges], [*edges, len(column)], strict=True):
            if column[begin] >= 0 and end - begin >= least:
                found.append((person, int(begin), int(end)))
    return found


def angles(views: Views, seen: Flags) -> float:
    """Mean number of sides from which each person was seen on each scene that they were on for STAY s in all."""
    sector, counts = views.sector, []
    least = round(STAY / views.step)
    for s in _scenes(views):
        on = views.scene == s
        for person in np.flatnonzero(on.sum(axis=0) >= least):
            shown = sector[:, person][seen[:, person] & on[:, person, None]]
            counts.append(int((np.bincount(shown, minlength=SECTORS) >= round(VIEW / views.step)).sum()))
    return _mean(counts)


def longest_gap(watched: Flags) -> int:
    """The most steps that follow each other without a camera."""
    edges = np.flatnonzero(np.concatenate(([True], watched, [True])))
    return int(np.diff(edges).max()) - 1


def possible(views: Views) -> Array:
    """(T, W) 1 where any camera on any scene would have a frontal view of somebody on a scene: no way of watching sees more."""
    return np.asarray((views.clear.any(axis=3) & views.frontal).any(axis=2) & (views.scene >= 0), float)


def _scenes(views: Views) -> range:
    return range(views.clear.shape[3])


def _mean(values: list) -> float:  # type: ignore[type-arg]
    return float(np.mean(values)) if len(values) else float('nan')
