# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a scene sequence may be asked to be."""

from __future__ import annotations

from enum import Enum


class Together(Enum):
    """What the video shows while several cameras are on the scene. The bag keeps all of them."""

    #: One after the other, by slot.
    IN_TURN = 'in_turn'
    #: Side by side in one picture, which has to be encoded.
    MOSAIC = 'mosaic'
    #: A video for each camera. Not a track each: browsers and most players show the first one only, and a file that opens after a
    #: crash has to know its tracks before the second camera has come.
    ALL = 'all'


class Encode(Enum):
    """Whether pictures are encoded on their way into the video."""

    #: They go in as they came.
    NONE = 'none'
    #: JPEG becomes H.264, a fraction of the size; H.264 and H.265 go in as they came.
    H264 = 'h264'
