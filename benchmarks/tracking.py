# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracker beside others from PyPI. They get an environment of their own, because they want another OpenCV than the product."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / 'out' / 'bench' / 'trackers'
REQUIREMENTS = ROOT / 'requirements' / 'bench.txt'


def main() -> int:
    """Makes the environment if it is not there, and runs the comparison in it."""
    command = [python(), ROOT / 'benchmarks' / 'trackers' / 'compare.py']
    return subprocess.run(command, check=False, env=environment()).returncode


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
