# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""ptz-collab receive as a process."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from conftest import PATIENCE, wait_for

TOKEN = 'correct-horse-battery-staple'


@dataclass
class Receiver:
    """A receiver that runs."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path
    log: Path
    token: str = TOKEN
    verify: str | bool = True

    def post(self, about: dict[str, Any] | bytes, jpeg: bytes, **options: Any) -> requests.Response:
        """Sends a package as a client should."""
        text = about if isinstance(about, bytes) else json.dumps(about).encode()
        return self.send({'package': ('a', text, 'application/json'), 'picture': ('b', jpeg, 'image/jpeg')}, **options)

    def send(self, parts: Any, **options: Any) -> requests.Response:
        """Sends whatever parts there are."""
        return requests.post(f'{self.url}/v1/packages', files=parts, **self._options(options))

    def get(self, path: str, **options: Any) -> requests.Response:
        """Asks for something."""
        return requests.get(self.url + path, **self._options(options))

    def ids(self, query: str) -> list[str]:
        """Of the packages that a query finds."""
        answer = self.get(f'/v1/packages?{query}')
        assert answer.status_code == 200, answer.text
        return [package['id'] for package in answer.json()['packages']]

    def answers(self, sent: list[tuple[dict[str, Any], bytes]], threads: int = 8) -> Counter[int]:
        """Sends packages at the same time; how often there was which status."""
        with ThreadPoolExecutor(threads) as pool:
            return Counter(pool.map(lambda one: self.post(*one).status_code, sent))

    def pictures(self) -> list[Path]:
        """Every file in the storage, whole or not."""
        return [path for name in ('pictures', 'incoming') for path in (self.folder / name).rglob('*') if path.is_file()]

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Ends it; returns the exit code and everything that it said."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE), self.log.read_text()

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {'headers': {'Authorization': f'Bearer {self.token}'}, 'verify': self.verify, 'timeout': 60, **options}


@contextlib.contextmanager
def receiving(folder: Path, *options: object, preexec: Callable[[], None] | None = None) -> Iterator[Receiver]:
    """Starts a receiver that keeps everything in FOLDER/kept; whatever happens, it does not go on."""
    folder.mkdir(exist_ok=True)
    (folder / 'token').write_text(TOKEN + '\n')
    log = folder / 'log'
    words = ['receive', '--dir', folder / 'kept', '--port', 0, '--token-file', folder / 'token', '--rate', 100_000, *options]
    with log.open('wb') as out:
        process = subprocess.Popen(
            [sys.executable, '-m', 'collab_bringup.cli', *map(str, words)],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            preexec_fn=preexec,
        )
    try:
        wait_for(lambda: b'receiving at' in log.read_bytes() or process.poll() is not None, PATIENCE, 'the receiver listens')
        found = re.search(r'receiving at (https?://\S+:\d+)', log.read_text())
        assert found, log.read_text()
        yield Receiver(process, found[1], folder / 'kept', log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
