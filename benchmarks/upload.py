# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep pictures until they are sent, and to send them: to a receiver on this machine, which only counts.

Writes out/bench/upload.json beside the table. In the same run, for comparison: writing the same pictures to files, with fsync of each
file and of its folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / 'src' / 'perception' / 'test'
sys.path.insert(0, str(TESTS))

from upload_helpers import QUICK, package_of, picture_of, settings_for, until  # noqa: E402

from ptz_perception.upload.package_queue import Limits, PackageQueue  # noqa: E402
from ptz_perception.upload.receiver import Receiver  # noqa: E402
from ptz_perception.upload.uploader import Uploader  # noqa: E402

COUNT, SIZE = 300, 100_000
LIMITS = Limits(bytes=10**9, count=10**5)
RECEIVER = """
import sys
from upload_helpers import FakeReceiver, Request
receiver = FakeReceiver()
receiver.behave = Request.take
print(receiver.url, flush=True)
sys.stdin.read()
"""


def write_files(folder: Path) -> None:
    """Pictures and documents as files, on disk when each is written."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(COUNT):
        package = package_of(number, size=SIZE)
        for name, content in (
            (f'{package.id}.json', package.model_dump_json().encode()),
            (f'{package.id}.jpg', picture_of(number, SIZE)),
        ):
            with (folder / name).open('wb') as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        os.fsync(descriptor)
    os.close(descriptor)


def only_put(folder: Path) -> None:
    """Keeps them in a queue."""
    queue = PackageQueue(folder / 'north.sqlite', LIMITS)
    for number in range(COUNT):
        queue.put(package_of(number, size=SIZE), picture_of(number, SIZE))
    queue.close()


def put_and_send(folder: Path, url: str) -> None:
    """Keeps them in a queue, and sends them without a period."""
    queue = PackageQueue(folder / 'north.sqlite', LIMITS)
    uploader = Uploader(queue, Receiver(settings_for(url, folder), folder), QUICK)
    for number in range(COUNT):
        uploader.put(package_of(number, size=SIZE), picture_of(number, SIZE))
    until(lambda: uploader.status().sent == COUNT and not uploader.status().waiting, 300)
    uploader.close()


def measure(work: Callable[[Path], None]) -> float:
    """S that it takes, in a folder of its own on the disk of this project."""
    (ROOT / 'out').mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / 'out') as folder:
        begin = time.perf_counter()
        work(Path(folder))
        return time.perf_counter() - begin


def main() -> None:
    """Measures, and shows a table."""
    process = subprocess.Popen(
        [sys.executable, '-c', RECEIVER], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdin
    url = process.stdout.readline().strip()
    works: dict[str, Callable[[Path], None]] = {
        'files, each synced': write_files,
        'put': only_put,
        'put and send': lambda folder: put_and_send(folder, url),
    }
    # The quickest of three, in turns: a disk is disturbed by others, never helped.
    turns = [{name: measure(work) for name, work in works.items()} for _ in range(3)]
    seconds = {name: min(turn[name] for turn in turns) for name in works}
    process.stdin.close()
    process.wait(10)
    table = Table('', 'pictures/s', 'MB/s', 'ms each', title=f'{COUNT} pictures of {SIZE // 1000} KB')
    for name, total in seconds.items():
        table.add_row(name, f'{COUNT / total:.0f}', f'{COUNT * SIZE / total / 1e6:.1f}', f'{1000 * total / COUNT:.2f}')
    Console().print(table)
    out = ROOT / 'out' / 'bench' / 'upload.json'
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({'pictures': COUNT, 'bytes': SIZE, 'seconds': seconds}, indent=2) + '\n')


if __name__ == '__main__':
    main()
