# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How far a camera's clock is off, from answers in whole seconds.

ONVIF's GetSystemDateAndTime leaves out the fraction of the second. An answer of s, asked between two instants, says that the camera's
clock was in [s, s + 1) then; asked at times chosen so that the camera's second may just have changed, each answer halves what is left.
Times in ns.
"""

from __future__ import annotations

from dataclasses import dataclass

from ptz_site import NANOSECONDS

#: Below this the answers' own delay is what is left.
_FINE_NS = 10_000_000


@dataclass(frozen=True)
class ClockOffset:
    """The camera's clock minus ours lies between two bounds, ns."""

    low_ns: int
    high_ns: int

    @property
    def seconds(self) -> float:
        """The middle."""
        return (self.low_ns + self.high_ns) / 2 / NANOSECONDS

    @property
    def uncertainty(self) -> float:
        """s, to either side."""
        return (self.high_ns - self.low_ns) / 2 / NANOSECONDS

    @property
    def is_fine(self) -> bool:
        """Whether asking again would not say more."""
        return self.high_ns - self.low_ns <= _FINE_NS

    def agrees(self, other: ClockOffset) -> bool:
        """Whether both may be right; otherwise the clock was set."""
        return max(self.low_ns, other.low_ns) < min(self.high_ns, other.high_ns)


def bounds(sent_ns: int, received_ns: int, camera_seconds: int) -> ClockOffset:
    """What one answer says."""
    return ClockOffset(camera_seconds * NANOSECONDS - received_ns, (camera_seconds + 1) * NANOSECONDS - sent_ns)


def narrowed(known: ClockOffset | None, answer: ClockOffset) -> ClockOffset:
    """What two answers say together; the newer one alone if they contradict, because the clock was set."""
    if known is None or not known.agrees(answer):
        return answer
    return ClockOffset(max(known.low_ns, answer.low_ns), min(known.high_ns, answer.high_ns))


def next_question_ns(known: ClockOffset, not_before_ns: int, delay_ns: int) -> int:
    """When to ask, so that the answer halves what is not known: when the camera's second changes if the offset is the middle.

    delay_ns: from asking until the camera looks at its clock.
    """
    middle = (known.low_ns + known.high_ns) // 2
    change = -((not_before_ns + delay_ns + middle) // -NANOSECONDS) * NANOSECONDS
    return change - middle - delay_ns
