# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Best frames as perception sends them: a picture, and the document beside it."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import cv2
import numpy as np

#: 2027-01-15 08:00 UTC.
STAMP = 1_800_000_000 * 1_000_000_000
S = 1_000_000_000


@cache
def picture(seed: int = 0, width: int = 64, height: int = 48) -> bytes:
    """A JPEG that hardly can be made smaller: about two bytes for each pixel."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode('.jpg', pixels)[1].tobytes()


def observation(**changes: Any) -> dict[str, Any]:
    """A person that the picture was chosen for."""
    box = {'x': 30, 'y': 20, 'width': 12, 'height': 30}
    return {'track_id': 4, 'class_name': 'person', 'score': 0.8, 'box': box, 'best': True, **changes}


def document(jpeg: bytes, sequence: int = 1, **changes: Any) -> dict[str, Any]:
    """What is sent beside a picture of 64 x 48 px."""
    camera = changes.get('camera', 'north')
    return {
        'id': f'yard-{camera}-7-{sequence}',
        'region': 'yard',
        'camera': camera,
        'scene': 'gate',
        'slot': 3,
        'stamp_ns': STAMP + sequence * S,
        'session': 7,
        'sequence': sequence,
        'exposure': {'mode': 'manual', 'time': 0.004},
        'position': {'pan': 0.1, 'tilt': -0.2},
        'width': 64,
        'height': 48,
        'picture_bytes': len(jpeg),
        'picture_sha256': hashlib.sha256(jpeg).hexdigest(),
        'observations': [observation()],
        **changes,
    }
