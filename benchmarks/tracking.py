# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker beside others from PyPI. They get an environment of their own, because they want another OpenCV than the product."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

from report.figures import Chart, Figure, Series, Stopwatch, at_least, write_outcome

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / 'out' / 'bench' / 'trackers'
REQUIREMENTS = ROOT / 'requirements' / 'bench.txt'
OURS = 'ptz_collab'
#: HOTA in %: the best that was seen on these detections with other programs.
SEEN = {
    'YOLOX-X, second half': 67.8,
    'YOLOX-X, second half, every 3rd frame': 66.5,
    'YOLOX-X, second half, every 6th frame': 65.7,
    'FRCNN': 48.1,
}
#: How many times as fast as the fastest other tracker it should be, by the number of objects.
TIMES = {'50': 4.0, '500': 3.0}
TITLE = 'Tracking'
SUMMARY = 'How well and how fast the tracker follows people, beside others on the same detections (MOT17).'


def main() -> int:
    """Makes the environment if it is not there, and runs the comparison in it."""
    watch, found = Stopwatch(), ROOT / 'out' / 'bench' / 'tracking.json'
    command = [python(), ROOT / 'benchmarks' / 'trackers' / 'compare.py', found]
    code = subprocess.run(command, check=False, env=environment()).returncode
    if code == 0:
        told = json.loads(found.read_text())
        figures = [*accuracy(told['accuracy']), *speed(told['milliseconds'])]
        write_outcome('tracking', watch.outcome(TITLE, SUMMARY, figures, [chart(told['milliseconds'])]))
    return code


def accuracy(cases: Mapping[str, Mapping[str, tuple[float, ...]]]) -> Iterator[Figure]:
    """Against the best of the others on the same detections, and against what was seen elsewhere."""
    for case, found in cases.items():
        for place, measure in enumerate(('HOTA', 'MOTA', 'IDF1')):
            best = max((name for name in found if name != OURS), key=lambda name, place=place: found[name][place])  # type: ignore[misc]
            seen = SEEN.get(case) if measure == 'HOTA' else None
            limit = round(max(found[best][place], seen or 0.0), 1)
            name, value = f'{measure}, {case}', round(found[OURS][place], 1)
            compared = {'compared': best, 'compared_value': found[best][place]}
            yield at_least(name, value, limit, '%', **compared)


def speed(counts: Mapping[str, Mapping[str, float]]) -> Iterator[Figure]:
    """How many times as fast as the fastest of the others."""
    for count, found in counts.items():
        fastest = min((name for name in found if name != OURS), key=lambda name: found[name])  # type: ignore[misc]
        compared = {'compared': fastest, 'compared_value': found[fastest]}
        yield Figure(f'one frame of {count} objects', found[OURS], 'ms', **compared)  # type: ignore[arg-type]
        if count in TIMES:
            ratio = found[fastest] / found[OURS]
            yield at_least(f'times as fast as the fastest other, {count} objects', ratio, TIMES[count], 'times')


def chart(counts: Mapping[str, Mapping[str, float]]) -> Chart:
    """Ms over objects."""
    names, sizes = list(next(iter(counts.values()))), tuple(map(float, counts))
    lines = tuple(Series(name, sizes, tuple(found[name] for found in counts.values())) for name in names)
    return Chart('One frame', 'objects in it', 'ms of one core', lines)


def python() -> Path:
    """The environment's, which is made if it is not there."""
    found = PLACE / 'bin' / 'python'
    stamp = PLACE / 'requirements.txt'
    if not stamp.is_file() or stamp.read_text() != REQUIREMENTS.read_text():
        venv.create(PLACE, with_pip=True, clear=True)
        subprocess.run([found, '-m', 'pip', 'install', '-q', '-r', REQUIREMENTS], check=True, env=_clean())
        stamp.write_text(REQUIREMENTS.read_text())
    return found


def environment() -> dict[str, str]:
    """Variables for what runs in it: the product's plain modules can be imported, and one core is used."""
    source = os.pathsep.join(str(ROOT / 'src' / part) for part in ('perception', 'ptz_site'))
    single = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'), '1')
    return {**_clean(), **single, 'PYTHONPATH': source}


def _clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ('PYTHONPATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')}


if __name__ == '__main__':
    sys.exit(main())
