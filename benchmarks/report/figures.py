# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found, and the files in which it stays until the report is made.

A benchmark ends with `write_outcome('planning', Outcome(...))`. Outcomes of quick runs (`make bench-quick`) stand in a folder of
their own, so that they never take the place of what a long run found.
"""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ptz_site import UserError

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'out' / 'bench'
#: Libraries whose versions a figure may depend on.
LIBRARIES = (
    'numpy',
    'opencv-python-headless',
    'onnxruntime',
    'av',
    'ros-jazzy-rclpy',
    'ros-jazzy-rmw-fastrtps-cpp',
    'rosbags',
    'mcap',
)
_ENDING = '.outcome.json'


class ChartKind(StrEnum):
    """How a chart is drawn."""

    LINES = 'lines'
    BARS = 'bars'


@dataclass(frozen=True)
class Figure:
    """One thing that was measured.

    goal: what it should be, in words ('at least 0.5'), empty if nothing was asked for; reached: None without a goal, or where it was not
    measured well enough to say. compared: what the value is compared with, measured in the same run, and compared_value its value in the
    same unit. low, high: confidence interval, or the range over repetitions. value: None if it could not be measured (a note says why).
    """

    name: str
    value: float | None
    unit: str = ''
    goal: str = ''
    reached: bool | None = None
    compared: str = ''
    compared_value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ''


@dataclass(frozen=True)
class Series:
    """One line, or the bars of one colour. x: numbers, or names of groups for bars; y, low, high: as long as x; NaN where there is none."""

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for values in (self.y, self.low or self.x, self.high or self.x):
            if len(values) != len(self.x):
                raise ValueError(f'series {self.name}: {len(self.x)} x, but {len(values)} values')


@dataclass(frozen=True)
class Chart:
    """A picture of figures. x_label, y_label: with their units; log_x: whether the axis is logarithmic; stacked: bars upon each other."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    kind: ChartKind = ChartKind.LINES
    log_x: bool = False
    stacked: bool = False


@dataclass(frozen=True)
class Machine:
    """Where something was measured. cpu: its model; cores: those that this process may use; memory: bytes; libraries: name and version."""

    cpu: str
    cores: int
    memory: int
    system: str
    python: str
    libraries: tuple[tuple[str, str], ...] = ()
    load: float | None = None

    @property
    def text(self) -> str:
        """In one line."""
        busy = '' if self.load is None else f', {self.load:.1f} processes wanted a core before it began'
        return f'{self.cpu}, {self.cores} cores, {self.memory / 2**30:.0f} GiB, {self.system}, Python {self.python}{busy}'


@dataclass(frozen=True)
class Outcome:
    """What one benchmark found.

    summary: in one or two sentences, for a user. command: what somebody types to measure it again. duration: s that it took.
    finished: ISO 8601, UTC. quick: whether inputs were small, so that goals are shown but prove nothing. notes: what a reader should know.
    """

    __pydantic_config__ = ConfigDict(ser_json_inf_nan='strings')

    title: str
    summary: str
    command: str
    machine: Machine
    duration: float
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    finished: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec='seconds'))
    quick: bool = False


_OUTCOME = TypeAdapter(Outcome)


def at_least(name: str, value: float | None, limit: float, unit: str = '', **more: object) -> Figure:
    """A figure whose goal is a least value."""
    return Figure(
        name, value, unit, f'at least {limit:g}{_spaced(unit)}', _met(value, value is not None and value >= limit), **more
    )  # type: ignore[arg-type]


def at_most(name: str, value: float | None, limit: float, unit: str = '', **more: object) -> Figure:
    """A figure whose goal is a greatest value."""
    return Figure(
        name, value, unit, f'at most {limit:g}{_spaced(unit)}', _met(value, value is not None and value <= limit), **more
    )  # type: ignore[arg-type]


def _met(value: float | None, met: bool) -> bool | None:
    return None if value is None or math.isnan(value) else met


def _spaced(unit: str) -> str:
    return f' {unit}' if unit else ''


def machine() -> Machine:
    """The machine that this runs on, as it is now."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory=os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES'),
        system=_system(),
        python=platform.python_version(),
        libraries=tuple((name, found) for name in LIBRARIES if (found := _version(name))),
        load=round(os.getloadavg()[0], 2),
    )


class Stopwatch:
    """How long a benchmark takes, and the machine as it was when it began (the benchmark itself makes it busy)."""

    def __init__(self) -> None:
        self.machine = machine()
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """S since it was made."""
        return time.monotonic() - self._begin

    def outcome(
        self,
        title: str,
        summary: str,
        figures: Iterable[Figure],
        charts: Iterable[Chart] = (),
        notes: Iterable[str] = (),
        *,
        quick: bool = False,
    ) -> Outcome:
        """What was found since it was made, with the command of this process."""
        told = tuple(figures), tuple(charts), tuple(notes)
        return Outcome(title, summary, command_line(), self.machine, self.seconds, *told, quick=quick)


def command_line() -> str:
    """What this process was started with, for a reader to type: relative to the project's folder."""
    script = Path(sys.argv[0]).resolve()
    name = script.relative_to(ROOT) if script.is_relative_to(ROOT) else script.name
    arguments = [os.path.relpath(word, ROOT) if word.startswith(str(ROOT)) else word for word in sys.argv[1:]]
    return ' '.join(['python', str(name), *arguments])


def write_outcome(name: str, outcome: Outcome, folder: Path = FOLDER) -> Path:
    """Puts it into its place at once, or not at all; returns the file."""
    path = _place(folder, outcome.quick) / f'{name}{_ENDING}'
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_bytes(_OUTCOME.dump_json(outcome, indent=2) + b'\n')
    return path


def read_outcomes(folder: Path = FOLDER, *, quick: bool = False) -> dict[str, Outcome]:
    """Those that were written, by name. Raises UserError if a file can't be read."""
    return {path.name.removesuffix(_ENDING): _read(path) for path in sorted(_place(folder, quick).glob(f'*{_ENDING}'))}


def _place(folder: Path, quick: bool) -> Path:
    return folder / 'quick' if quick else folder


def _read(path: Path) -> Outcome:
    try:
        return _OUTCOME.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(
            f'{path}: not the outcome of a benchmark ({str(error).splitlines()[0]}); remove it and measure again'
        ) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside one that takes its place in the end, unless something failed."""
    # Not by mkstemp(), whose files are for their owner alone.
    draft = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _cpu() -> str:
    try:
        lines: Iterable[str] = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = ()
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())


def _system() -> str:
    try:
        return f'{platform.freedesktop_os_release()["PRETTY_NAME"]}, Linux {platform.release()}'
    except (OSError, KeyError):
        return f'{platform.system()} {platform.release()}'


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
