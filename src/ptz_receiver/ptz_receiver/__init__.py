# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The receiver of best frames: takes pictures and what they show over HTTP, keeps them, answers queries. Without ROS."""

from ptz_receiver.server import receive
from ptz_receiver.settings import ReceiveRequest

__all__ = ['ReceiveRequest', 'receive']
