# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What of features tells identities apart: a linear map that is learnt from features of known identities.

Fisher's discriminant analysis with a ridge, for more numbers than their variation is known of (Hastie, Buja and Tibshirani, Penalized
discriminant analysis, Annals of Statistics 1995). It takes the share of what varies within an identity (light, pose, what is behind) and
keeps the directions in which the identities differ most. Features are not centred: they are compared by the angle at zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def fit_discriminant(features: Matrix, identities: NDArray[np.int64], dimensions: int, ridge: float) -> Matrix:
    """The map (d, dimensions) for features (n, d) of identities (n,): feature @ map.

    ridge: what is added to the variance within identities, as a multiple of its mean; the greater it is, the nearer the map comes to
    the most important directions alone. Raises ValueError for fewer identities or numbers than dimensions, and if no identity has two
    features.
    """
    names, members = np.unique(identities, return_inverse=True)
    if dimensions > min(len(names), features.shape[1]):
        raise ValueError(f'{dimensions} dimensions are not to be had of {len(names)} identities in {features.shape[1]} numbers')
    counts = np.bincount(members)
    means = np.zeros((len(names), features.shape[1]))
    np.add.at(means, members, features)
    means /= counts[:, None]
    away = features - means[members]
    within = away.T @ away / len(features)
    mean_variance = np.trace(within) / len(within)
    if mean_variance <= 0:
        raise ValueError('no identity has two features that differ')
    variances, directions = np.linalg.eigh(within + ridge * mean_variance * np.eye(len(within)))
    whitening = directions / np.sqrt(variances) @ directions.T
    _, _, between = np.linalg.svd(means @ whitening, full_matrices=False)
    return np.asarray(whitening @ between[:dimensions].T)
