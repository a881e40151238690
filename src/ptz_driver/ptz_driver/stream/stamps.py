# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times of pictures that come over a network. Times in ns.

RTP's own clock says what lies between pictures. Where it stands in ROS time is said by the camera's RTCP sender reports if they are
sane, otherwise by the arrivals: the smallest delay seen lately is taken for the network's, as clock filters do (NTP, RFC 5905, 10).
The nominal frame rate is never used.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ptz_driver.backends.base import StampSource
from ptz_site import NANOSECONDS

#: Cameras' clocks drift by less; more is an error that is corrected at once.
_MAX_SLEW = 500e-6
_STEP = NANOSECONDS // 2
#: For so long after the begin, what is known gets better with every picture, and is taken at once.
_BEGIN = 2 * NANOSECONDS
#: A sender report is sane if pictures would be between so much younger than now and so much older.
_YOUNGEST, _OLDEST = -20_000_000, 5 * NANOSECONDS
#: Sane reports in a row until they are believed, and insane ones until they are not.
_BELIEVED, _DOUBTED = 3, 10
_WINDOW = 30 * NANOSECONDS
_BUCKET = NANOSECONDS
_INTERVALS = 50


@dataclass
class StampEstimator:
    """One stream: take() is called for each picture, in the order of arrival."""

    source: StampSource = StampSource.UNKNOWN
    _offset_ns: float = 0.0
    _reports: int = 0
    _doubts: int = 0
    _last_pts_ns: int | None = None
    _last_stamp_ns: int = 0
    _least: deque[tuple[int, int]] = field(default_factory=deque)
    _intervals: deque[int] = field(default_factory=lambda: deque(maxlen=_INTERVALS))
    _spread_ns: float = 0.0
    _age_ns: int = 0

    def take(self, pts_ns: int, arrival_ns: int, reported_ns: int | None = None) -> int:
        """The capture time of a picture.

        pts_ns: its time by the stream's clock; reported_ns: its time by the sender reports, None without one.
        """
        self._observe(pts_ns, arrival_ns)
        source = self._judge(arrival_ns, reported_ns)
        target = self._anchor(source, pts_ns, reported_ns)
        elapsed = 0 if self._last_pts_ns is None else pts_ns - self._last_pts_ns
        error = target - self._offset_ns
        self._age_ns += max(0, elapsed)
        if source is not self.source or self._age_ns < _BEGIN or abs(error) > _STEP or elapsed < 0:
            self._offset_ns = target
        else:
            limit = _MAX_SLEW * elapsed
            self._offset_ns += min(max(error, -limit), limit)
        # The error that slewing has not corrected yet, smoothed.
        self._spread_ns += 0.1 * (abs(target - self._offset_ns) - self._spread_ns)
        self.source, self._last_pts_ns = source, pts_ns
        stamp = round(pts_ns + self._offset_ns)
        self._last_stamp_ns = max(stamp, self._last_stamp_ns + 1)
        return self._last_stamp_ns

    @property
    def uncertainty(self) -> float:
        """s, one standard deviation, as far as it can be told: by arrivals, half of the delay that can't be seen."""
        unseen = 0.001 if self.source is StampSource.SENDER_REPORT else 0.05
        return unseen + self._spread_ns / NANOSECONDS

    def restart(self) -> None:
        """The stream was opened anew: its clock begins somewhere else."""
        self._least.clear()
        self._intervals.clear()
        self._last_pts_ns, self._reports, self._doubts, self._age_ns = None, 0, 0, 0
        self.source = StampSource.UNKNOWN

    def _observe(self, pts_ns: int, arrival_ns: int) -> None:
        if self._last_pts_ns is not None and pts_ns > self._last_pts_ns:
            self._intervals.append(pts_ns - self._last_pts_ns)
        # The smallest delay in each second; old ones go, so that a stream's clock may drift.
        delay, bucket = arrival_ns - pts_ns, arrival_ns // _BUCKET
        if self._least and self._least[-1][0] == bucket:
            self._least[-1] = (bucket, min(self._least[-1][1], delay))
        else:
            self._least.append((bucket, delay))
        while (bucket - self._least[0][0]) * _BUCKET > _WINDOW:
            self._least.popleft()

    def _judge(self, arrival_ns: int, reported_ns: int | None) -> StampSource:
        if reported_ns is not None and _YOUNGEST <= arrival_ns - reported_ns <= _OLDEST:
            self._reports, self._doubts = self._reports + 1, 0
        else:
            self._doubts += 1
        if self._doubts >= _DOUBTED:
            self._reports = 0
        return StampSource.SENDER_REPORT if self._reports >= _BELIEVED else StampSource.ARRIVAL

    def _anchor(self, source: StampSource, pts_ns: int, reported_ns: int | None) -> float:
        if source is StampSource.SENDER_REPORT:
            return self._offset_ns if reported_ns is None or self._doubts else float(reported_ns - pts_ns)
        # A picture is complete for the demuxer only when the next one begins.
        held = min(self._intervals) if self._intervals else 0
        return float(min(delay for _, delay in self._least) - held)
