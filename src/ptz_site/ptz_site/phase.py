# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The words in which frames and states tell how a camera stands."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Phase(IntEnum):
    """Where a camera is on its way to a scene. Values as in PresetHeader.msg."""

    UNKNOWN = 0
    TURNING = 1
    IN_POSITION = 2
    FAULT = 3


class Mark(IntFlag):
    """What is particular about a frame. Values as in PresetHeader.msg."""

    NONE = 0
    SWITCH_START = 1
    ARRIVED = 2
