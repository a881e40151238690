# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where a process spends its processor time: timers around functions, each without what the timed functions in it take."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class StageTimers:
    """By stage: s of processor time, and how often. Delays are lists of s by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.counts: dict[str, int] = defaultdict(int)
        #: By name: instants of capture (ns) and s until something was done with the frame.
        self.delays: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._lock, self._local = threading.Lock(), threading.local()

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """What happens inside belongs to a stage, but for what belongs to another one in it."""
        stack = self._local.__dict__.setdefault('stack', [])
        stack.append(0.0)
        begin = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - begin
            inner = stack.pop()
            if stack:
                stack[-1] += spent
            with self._lock:
                self.seconds[stage] += spent - inner
                self.counts[stage] += 1

    def around(self, owner: Any, name: str, stage: str) -> None:
        """Times a function of a class, module or object from now on."""
        inner: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(inner)
        def timed(*given: Any, **named: Any) -> Any:
            with self.time(stage):
                return inner(*given, **named)

        setattr(owner, name, timed)

    def delay(self, name: str, stamp_ns: int) -> None:
        """A frame of this instant has come so far now."""
        self.delays[name].append((stamp_ns, time.time() - stamp_ns / 1e9))

    def write_every_second(self, path: Path) -> None:
        """Appends a line to a file every second, in a thread that does nothing else; ends with the process."""

        def write() -> None:
            with path.open('w') as file:
                while True:
                    time.sleep(1.0 - time.time() % 1.0)
                    with self._lock:
                        now = {'at': time.time(), 'cpu': time.process_time(), 'seconds': self.seconds, 'counts': self.counts}
                        file.write(json.dumps(now) + '\n')
                    file.flush()

        threading.Thread(target=write, name='timers', daemon=True).start()


@dataclass(frozen=True)
class Spent:
    """Of a process in a time: its length, s; processor time in all, s; by stage s, and how often."""

    length: float
    cpu: float
    seconds: dict[str, float]
    counts: dict[str, int]

    @property
    def rest(self) -> float:
        """S of processor time in no stage: receiving and handing out messages, timers, threads of DDS."""
        return self.cpu - sum(self.seconds.values())


def spent_between(path: Path, begin: float, end: float) -> Spent:
    """What the file of a process says of a time, to the second. begin, end: as time.time()."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith('}')]
    first = min(lines, key=lambda line: abs(line['at'] - begin))
    last = min(lines, key=lambda line: abs(line['at'] - end))
    seconds = {stage: spent - first['seconds'].get(stage, 0.0) for stage, spent in last['seconds'].items()}
    counts = {stage: count - first['counts'].get(stage, 0) for stage, count in last['counts'].items()}
    return Spent(last['at'] - first['at'], last['cpu'] - first['cpu'], seconds, counts)
