# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The exposure of a simulated camera: what automatic exposure makes of the light, and fixed time and gain."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: s at a gain of 0 dB, with which the world at noon has the brightness that it is drawn with.
_REFERENCE = 0.08
#: s; automatic exposure opens the shutter no longer, and raises the gain instead.
_LONGEST_AUTO = 1 / 60


@dataclass(frozen=True)
class ExposureLimits:
    """What the camera can be set to: s and dB."""

    shortest: float = 1 / 10000
    longest: float = 1 / 25
    least_gain: float = 0.0
    greatest_gain: float = 42.0


@dataclass(frozen=True)
class ExposureSetting:
    """Shutter time in s and gain in dB (20 log10 of the amplification)."""

    automatic: bool
    time: float
    gain: float

    @property
    def factor(self) -> float:
        """Of the picture's brightness."""
        return self.time * 10 ** (self.gain / 20) / _REFERENCE


def automatic(brightness: float, limits: ExposureLimits) -> ExposureSetting:
    """What automatic exposure chooses: it makes up for most of the light's change, not for all."""
    wanted = _REFERENCE * brightness**-0.7
    time = min(max(wanted, limits.shortest), _LONGEST_AUTO)
    gain = min(max(20 * math.log10(wanted / time), limits.least_gain), limits.greatest_gain)
    return ExposureSetting(True, time, gain)


def manual(time: float, gain: float, limits: ExposureLimits) -> ExposureSetting:
    """A fixed setting, as far as the camera can."""
    time = min(max(time, limits.shortest), limits.longest)
    return ExposureSetting(False, time, min(max(gain, limits.least_gain), limits.greatest_gain))
