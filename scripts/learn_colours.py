#!/usr/bin/env python3
# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Learns which colours tell people apart, from pictures of them in several cameras and lights.

usage: learn_colours.py DATA [OUT] (in the environment of env.sh). DATA is what ptz-collab dataset simulate --kinds identities makes; OUT is
by default what perception comes with. Prints how many pairs of pictures of the same person, of the splits that nothing is learnt from, are
found where 0.5 % of the pairs of different people are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.models.jde.identities import read_identities
from ptz_perception.recognition.discriminant import fit_discriminant
from ptz_perception.recognition.embedders.colour import ColourHistograms
from ptz_perception.shipped import shipped_file

#: Numbers of a feature; with these pictures of different people are as alike as by the histograms, and those of the same person more.
DIMENSIONS, RIDGE = 128, 3.0
#: px; smaller pictures are not looked at: perception.recognition.least_height.
LEAST_HEIGHT = 48
FALSE = 0.005


def main() -> int:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    data = Path(sys.argv[1]) / 'identities'
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else shipped_file('colours.npy')
    features, identities = histograms(data, 'train')
    learnt = fit_discriminant(features, identities, DIMENSIONS, RIDGE)
    np.save(out, learnt.astype(np.float16))
    parts = [histograms(data, split) for split in ('val', 'test')]
    others = np.concatenate([found for found, _ in parts])
    names = np.concatenate([1000 * number + found for number, (_, found) in enumerate(parts)])
    before, after = found_again(others, names), found_again(others @ learnt, names)
    print(f'{len(features)} pictures of {len(set(identities.tolist()))} people; of others, at {FALSE:.1%} false:')
    print(f'{before:.1%} of the pairs are found by the histograms, {after:.1%} by what was learnt; {out}')
    return 0


def histograms(data: Path, split: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, d) and the numbers of the people (n,)."""
    of, features, names = ColourHistograms(), [], []
    for one in read_identities(data, split):
        picture = cv2.imread(str(one.path))
        if picture is not None and picture.shape[0] >= LEAST_HEIGHT and picture.shape[1] >= 8:
            features.append(of.of(np.asarray(picture, np.uint8)))
            names.append(one.identity)
    _, numbers = np.unique(names, return_inverse=True)
    return np.array(features, float), numbers


def found_again(features: NDArray[np.float64], names: NDArray[np.int64]) -> float:
    """Share of the pairs of one person that are more alike than all but FALSE of those of two."""
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    pairs = np.triu_indices(len(units), 1)
    alike, same = (units @ units.T)[pairs], (names[:, None] == names[None])[pairs]
    return float((alike[same] >= np.quantile(alike[~same], 1 - FALSE)).mean())


if __name__ == '__main__':
    sys.exit(main())
