# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the graph's nodes as processes where no `ros2 launch` is installed: start, watch, start again, stop."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from collab_bringup.graph import NodeSpec
from ptz_site import UserError

#: Exit code of a node that can't use what the user gave it; starting it again would not help.
USER_ERROR = UserError.exit_code
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def node_command(node: NodeSpec, log_level: str = 'info') -> list[str]:
    """The command line of a node. Raises UserError if its package is not installed."""
    try:
        prefix = Path(get_package_prefix(node.package))
    except PackageNotFoundError:
        raise UserError(f'package {node.package} is not installed; run make, then source env.sh') from None
    command = [str(prefix / 'lib' / node.package / node.executable), '--ros-args', '--log-level', log_level]
    command += ['-r', f'__node:={node.name}', '-r', f'__ns:={node.namespace}']
    for key, value in node.parameters.items():
        command += ['-p', f'{key}:={_yaml_value(value)}']
    return command


def _yaml_value(value: bool | int | float | str) -> str:
    if isinstance(value, str):
        # Quoted, so that a folder called 2024 stays a string.
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class _Process:
    node: NodeSpec
    popen: subprocess.Popen[str]
    started: float
    last_line: str = ''
    reader: threading.Thread | None = None


@dataclass(frozen=True)
class Exit:
    """A node that ended by itself."""

    node: NodeSpec
    code: int
    last_line: str
    will_restart: bool


@dataclass
class Supervisor:
    """The processes of one graph. All methods are called from one thread, the one that lives as long as the run."""

    nodes: Sequence[NodeSpec]
    log_dir: Path
    on_line: Callable[[NodeSpec, str], None]
    log_level: str = 'info'
    respawn_delay: float = 2.0
    _running: dict[str, _Process] = field(default_factory=dict)
    _restart_at: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Starts all nodes."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for node in self.nodes:
            self._spawn(node)

    def poll(self) -> list[Exit]:
        """Notices nodes that ended, starts those again that shall be; returns those that ended since the last call."""
        now = time.monotonic()
        exits = []
        for name, process in list(self._running.items()):
            code = process.popen.poll()
            if code is None:
                continue
            del self._running[name]
            self._join(process)
            again = process.node.respawn and code != USER_ERROR
            if again:
                self._restart_at[name] = now + self.respawn_delay
            exits.append(Exit(process.node, code, process.last_line, again))
        for node in self.nodes:
            if self._restart_at.get(node.name, now + 1) <= now:
                del self._restart_at[node.name]
                self._spawn(node)
        return exits

    def stop(self, patience: float = 60.0) -> list[str]:
        """Ends all nodes: SIGTERM, after the patience SIGKILL. Returns the names of those that had to be killed.

        SIGTERM, because it ends a node too that is still being loaded: of SIGINT an import may make whatever it likes.
        """
        for process in self._running.values():
            _send(process.popen, signal.SIGTERM)
        deadline = time.monotonic() + patience
        killed = []
        for name, process in self._running.items():
            try:
                process.popen.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _send(process.popen, signal.SIGKILL)
                process.popen.wait()
                killed.append(name)
            self._join(process)
        self._running.clear()
        self._restart_at.clear()
        return killed

    def pid(self, name: str) -> int | None:
        """The process id of a running node."""
        process = self._running.get(name)
        return process.popen.pid if process else None

    def _spawn(self, node: NodeSpec) -> None:
        # A session of its own: Ctrl-C in the terminal reaches only us, and we end the nodes in order.
        popen = subprocess.Popen(
            node_command(node, self.log_level),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors='replace',
            env=_node_environment(),
            start_new_session=True,
            preexec_fn=partial(_end_with_parent, os.getpid()),
        )
        process = _Process(node, popen, time.monotonic())
        process.reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        process.reader.start()
        self._running[node.name] = process

    def _read(self, process: _Process) -> None:
        assert process.popen.stdout is not None
        with (self.log_dir / f'{process.node.name}.log').open('a', encoding='utf-8') as log:
            for line in process.popen.stdout:
                _write(log, line)
                text = line.rstrip()
                if text:
                    process.last_line = text
                    self.on_line(process.node, text)

    def _join(self, process: _Process) -> None:
        if process.reader is not None:
            process.reader.join(timeout=2.0)
        if process.popen.stdout is not None:
            process.popen.stdout.close()


def _write(log: object, line: str) -> None:
    try:
        log.write(line)  # type: ignore[attr-defined]
        log.flush()  # type: ignore[attr-defined]
    except OSError:
        # A full disk must not stop the reading: the node would block on a full pipe.
        pass


def _node_environment() -> dict[str, str]:
    # Unbuffered, so that a node's last words before a crash reach the log.
    return {**os.environ, 'PYTHONUNBUFFERED': '1', 'RCUTILS_COLORIZED_OUTPUT': '0'}


def _end_with_parent(parent: int) -> None:
    # The kernel sends SIGTERM to the node if we are killed: no node is left behind.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # We were killed before the kernel was told.
        os._exit(1)


def _send(popen: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        popen.send_signal(number)
