# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Starts a node, spins it, and ends it cleanly."""

import faulthandler
import signal
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ptz_node.executor import make_executor
from ptz_site import UserError

#: s between two looks of the main thread whether a signal has come: one that reaches another thread does not end its wait.
_LOOK = 0.25
#: s after which a node that does not end says where it hangs.
_LONG = 30.0


def run(make_node: Callable[[], Node], argv: Sequence[str] | None = None) -> int:
    """Runs one node until SIGINT or SIGTERM; returns the exit code.

    The node's farewell(), if it has one, is called in the executor as its last callback, so that it can answer the clients of its
    actions; it may be a coroutine. Then close() is called, if there is one, while the context is still valid, so that the node can
    stop motion, close files and publish a last state. A UserError is printed as one line without a traceback.
    """
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    stop = threading.Event()
    # rclpy's own handlers would shut the context down before the node could close; and a wait inside rcl does not
    # return for a Python handler. So the main thread waits for signals, and another one spins.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    node: Node | None = None
    try:
        node = make_node()
        return _spin(node, stop)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        close = getattr(node, 'close', None)
        if close is not None:
            close()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        faulthandler.cancel_dump_traceback_later()


def _spin(node: Node, stop: threading.Event) -> int:
    executor = make_executor()
    executor.add_node(node)
    failures: list[BaseException] = []

    def spin() -> None:
        try:
            executor.spin()
        except BaseException as error:
            failures.append(error)
        finally:
            stop.set()

    thread = threading.Thread(target=spin, name='executor', daemon=True)
    thread.start()
    while not stop.wait(_LOOK):
        pass
    faulthandler.dump_traceback_later(_LONG)
    farewell = getattr(node, 'farewell', None)
    if farewell is not None and not failures:
        said = threading.Event()
        executor.create_task(farewell).add_done_callback(lambda _task: said.set())
        said.wait(2.0)
    executor.shutdown(timeout_sec=2.0)
    thread.join(timeout=2.0)
    if failures:
        raise failures[0]
    return 0
