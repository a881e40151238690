# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a region from start to finish: nodes up, rotation, nodes down, report."""

from __future__ import annotations

import math
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from collab_bringup.graph import GraphOptions, NodeSpec, Part, region_graph
from collab_bringup.processes import USER_ERROR, Exit, Supervisor
from collab_bringup.progress import RunDisplay
from collab_bringup.rotation_client import RotationClient, RotationOutcome
from ptz_collab_msgs.action import RunRotation
from ptz_site import Site, UserError
from ptz_stitcher.report.write import write_report
from ptz_stitcher.storage.names import LOG, parts_of

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
#: s that discovery and the start of all processes may take on a slow machine; nodes that end are noticed at once.
_START_TIMEOUT = 180.0
_POLL = 0.1


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for. duration in seconds; None: until Ctrl-C."""

    site_path: Path
    site: Site
    out: Path
    duration: float | None
    media: str = ''
    overwrite: bool = False
    log_level: str = 'info'

    @property
    def slots(self) -> int:
        """The slots to run, so many that the duration is filled; 0: without end."""
        return 0 if self.duration is None else max(1, math.ceil(self.duration / self.site.region.first_dwell - 1e-9))


class RunFailed(Exception):
    """The run can't go on; the message is one line for the user."""


def run_region(request: RunRequest, console: Console) -> int:
    """Runs the region and leaves videos, bags and a report in request.out. Returns the exit code."""
    _prepare(request)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    display = RunDisplay(console, request.site.region.first_dwell, request.slots)
    nodes = region_graph(
        request.site,
        GraphOptions(
            site_path=str(request.site_path.resolve()),
            media=request.media and str(Path(request.media).resolve()),
            out=str(request.out.resolve()),
            simulation_epoch_ns=time.time_ns(),
        ),
    )
    supervisor = Supervisor(nodes, request.out / 'logs', display.node_line, request.log_level)
    failure = ''
    outcome: RotationOutcome | None = None
    with display:
        try:
            outcome = _rotate(request, supervisor, display, stop)
        except RunFailed as error:
            failure = str(error)
        finally:
            display.phase('closing recordings')
            for name in supervisor.stop():
                display.warn(f'{name} did not end in time and was killed; its files hold all but the last seconds')
    return _conclude(request, console, failure, outcome, stop.is_set())


def _prepare(request: RunRequest) -> None:
    out = request.out
    if out.exists() and not out.is_dir():
        raise UserError(f'{out}: is a file; give a folder with --out')
    if out.is_dir() and any(out.iterdir()):
        if not request.overwrite:
            raise UserError(f'{out}: not empty; give another folder with --out, or --overwrite to replace an earlier run')
        if not (out / 'logs').is_dir():
            raise UserError(f'{out}: does not look like an earlier run, so it is not replaced; give another folder with --out')
        shutil.rmtree(out)
    try:
        (out / 'logs').mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{out}: can't be made ({error.strerror}); give another folder with --out") from None


def _rotate(request: RunRequest, supervisor: Supervisor, display: RunDisplay, stop: threading.Event) -> RotationOutcome | None:
    name = request.site.region.name
    with RotationClient(f'/{name}') as client:
        display.phase('starting nodes')
        if client.region_runs():
            raise RunFailed(
                f'region {name} is running already (see ptz-collab status); stop it, or give this one another name or ROS_DOMAIN_ID'
            )
        supervisor.start()
        deadline = time.monotonic() + _START_TIMEOUT
        while not (client.coordinator_is_there() and client.recorder_is_there(request.site.scenes)):
            _watch(supervisor, display)
            if stop.wait(_POLL):
                return None
            if time.monotonic() > deadline:
                raise RunFailed(f'coordinator and stitcher did not come up in {_START_TIMEOUT:g} s; see {supervisor.log_dir}')
        client.start(request.slots)
        while client.outcome is None:
            if Part.COORDINATOR in _watch(supervisor, display):
                client.lost_coordinator()
            client.tick()
            if client.progress is not None:
                display.progress(client.progress)
            if stop.wait(_POLL):
                return _cancel(client)
        return client.outcome


def _cancel(client: RotationClient) -> RotationOutcome | None:
    client.cancel()
    deadline = time.monotonic() + 3.0
    while client.outcome is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    return client.outcome


def _watch(supervisor: Supervisor, display: RunDisplay) -> set[Part]:
    """Looks after the nodes; returns the parts of those that have ended."""
    exits = supervisor.poll()
    for ended in exits:
        if ended.will_restart:
            display.warn(f'{ended.node.name} ended ({_how(ended)}); it is started again')
        elif ended.code == USER_ERROR:
            raise RunFailed(ended.last_line)
        elif ended.node.part in (Part.COORDINATOR, Part.STITCHER):
            raise RunFailed(f'{ended.node.name} ended ({_how(ended)}); see {_log(supervisor, ended.node)}')
        else:
            display.warn(f'{ended.node.name} ended ({_how(ended)}); see {_log(supervisor, ended.node)}')
    return {ended.node.part for ended in exits}


def _how(ended: Exit) -> str:
    return f'signal {signal.Signals(-ended.code).name}' if ended.code < 0 else f'exit code {ended.code}'


def _log(supervisor: Supervisor, node: NodeSpec) -> Path:
    return supervisor.log_dir / f'{node.name}.log'


def _conclude(request: RunRequest, console: Console, failure: str, outcome: RotationOutcome | None, interrupted: bool) -> int:
    if failure:
        console.print(f'[red]error:[/] {escape(failure)}', soft_wrap=True)
    elif outcome is not None and outcome.error_code not in (RunRotation.Result.NONE, RunRotation.Result.CANCELED):
        failure = outcome.error_msg
        console.print(f'[red]error:[/] {escape(failure)}', soft_wrap=True)
    if parts_of(request.out, LOG):
        try:
            failure = failure or '; '.join(display_summary(request.out, console))
            if outcome is not None and outcome.stays:
                console.print(outcome.stays, highlight=False, soft_wrap=True)
        except UserError as error:
            console.print(f'no report: {escape(str(error))}', soft_wrap=True)
            failure = failure or ('' if interrupted else str(error))
    if failure:
        return EXIT_FAILED
    if interrupted and request.duration is not None:
        console.print('interrupted; the recordings hold everything up to then')
        return EXIT_INTERRUPTED
    return EXIT_OK


def display_summary(out: Path, console: Console) -> tuple[str, ...]:
    """Makes the report of a run and prints what came out and where to look; returns what could not be recorded."""
    summary = write_report(out)
    console.print(summary.table())
    for failure in summary.failures:
        console.print(f'[red]not recorded:[/] {escape(failure)}', soft_wrap=True)
    for warning in summary.warnings:
        console.print(f'[yellow]warning:[/] {escape(warning)}', soft_wrap=True)
    console.print(f'look at [bold]{escape(str(out / "report.html"))}[/]', soft_wrap=True)
    return summary.failures
