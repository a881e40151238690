# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How the process of a node ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from conftest import PATIENCE

NODE = """
import signal, sys, threading
from rclpy.node import Node
from ptz_node.run import run

def make_node():
    node = Node('alone')
    # The kernel may give a signal of the process to any of its threads; here, to the one that runs callbacks.
    node.create_timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.{name}))
    node.close = lambda: print('closed', flush=True)
    return node

sys.exit(run(make_node))
"""


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whichever_thread_gets_it(ros_domain: int, number: signal.Signals) -> None:
    program = [sys.executable, '-c', NODE.format(name=number.name)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (0, 'closed\n'), ended.stderr
