# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One scale for the likeness of appearances, whatever made them.

How like are two pictures of the same person? By colours 0.82, by one network 0.5, by another 0.7: thresholds would have to change with the
model. So a model says from which cosine on two of its vectors are the same person's, and its vectors get one more number, the same in all.
That makes of a cosine c the cosine a + (1 - a) c, still 1 for equal vectors, with a such that the model's threshold comes to lie at SAME.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The cosine from which on two features are taken for the same person's: what perception.recognition.similarity is by default.
SAME = 0.82


def on_common_scale(vectors: NDArray[np.float32], same: float) -> NDArray[np.float32]:
    """Unit vectors (n, d) of a model whose own threshold is `same` as unit vectors (n, d + 1). From SAME on nothing changes."""
    constant = max(0.0, (SAME - same) / (1.0 - same)) if same < 1.0 else 0.0
    if not constant:
        return vectors
    more = np.full((len(vectors), 1), np.sqrt(constant), np.float32)
    return np.hstack((np.float32(np.sqrt(1.0 - constant)) * vectors, more))
