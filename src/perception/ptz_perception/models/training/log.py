# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a training: a CSV file that any spreadsheet opens, one line each time something is known."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


class TrainingLog:
    """Lines of iteration, name, value. A training that goes on drops what came after its checkpoint."""

    def __init__(self, path: Path, keep_until: int) -> None:
        self._path = path
        lines = _read(path) if keep_until else []
        with path.open('w', newline='') as stream:
            writer = csv.writer(stream)
            writer.writerow(('iteration', 'name', 'value'))
            writer.writerows(line for line in lines if int(line[0]) <= keep_until)

    def add(self, iteration: int, values: Mapping[str, float]) -> None:
        """What is known after an iteration."""
        with self._path.open('a', newline='') as stream:
            csv.writer(stream).writerows((iteration, name, f'{value:.6g}') for name, value in values.items())


def _read(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline='') as stream:
        # A kill may have cut the last line off.
        return [line for line in list(csv.reader(stream))[1:] if len(line) == 3 and line[0].isdigit()]
