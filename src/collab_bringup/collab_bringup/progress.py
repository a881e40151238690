# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows while a region runs."""

from __future__ import annotations

import re
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import TaskID

from collab_bringup.graph import NodeSpec
from collab_bringup.rotation_client import RotationProgress
from collab_bringup.terminal import progress_bar
from ptz_collab_msgs.action import RunRotation

#: How rclpy begins its lines: [LEVEL] [time] [logger]: text
_LOG_LINE = re.compile(r'^\[(?P<level>[A-Z]+)\] \[[\d.]+\] \[(?P<logger>[^\]]+)\]: (?P<text>.*)$')


class RunDisplay:
    """A progress bar on a terminal, a line for each slot elsewhere; warnings and errors of nodes above it."""

    def __init__(self, console: Console, dwell: float, slots: int) -> None:
        self._console = console
        self._dwell = dwell
        self._slots = slots
        self._progress = progress_bar(console, counted=False)
        self._task: TaskID | None = None
        self._phase = ''
        self._slot = -1

    def __enter__(self) -> RunDisplay:
        self._progress.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.__exit__(kind, error, trace)

    def phase(self, text: str) -> None:
        """Says what is being done now."""
        if text == self._phase:
            return
        self._phase = text
        if not self._console.is_terminal:
            self._console.print(text)
        elif self._task is None:
            self._task = self._progress.add_task(text, total=self._slots * self._dwell if self._slots else None)
        else:
            self._progress.update(self._task, description=text)

    def progress(self, now: RotationProgress) -> None:
        """Shows the rotation's newest feedback."""
        if now.state == RunRotation.Feedback.STATE_WAITING:
            missing = f' for {", ".join(now.waiting_for)}' if now.waiting_for else ' for the start'
            self.phase(f'waiting{missing}')
            return
        if self._task is not None:
            self._progress.update(self._task, completed=now.elapsed)
        if now.slot != self._slot:
            self._slot = now.slot
            of = f'/{now.slots}' if now.slots else ''
            watching = ', '.join(f'{camera} on {scene}' for camera, scene in now.assignments if scene)
            self.phase(f'slot {now.slot + 1}{of}: {watching}')
            for scene in now.uncovered:
                self.warn(f'no camera on {scene} in slot {now.slot + 1}')

    def warn(self, text: str) -> None:
        """A warning of our own."""
        self._console.print(f'[yellow]warning:[/] {escape(text)}', soft_wrap=True)

    def node_line(self, node: NodeSpec, line: str) -> None:
        """A line that a node printed: shown if it is a warning or worse; all of them are in the log."""
        match = _LOG_LINE.match(line)
        if match and match['level'] in ('WARN', 'ERROR', 'FATAL'):
            colour = 'yellow' if match['level'] == 'WARN' else 'red'
            self._console.print(f'[{colour}]{node.name}:[/] {escape(match["text"])}', soft_wrap=True)
