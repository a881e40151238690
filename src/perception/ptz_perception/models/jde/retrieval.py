# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How well appearances tell people apart: who is found again in other cameras. Without PyTorch.

As in Market-1501 (Zheng et al., ICCV 2015): each picture asks for its person in the pictures of other views; those of the same person in
the same view don't count. Rank 1: the share of questions whose first answer is right; mAP: the mean over questions of the average
precision, sum over right answers of (right answers so far / answers so far) / right answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]


@dataclass(frozen=True)
class Pictured:
    """n pictures: appearances (n, d) of length 1, who is on them, and in which view (scene and camera)."""

    vectors: Vectors
    identities: Sequence[str]
    views: Sequence[str]


@dataclass(frozen=True)
class Retrieval:
    """Shares from 0 to 1, NaN without questions. questions: pictures whose person is in another view at all."""

    rank_1: float
    mean_ap: float
    questions: int


def likeness_of_others(people: Pictured, share: float) -> float:
    """The cosine that only such a share of pairs of different people exceeds, of pictures in different views; NaN without such pairs."""
    identities, views = np.asarray(people.identities), np.asarray(people.views)
    others = (identities[:, None] != identities[None]) & (views[:, None] != views[None])
    found = np.asarray(people.vectors @ people.vectors.T)[others]
    return float(np.quantile(found, 1.0 - share)) if found.size else float('nan')


def retrieval(asked: Pictured, gallery: Pictured | None = None) -> Retrieval:
    """Each asked picture in the gallery; without one, in all others."""
    gallery = asked if gallery is None else gallery
    similar = np.asarray(asked.vectors @ gallery.vectors.T)
    same = np.asarray(asked.identities)[:, None] == np.asarray(gallery.identities)[None]
    counts = ~(same & (np.asarray(asked.views)[:, None] == np.asarray(gallery.views)[None]))
    first, precisions = [], []
    for row in range(len(similar)):
        right = same[row][counts[row]]
        if not right.any():
            continue
        # Stable, so that equal ones are in the gallery's order.
        ranked = right[np.argsort(-similar[row][counts[row]], kind='stable')]
        places = np.flatnonzero(ranked) + 1
        first.append(bool(ranked[0]))
        precisions.append(float((np.arange(1, len(places) + 1) / places).mean()))
    if not first:
        return Retrieval(float('nan'), float('nan'), 0)
    return Retrieval(float(np.mean(first)), float(np.mean(precisions)), len(first))
