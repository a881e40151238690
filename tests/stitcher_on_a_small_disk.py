# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The stitcher node on a disk of which a file says how many bytes are free.

usage: stitcher_on_a_small_disk.py FILE --ros-args ...
"""

from __future__ import annotations

import shutil
import sys
from collections import namedtuple
from pathlib import Path

from ptz_stitcher.node import main

Usage = namedtuple('Usage', ('total', 'used', 'free'))


def usage(_path: object) -> Usage:
    free = int(Path(sys.argv[1]).read_text())
    return Usage(free, 0, free)


if __name__ == '__main__':
    shutil.disk_usage = usage
    sys.exit(main())
