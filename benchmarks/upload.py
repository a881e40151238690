# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs to keep pictures until they are sent, and to send them: to a receiver on this machine, which only counts.

Writes out/bench/upload.json beside the table. In the same run, for comparison: writing the same pictures to files, with fsync of each
file and of its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from report.figures import Figure, Stopwatch, write_outcome
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / 'src' / 'perception' / 'test'
sys.path.insert(0, str(TESTS))

from upload_helpers import QUICK, package_of, picture_of, settings_for, until  # noqa: E402

from ptz_perception.upload.package_queue import Limits, PackageQueue  # noqa: E402
from ptz_perception.upload.receiver import Receiver  # noqa: E402
from ptz_perception.upload.uploader import Uploader  # noqa: E402

COUNT, FEW, SIZE = 300, 40, 100_000
LIMITS = Limits(bytes=10**9, count=10**5)
RECEIVER = """
import sys
from upload_helpers import FakeReceiver, Request
receiver = FakeReceiver()
receiver.behave = Request.take
print(receiver.url, flush=True)
sys.stdin.read()
"""


def write_files(folder: Path, count: int) -> None:
    """Pictures and documents as files, on disk when each is written."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(count):
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


def only_put(folder: Path, count: int) -> None:
    """Keeps them in a queue."""
    queue = PackageQueue(folder / 'north.sqlite', LIMITS)
    for number in range(count):
        queue.put(package_of(number, size=SIZE), picture_of(number, SIZE))
    queue.close()


def put_and_send(folder: Path, url: str, count: int) -> None:
    """Keeps them in a queue, and sends them without a period."""
    queue = PackageQueue(folder / 'north.sqlite', LIMITS)
    uploader = Uploader(queue, Receiver(settings_for(url, folder), folder), QUICK)
    for number in range(count):
        uploader.put(package_of(number, size=SIZE), picture_of(number, SIZE))
    until(lambda: uploader.status().sent == count and not uploader.status().waiting, 300)
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--quick', action='store_true', help=f'{FEW} pictures instead of {COUNT}')
    quick = parser.parse_args().quick
    watch, count = Stopwatch(), FEW if quick else COUNT
    process = subprocess.Popen(
        [sys.executable, '-c', RECEIVER], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdin
    url = process.stdout.readline().strip()
    works: dict[str, Callable[[Path], None]] = {
        'files, each synced': lambda folder: write_files(folder, count),
        'put': lambda folder: only_put(folder, count),
        'put and send': lambda folder: put_and_send(folder, url, count),
    }
    # The quickest of three, in turns: a disk is disturbed by others, never helped.
    turns = [{name: measure(work) for name, work in works.items()} for _ in range(3)]
    seconds = {name: min(turn[name] for turn in turns) for name in works}
    process.stdin.close()
    process.wait(10)
    table = Table('', 'pictures/s', 'MB/s', 'ms each', title=f'{count} pictures of {SIZE // 1000} KB')
    for name, total in seconds.items():
        table.add_row(name, f'{count / total:.0f}', f'{count * SIZE / total / 1e6:.1f}', f'{1000 * total / count:.2f}')
    Console().print(table)
    out = ROOT / 'out' / 'bench' / ('quick' if quick else '') / 'upload.json'
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({'pictures': count, 'bytes': SIZE, 'seconds': seconds}, indent=2) + '\n')
    rate = {name: count / total for name, total in seconds.items()}
    files = {'compared': 'files, each synced', 'compared_value': rate['files, each synced']}
    figures = [
        Figure('pictures put into the queue, on disk when put returns', rate['put'], 'pictures/s', **files),
        Figure('pictures put and sent to a receiver', rate['put and send'], 'pictures/s', **files),
    ]
    summary = f'How many best frames of {SIZE // 1000} KB can be kept on disk and sent: a receiver gets a handful a minute of each camera.'
    write_outcome('upload', watch.outcome('Upload of best frames', summary, figures, quick=quick))


if __name__ == '__main__':
    main()
