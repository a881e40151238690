# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Starts a node, spins it, and ends it cleanly."""

import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
from ptz_site import UserError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions


class _Stop(Exception):
    """SIGINT or SIGTERM came."""


def run(make_node: Callable[[], Node], argv: Sequence[str] | None = None) -> int:
    """Runs one node until SIGINT, SIGTERM or an rclpy shutdown; returns the exit code.

    The node's close() is called, if it has one, while the context is still valid, so that it can stop motion, close files
    and publish a last state. A UserError while the node is made is printed as one line without a traceback.
    """
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    node: Node | None = None
    try:
        _raise_on_signals()
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (_Stop, ExternalShutdownException):
        pass
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        _ignore_signals()
        close = getattr(node, 'close', None)
        if close is not None:
            close()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _raise_on_signals() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stop

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _ignore_signals() -> None:
    # A second Ctrl-C must not interrupt the closing of files.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
