# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Hides people in pictures, and draws the marks of targets: what perception looked at in, what is painted out.

looks.py keeps what perception saw, plan.py decides for each frame, paint.py paints, waiting.py lets frames wait for the next look.
"""

from ptz_stitcher.retouch.looks import Box, Look, LookMemory, Sighting
from ptz_stitcher.retouch.paint import painted
from ptz_stitcher.retouch.plan import Retouching, TargetMark, retouching
from ptz_stitcher.retouch.policies import Redact, RedactBy, RetouchSettings
from ptz_stitcher.retouch.waiting import WaitingRoom

__all__ = [
    'Box',
    'Look',
    'LookMemory',
    'Redact',
    'RedactBy',
    'RetouchSettings',
    'Retouching',
    'Sighting',
    'TargetMark',
    'WaitingRoom',
    'painted',
    'retouching',
]
