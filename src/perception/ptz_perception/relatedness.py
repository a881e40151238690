# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How related a live scene is to those that a model was trained on, and which pictures are instance-normalised for it.

Instance normalisation takes out of a picture what is due to light, season and camera, and some of what tells people apart as well. Where a
scene is like those of the training it is hardly needed: every k-th picture gets it. Where it is not, more of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: From a live scene's keywords and those of one scene of the training to their relatedness, 0 to 1.
Measure = Callable[[Collection[str], Collection[str]], float]


def overlap(live: Collection[str], trained: Collection[str]) -> float:
    """The share of the live scene's keywords that the other scene has too, 0 to 1; 0 without keywords: nothing is known of it then."""
    wanted, known = ({word.strip().casefold() for word in words} for words in (live, trained))
    return len(wanted & known) / len(wanted) if wanted else 0.0


def relatedness(live: Collection[str], trained: Iterable[Collection[str]], measure: Measure = overlap) -> float:
    """Of a live scene and the scene of the training that is most like it, 0 to 1; 0 without any."""
    return max((measure(live, words) for words in trained), default=0.0)


@dataclass(frozen=True)
class Sparsity:
    """The factor for scenes that are not related at all, and for one that was trained on. Raises ValueError unless 1 <= least <= most."""

    least: int = 1
    most: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise ValueError(f'the least factor {self.least} must be at least 1 and at most the greatest, {self.most}')

    def factor(self, related: float) -> int:
        """For a relatedness from 0 to 1; in between in proportion, rounded down: rather a picture more than one less."""
        return self.least + int(min(max(related, 0.0), 1.0) * (self.most - self.least) + 1e-9)


def instance_normalised(count: int, factor: int, before: int = 0) -> NDArray[np.bool_]:
    """(count,): every factor-th picture. before: pictures that went before these, so that batches of any size give the same.

    Of 10 pictures, 2 with factor 5 and 5 with factor 2; with factor 1 all. Raises ValueError for a factor below 1.
    """
    if factor < 1:
        raise ValueError(f'a factor of at least 1 is needed, not {factor}')
    return np.asarray((before + np.arange(count)) % factor == factor - 1)
