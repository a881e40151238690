# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What is sent next, and when to look again. Times in, decisions out: no clock, no thread, no network.

Packages are of three kinds. Immediate ones are sent at once, queued ones one at each period. One that the receiver could not take
several times although it was there (it breaks over just this picture, perhaps) becomes stuck: it is tried again now and then, with
pauses of its own, so that it does not hold up the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ptz_site import NANOSECONDS

#: After so many failed tries of one package the others don't wait for it any longer.
TRIES_UNTIL_STUCK = 5


class Kind(Enum):
    """Of a package that waits."""

    IMMEDIATE = 'immediate'
    QUEUED = 'queued'
    STUCK = 'stuck'


class Verdict(Enum):
    """What became of a try."""

    #: The receiver has it.
    SENT = 'sent'
    #: The receiver will never take it.
    REFUSED = 'refused'
    #: The receiver did not take this package now; whether because of the package is not known.
    FAILED = 'failed'
    #: The receiver can't be reached or said to come later; no package is to blame.
    AWAY = 'away'
    #: The receiver does not know the token.
    WRONG_TOKEN = 'wrong token'


@dataclass(frozen=True)
class Outcome:
    """What became of a try. sentence: for people; empty when it was sent. retry_after: s that the receiver asked for."""

    verdict: Verdict
    sentence: str = ''
    retry_after: float | None = None


@dataclass(frozen=True)
class Waiting:
    """How many packages wait, by kind."""

    immediate: int = 0
    queued: int = 0
    stuck: int = 0


@dataclass(frozen=True)
class Pacing:
    """send_period: s from one queued package to the next. Pauses after failures, s: they double from the first to the longest, and each is
    shortened at random by up to a half, so that cameras don't come back all at once. A receiver may ask for longer ones, up to
    longest_retry_after.
    """

    send_period: float
    first_pause: float = 1.0
    longest_pause: float = 60.0
    longest_retry_after: float = 3600.0


@dataclass(frozen=True)
class Progress:
    """What is remembered of earlier tries; ns of a clock that never goes back. due_ns: nothing is sent before."""

    failures: int = 0
    due_ns: int = 0
    queued_due_ns: int = 0
    stuck_failures: int = 0
    stuck_due_ns: int = 0


@dataclass(frozen=True)
class Send:
    """Send the oldest one of this kind now."""

    kind: Kind


@dataclass(frozen=True)
class Wait:
    """Look again after so many s, or earlier if something new comes. None: when something comes."""

    seconds: float | None


def decide(waiting: Waiting, progress: Progress, now_ns: int) -> Send | Wait:
    """What to do now."""
    if waiting == Waiting():
        return Wait(None)
    if now_ns < progress.due_ns:
        return _until(progress.due_ns, now_ns)
    if waiting.immediate:
        return Send(Kind.IMMEDIATE)
    # Stuck ones come first when their pause is over: it is long, and without that a stream of others would keep them waiting for ever.
    stuck_due_ns = max(progress.stuck_due_ns, progress.queued_due_ns)
    if waiting.stuck and now_ns >= stuck_due_ns:
        return Send(Kind.STUCK)
    if waiting.queued:
        return Send(Kind.QUEUED) if now_ns >= progress.queued_due_ns else _until(progress.queued_due_ns, now_ns)
    return _until(stuck_due_ns, now_ns)


def after(
    progress: Progress, kind: Kind, outcome: Outcome, pacing: Pacing, begun_ns: int, now_ns: int, *, jitter: float
) -> Progress:
    """What is remembered after a try that began at begun_ns and ended now. jitter: 0 to 1, by chance."""
    if kind is not Kind.IMMEDIATE:
        # From begin to begin, so that slow sending does not make the period longer.
        progress = replace(progress, queued_due_ns=begun_ns + round(pacing.send_period * NANOSECONDS))
    if outcome.verdict in (Verdict.SENT, Verdict.REFUSED):
        progress = replace(progress, failures=0, due_ns=now_ns)
        return replace(progress, stuck_failures=0, stuck_due_ns=now_ns) if kind is Kind.STUCK else progress
    if kind is Kind.STUCK and outcome.verdict is Verdict.FAILED:
        # Only it failed, and that was to be expected: the others need not wait.
        failures = progress.stuck_failures + 1
        return replace(progress, stuck_failures=failures, stuck_due_ns=now_ns + _pause_ns(failures, outcome, pacing, jitter))
    failures = progress.failures + 1
    return replace(progress, failures=failures, due_ns=now_ns + _pause_ns(failures, outcome, pacing, jitter))


def _until(due_ns: int, now_ns: int) -> Wait:
    return Wait((due_ns - now_ns) / NANOSECONDS)


def _pause_ns(failures: int, outcome: Outcome, pacing: Pacing, jitter: float) -> int:
    pause = min(pacing.first_pause * 2.0 ** min(failures - 1, 30), pacing.longest_pause) * (1 - 0.5 * jitter)
    asked = min(outcome.retry_after or 0.0, pacing.longest_retry_after)
    return round(max(pause, asked) * NANOSECONDS)
