# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The exposure rule: measure the light by automatic exposure, then fix a short time with the gain that gives the same brightness.

Automatic exposure chooses a time t and a gain g (dB); the product of t and the amplification is the exposure. With a fixed time T the
same brightness needs g + 20 log10(t / T). A camera that does not tell t and g, or tells old ones, has its gain searched until the
picture is as bright as it was on automatic. No I/O and no clock: instants (ns), readings and brightness in, what to do next out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from ptz_driver.backends.base import Exposure, ExposureLimits, ExposureMode
from ptz_site import NANOSECONDS, ExposureRule

#: s between two looks while the light is measured, and from a setting to the picture that shows it.
_LOOK_PERIOD, _EFFECT = 0.5, 1.5
#: Relative change of exposure or brightness between two looks below which automatic exposure is stable.
_STABLE = 0.04
#: Looks in a row that must be stable.
_STABLE_LOOKS = 2
#: Ratio of brightness, either way, that is as good as equal.
_ALIKE = 1.15
#: Settings that a search tries at most, dB of its largest step, and below which change the camera did not react.
_TRIES, _LARGEST_STEP, _REACTION = 8, 12.0, 1.05
_RETRY = 5.0
#: Of time and gain read back: a camera may round them.
_TIME_TOLERANCE, _GAIN_TOLERANCE = 0.05, 0.75


class State(Enum):
    """Where the rule is."""

    BEGIN = 'begins'
    MEASURING = 'measures the light by automatic exposure'
    VERIFYING = 'sees whether the picture is as bright as on automatic'
    MANUAL = 'fixed'
    IMPOSSIBLE = 'left on automatic'


class Step(Enum):
    """What is to be done."""

    NOTHING = 'nothing'
    LOOK = 'look'
    SET_AUTOMATIC = 'set automatic'
    SET_MANUAL = 'set manual'


@dataclass
class ExposureMachine:
    """Ask due(), do it, and say what came of it: looked(), done(), refused() or failed()."""

    rule: ExposureRule
    limits: ExposureLimits
    state: State = State.BEGIN
    note: str = ''
    gain: float = 0.0
    _pending: Step = Step.SET_AUTOMATIC
    _since_ns: int = 0
    _next_ns: int = 0
    _arrivals: int = 0
    _looks: list[tuple[float, float]] = field(default_factory=list)
    _told: bool = False
    _target: float | None = None
    _tries: list[tuple[float, float]] = field(default_factory=list)
    _refusals: int = 0

    @property
    def time(self) -> float:
        """The fixed time in s, within the camera's limits."""
        low, high = self.limits.time or (self.rule.time, self.rule.time)
        return min(max(self.rule.time, low), high)

    def due(self, now_ns: int, arrivals: int) -> Step:
        """What to do now. arrivals: counts the camera's arrivals at presets, which show something else and may bring settings along."""
        if arrivals != self._arrivals:
            self._arrivals = arrivals
            self._arrived(now_ns)
        if now_ns < self._next_ns:
            return Step.NOTHING
        if self._pending is not Step.NOTHING:
            return self._pending
        if self.state is State.MANUAL and _later(now_ns, self._since_ns, self.rule.mode_switch_period):
            self._pending = Step.SET_AUTOMATIC
        elif self.state in (State.MEASURING, State.VERIFYING):
            return Step.LOOK
        return self._pending

    def done(self, now_ns: int) -> None:
        """The camera took the setting."""
        step, self._pending = self._pending, Step.NOTHING
        if step is Step.SET_AUTOMATIC and self.state is not State.IMPOSSIBLE:
            self._measure(now_ns)
        elif step is Step.SET_MANUAL:
            self.state, self._next_ns = State.VERIFYING, now_ns + round(_EFFECT * NANOSECONDS)

    def failed(self, now_ns: int) -> None:
        """The camera could not be asked; the same again, later."""
        self._next_ns = now_ns + round(_RETRY * NANOSECONDS)

    def refused(self, now_ns: int) -> None:
        """The camera refused the setting."""
        self._refusals += 1
        if self._pending is Step.SET_MANUAL and self._refusals < 3:
            # It may be this value that it does not like.
            self.gain = self._within(round(self.gain) if self._refusals == 1 else self.gain * 0.75)
            self._next_ns = now_ns + round(_LOOK_PERIOD * NANOSECONDS)
        else:
            self._give_up('the camera refuses a fixed exposure')

    def looked(self, now_ns: int, reading: Exposure, brightness: float | None) -> None:
        """What the camera tells, and how bright its picture is (0 to 255)."""
        self._next_ns = now_ns + round(_LOOK_PERIOD * NANOSECONDS)
        if self.state is State.MEASURING:
            self._measured(now_ns, reading, brightness)
        elif self.state is State.VERIFYING:
            self._verified(now_ns, reading, brightness)
        elif self.state is State.MANUAL:
            self._pending = Step.NOTHING if self._is_kept(reading) else Step.SET_MANUAL

    # Measuring

    def _measure(self, now_ns: int) -> None:
        self.state, self._since_ns = State.MEASURING, now_ns
        self._looks, self._tries, self._target, self._refusals = [], [], None, 0
        self._next_ns = now_ns + round(_LOOK_PERIOD * NANOSECONDS)

    def _measured(self, now_ns: int, reading: Exposure, brightness: float | None) -> None:
        self._looks.append((_product(reading), brightness if brightness is not None else math.nan))
        late = _later(now_ns, self._since_ns, self.rule.settle)
        if not (late or self._is_stable()):
            return
        self._target = brightness
        # Numbers that still are those of the last fixed setting are old ones.
        self._told = reading.time > 0 and not math.isnan(reading.gain) and reading.mode is not ExposureMode.MANUAL
        if self._told:
            self.gain = self._within(reading.gain + 20 * math.log10(reading.time / self.time))
        elif brightness is None:
            if late:
                self._give_up("the camera doesn't tell its exposure, and there is no picture to see it by")
            return
        else:
            self.gain = self._within(self.gain)
        self._pending = Step.SET_MANUAL

    def _is_stable(self) -> bool:
        last = self._looks[-_STABLE_LOOKS - 1 :]
        if len(last) <= _STABLE_LOOKS:
            return False
        for values in zip(*last, strict=True):
            known = [value for value in values if not math.isnan(value)]
            if len(known) == len(last):
                return bool(max(known) <= min(known) * (1 + _STABLE))
        return False

    # Verifying and searching

    def _verified(self, now_ns: int, reading: Exposure, brightness: float | None) -> None:
        if reading.mode is ExposureMode.AUTO:
            self._give_up('the camera stays on automatic')
            return
        if self._target is None or brightness is None or self._target <= 0:
            self._fixed(now_ns, '')
            return
        self._tries.append((self.gain, brightness))
        ratio = self._target / max(brightness, 0.5)
        if 1 / _ALIKE <= ratio <= _ALIKE:
            self._fixed(now_ns, '')
        elif self._does_not_react():
            self._give_up('the picture does not react to the gain')
        elif len(self._tries) >= _TRIES:
            self._fixed(now_ns, f'the picture is {1 / ratio:.1f} times as bright as on automatic')
        else:
            self._search(now_ns, ratio)

    def _search(self, now_ns: int, ratio: float) -> None:
        wanted = self.gain + min(max(20 * math.log10(ratio), -_LARGEST_STEP), _LARGEST_STEP)
        # Between a gain that was too dark and one that was too bright lies the one that is sought.
        assert self._target is not None
        dark = max((gain for gain, seen in self._tries if seen < self._target), default=-math.inf)
        bright = min((gain for gain, seen in self._tries if seen > self._target), default=math.inf)
        if dark < bright and not dark < wanted < bright and math.isfinite(dark) and math.isfinite(bright):
            wanted = (dark + bright) / 2
        gain = self._within(wanted)
        if abs(gain - self.gain) < 0.1:
            how = 'darker' if ratio > 1 else 'brighter'
            self._fixed(now_ns, f'gain at its limit; the picture is {how} than on automatic')
            return
        self.gain, self._pending = gain, Step.SET_MANUAL

    def _does_not_react(self) -> bool:
        if len(self._tries) < 3:
            return False
        gains, seen = zip(*self._tries, strict=True)
        return bool(max(gains) - min(gains) >= 6) and bool(max(seen) < _REACTION * max(min(seen), 0.5))

    def _fixed(self, now_ns: int, note: str) -> None:
        self.state, self.note, self._since_ns, self._pending = State.MANUAL, note, now_ns, Step.NOTHING

    def _give_up(self, why: str) -> None:
        self.state, self.note, self._pending = State.IMPOSSIBLE, why, Step.SET_AUTOMATIC

    def _arrived(self, now_ns: int) -> None:
        """The camera shows another scene."""
        if self.state is State.MEASURING:
            self._measure(now_ns)
        elif self.state is State.VERIFYING and self._told:
            # The target was another scene's brightness; what was computed holds all the same.
            self._fixed(now_ns, '')
            self._pending = Step.LOOK
        elif self.state is State.VERIFYING:
            self._pending = Step.SET_AUTOMATIC
        elif self.state is State.MANUAL and self._pending is Step.NOTHING:
            self._pending, self._next_ns = Step.LOOK, now_ns

    def _is_kept(self, reading: Exposure) -> bool:
        if reading.mode is ExposureMode.AUTO:
            return False
        time_kept = not reading.time or abs(reading.time / self.time - 1) <= _TIME_TOLERANCE
        return time_kept and (math.isnan(reading.gain) or abs(reading.gain - self.gain) <= _GAIN_TOLERANCE)

    def _within(self, gain: float) -> float:
        low, high = self.limits.gain or (gain, gain)
        return min(max(gain, low), high)


def _product(reading: Exposure) -> float:
    known = reading.time > 0 and not math.isnan(reading.gain)
    return reading.time * 10 ** (reading.gain / 20) if known else math.nan


def _later(at_ns: int, than_ns: int, seconds: float) -> bool:
    return at_ns - than_ns >= seconds * NANOSECONDS
