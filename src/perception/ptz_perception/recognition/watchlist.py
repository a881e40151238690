# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The targets that somebody asked to be told about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np

from ptz_perception.recognition.embedders.base import Feature, unit

_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,63}')
_COLOUR = re.compile(r'#[0-9a-f]{6}')
#: Marks of targets for whom none was chosen: told apart also by people who see few colours.
_COLOURS = ('#d62728', '#1f77b4', '#ff7f0e', '#9467bd', '#2ca02c', '#17becf', '#e377c2', '#bcbd22')


class MarkShape(Enum):
    """What is drawn around or above a target."""

    BOX = 'box'
    TRIANGLE = 'triangle'
    ARROW = 'arrow'


class WatchlistFault(IntEnum):
    """Why a change was not made. Values as in AddTarget.srv and RemoveTarget.srv."""

    EXISTS = 400
    BAD_PICTURE = 401
    BAD_FEATURE = 402
    UNKNOWN_KIND = 403
    NOT_SAVED = 404
    BAD_TARGET = 405
    UNKNOWN_TARGET = 410


class WatchlistError(Exception):
    """A change that was not made: which fault, and one sentence."""

    def __init__(self, fault: WatchlistFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(frozen=True)
class Target:
    """Something on the watchlist. feature: unit vector of what the kind's embedder makes. Raises WatchlistError if it can't be one."""

    target: str
    kind: str
    feature: tuple[float, ...]
    label: str = ''
    mark_colour: str = _COLOURS[0]
    mark_shape: MarkShape = MarkShape.BOX
    hold: bool = True
    added_ns: int = 0
    added_by: str = ''

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.target):
            raise WatchlistError(
                WatchlistFault.BAD_TARGET,
                f'target: {self.target!r} found; allowed are letters, digits, _ . and -, up to 64, the first a letter or digit',
            )
        if not _COLOUR.fullmatch(self.mark_colour):
            raise WatchlistError(WatchlistFault.BAD_TARGET, f'mark_colour: {self.mark_colour!r} found; give #rrggbb')

    @property
    def vector(self) -> Feature:
        """The feature as an array."""
        return np.asarray(self.feature, np.float32)


@dataclass(frozen=True)
class Watchlist:
    """Targets in the order in which they were added; immutable. lengths: numbers of a feature, by kind that an embedder is there for."""

    targets: Mapping[str, Target] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)

    def __iter__(self) -> Iterator[Target]:
        return iter(self.targets.values())

    def with_target(self, target: Target) -> Watchlist:
        """With one more. Raises WatchlistError if it is there already."""
        if target.target in self.targets:
            raise WatchlistError(
                WatchlistFault.EXISTS, f'{target.target} is on the list already; remove it first, or give another name'
            )
        return Watchlist({**self.targets, target.target: target})

    def without(self, target: str) -> Watchlist:
        """With one less. Raises WatchlistError if it is not there."""
        if target not in self.targets:
            there = ', '.join(self.targets) or 'nobody'
            raise WatchlistError(WatchlistFault.UNKNOWN_TARGET, f'no target {target} is on the list; there is {there}')
        return Watchlist({name: found for name, found in self.targets.items() if name != target})

    def free_colour(self) -> str:
        """A mark's colour that no target has yet, as long as there is one."""
        taken = [target.mark_colour for target in self]
        return min(_COLOURS, key=taken.count)


def checked_feature(numbers: tuple[float, ...], kind: str, lengths: Mapping[str, int]) -> tuple[float, ...]:
    """The unit vector of a feature of a kind. lengths: of the kinds that there are embedders for. Raises WatchlistError."""
    if kind not in lengths:
        raise WatchlistError(
            WatchlistFault.UNKNOWN_KIND, f'no embedder for {kind!r}; the site has {", ".join(lengths) or "none"}'
        )
    if len(numbers) != lengths[kind]:
        raise WatchlistError(
            WatchlistFault.BAD_FEATURE, f'a feature of {len(numbers)} numbers; the embedder for {kind} makes {lengths[kind]}'
        )
    try:
        return tuple(unit(np.asarray(numbers, np.float64)).tolist())
    except ValueError as error:
        raise WatchlistError(WatchlistFault.BAD_FEATURE, str(error)) from None
