# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as the messages that were on the graph when they were made, and when each of them is due."""

from ptz_stitcher.replay.pacing import Pace
from ptz_stitcher.replay.recording import Recording, ReplayRequest, open_recording
from ptz_stitcher.replay.topics import Replayed

__all__ = ['Pace', 'Recording', 'ReplayRequest', 'Replayed', 'open_recording']
