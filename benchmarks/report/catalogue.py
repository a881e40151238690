# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which benchmarks there are, in the order of the report, and when each is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

DATA = 'PTZ_COLLAB_TEST_DATA'


class When(StrEnum):
    """By which target of make."""

    ALWAYS = 'always'
    FULL = 'not in a quick run'
    ON_DATA = 'with real data'
    BY_HAND = 'by hand'


@dataclass(frozen=True)
class Benchmark:
    """One script of benchmarks/. quick: its words for a quick run; how: what to type for one that is run by hand."""

    name: str
    when: When
    quick: tuple[str, ...] = ('--quick',)
    how: str = ''
    #: s after which it is ended.
    limit: float = 1800.0

    def why_not(self, quick: bool, variables: Mapping[str, str]) -> str:
        """Why it is not run now; empty: it is."""
        if self.when is When.BY_HAND:
            return f'is not part of this: {self.how}'
        if self.when is When.ON_DATA and DATA not in variables:
            return f'needs {DATA}, a folder with MOT17, videos and a model'
        if quick and self.when is not When.ALWAYS:
            return 'is not part of a quick run: make bench'
        return ''


CATALOGUE = (
    Benchmark('worth', When.ALWAYS, limit=3600.0),
    Benchmark('capacity', When.FULL),
    Benchmark('startup', When.FULL),
    Benchmark('soak', When.BY_HAND, how='make bench-soak'),
    Benchmark('coordinator', When.FULL),
    Benchmark('planning', When.ALWAYS),
    Benchmark('growth', When.ALWAYS),
    Benchmark('network', When.FULL),
    Benchmark('targets', When.FULL),
    Benchmark('tracking', When.ON_DATA),
    Benchmark('detectors', When.ON_DATA),
    Benchmark('selection', When.ALWAYS),
    Benchmark('best_frames', When.FULL),
    Benchmark('upload', When.ALWAYS),
    Benchmark('stitching', When.ALWAYS),
    Benchmark('cascade', When.BY_HAND, how='python benchmarks/cascade.py --data DIR trains networks for hours'),
    Benchmark('jde', When.BY_HAND, how='python benchmarks/jde.py --data DIR trains networks for hours'),
    Benchmark('simulator', When.ALWAYS),
)
