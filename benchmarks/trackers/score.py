# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""TrackEval's figures for results that lie in a file: `score.py FILE.npz` prints {case: [HOTA, MOTA, IDF1, exchanges]}.

Run in the environment that benchmarks/tracking.py makes. The file has, for each case and sequence, the arrays <case>|<sequence>|truth and
<case>|<sequence>|found: rows of MOTChallenge, frame from 1 on, id, left, upper, width, height, 1, and of truth 1 and the visibility.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from mot17 import Array, Result, Sequence17, evaluate


def main() -> None:
    """Prints one line."""
    found: dict[str, list[tuple[Sequence17, Result]]] = defaultdict(list)
    with np.load(Path(sys.argv[1])) as arrays:
        for key in arrays:
            case, name, kind = key.split('|')
            if kind == 'truth':
                truth, told = arrays[key], arrays[f'{case}|{name}|found']
                length = int(truth[:, 0].max(initial=1))
                found[case].append((Sequence17(name, 1.0, truth, ((),) * length), result(told, length)))
    figures = {case: evaluate(*zip(*pairs, strict=True)) for case, pairs in found.items()}
    sys.stdout.write(json.dumps({case: [of.hota, of.mota, of.idf1, of.switches] for case, of in figures.items()}) + '\n')


def result(rows: Array, length: int) -> Result:
    """Frame by frame."""
    frames = [rows[rows[:, 0] == number] for number in range(1, length + 1)]
    return [
        (frame[:, 1].astype(np.int64), np.column_stack((frame[:, 2:4] + frame[:, 4:6] / 2, frame[:, 4:6]))) for frame in frames
    ]


if __name__ == '__main__':
    main()
