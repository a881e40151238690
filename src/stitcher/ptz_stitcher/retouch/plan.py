# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of a frame are hidden, and which marks are drawn: a frame's header and the looks around it in, regions out.

Perception looks at a few frames a second. Somebody who is seen in the looks before and after a frame is somewhere between the two, and
aside of that by no more than what one walks until then; who is seen on one side only, within what one walks from there. What nobody
looked at in time is hidden as a whole: what fails hides too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ptz_site import NANOSECONDS, Phase
from ptz_stitcher.retouch.looks import Box, Look, Sighting, around
from ptz_stitcher.retouch.policies import Redact, RedactBy, RetouchSettings
from ptz_stitcher.segments import FrameHeader

#: A frame without a look so near in time is hidden as a whole; and for so long somebody is hidden before and after being seen, because a
#: detector finds people late who come in at the edge, and loses them early.
HOLD_NS = NANOSECONDS
#: Looks that matter for a frame.
REACH_NS = 2 * HOLD_NS
#: How much larger than their boxes people are hidden, by the box's longer side: boxes are not exact.
MARGIN = 0.2
#: By how much people move, in their boxes' longer sides a second: somebody of 1.7 m who runs slowly, at 2.5 m/s.
SPEED = 1.5
#: Share of the picture's longer side; a box so near to an edge may show a part of somebody only.
AT_EDGE = 0.01
#: Whom no look has comes in over the edge: so much of the picture's longer side a second.
EDGE_SPEED = 0.25


@dataclass(frozen=True, slots=True)
class TargetMark:
    """The mark of a target, around or above its box. colour: #rrggbb; shape: box, triangle or arrow; either empty if nothing says."""

    box: Box
    target: str
    colour: str
    shape: str


@dataclass(frozen=True)
class Retouching:
    """What is done to a picture. whole: all of it is hidden, as nobody looked. size: of the picture that the boxes are in."""

    by: RedactBy
    whole: bool = False
    size: tuple[int, int] = (0, 0)
    hidden: tuple[Box, ...] = ()
    marks: tuple[TargetMark, ...] = ()


@dataclass
class _Seen:
    """One track around an instant: times in ns and sightings, the nearest ones first."""

    before: list[tuple[int, Sighting]] = field(default_factory=list)
    after: list[tuple[int, Sighting]] = field(default_factory=list)

    @property
    def near(self) -> list[tuple[int, Sighting]]:
        """Back to the last detection, and on to the next."""
        return [*_to_detection(self.before), *_to_detection(self.after)]

    def is_held(self, stamp_ns: int) -> bool:
        """Whether it is there at all: between two sightings, or soon after the last or before the first."""
        if self.before and self.after:
            return True
        return min(abs(at_ns - stamp_ns) for at_ns, _ in [*self.before, *self.after]) <= HOLD_NS


def retouching(header: FrameHeader, looks: Iterable[Look], settings: RetouchSettings) -> Retouching:
    """What is to be done to a frame. looks: of its camera, in order, at least those within REACH_NS; others do no harm."""
    usable = [look for look in looks if _tells(look, header)]
    away_ns = min((abs(look.stamp_ns - header.stamp_ns) for look in usable), default=HOLD_NS + 1)
    if header.phase is not Phase.IN_POSITION or away_ns > HOLD_NS:
        return Retouching(settings.by, whole=settings.hides)
    size = usable[-1].size
    tracks = [seen for seen in _by_track(usable, header.stamp_ns).values() if seen.is_held(header.stamp_ns)]
    hidden: tuple[Box, ...] = ()
    if settings.hides:
        hiding = [seen for seen in tracks if settings.redact is Redact.EVERYBODY or not _is_target(seen)]
        hidden = (*(_region(seen, header.stamp_ns, size) for seen in hiding), *_edges(size, away_ns))
    marks = tuple(_marks(tracks, header.stamp_ns)) if settings.draw_targets else ()
    return Retouching(settings.by, False, size, hidden, marks)


def _tells(look: Look, header: FrameHeader) -> bool:
    """Whether a look says something of a frame: the camera stood as it stands."""
    same = look.segment == header.segment_key and look.arrived_ns == header.arrived_ns
    return same and abs(look.stamp_ns - header.stamp_ns) <= REACH_NS


def _by_track(looks: Sequence[Look], stamp_ns: int) -> dict[int, _Seen]:
    found: dict[int, _Seen] = {}
    for look in looks:
        for one in look.sightings:
            seen = found.setdefault(one.track, _Seen())
            if look.stamp_ns <= stamp_ns:
                seen.before.insert(0, (look.stamp_ns, one))
            if look.stamp_ns >= stamp_ns:
                seen.after.append((look.stamp_ns, one))
    return found


def _to_detection(sightings: Iterable[tuple[int, Sighting]]) -> Iterator[tuple[int, Sighting]]:
    for at_ns, one in sightings:
        yield at_ns, one
        if one.detected:
            return


def _region(seen: _Seen, stamp_ns: int, size: tuple[int, int]) -> Box:
    near = seen.near
    # A prediction is where somebody would be who goes on as before: it belongs to the region, but nobody was seen there.
    away = min((abs(at_ns - stamp_ns) for at_ns, one in near if one.detected), default=HOLD_NS) / NANOSECONDS
    longest = max(_length(one.box, size) for _, one in near)
    return around(one.box for _, one in near).grown((MARGIN + SPEED * away) * longest)


def _length(box: Box, size: tuple[int, int]) -> float:
    """By what margins are measured, px: the box's longer side; twice that where the edge cuts off nobody knows how much."""
    at_edge = min(box.left, box.top, size[0] - box.right, size[1] - box.bottom) < AT_EDGE * max(size)
    return box.longer_side * (2 if at_edge else 1)


def _is_target(seen: _Seen) -> bool:
    """Only who was recognised in every look that tells where he is; until then he is one of the others."""
    return all(one.target for _, one in seen.near)


def _edges(size: tuple[int, int], away_ns: int) -> tuple[Box, ...]:
    width, height = size
    depth = EDGE_SPEED * max(size) * away_ns / NANOSECONDS
    if depth <= 0:
        return ()
    return (
        Box(0, 0, width, depth),
        Box(0, height - depth, width, height),
        Box(0, depth, depth, height - depth),
        Box(width - depth, depth, width, height - depth),
    )


def _marks(tracks: Iterable[_Seen], stamp_ns: int) -> Iterator[TargetMark]:
    for seen in tracks:
        (before_ns, before), (after_ns, after) = (seen.before or seen.after)[0], (seen.after or seen.before)[0]
        if not before.target or before.target != after.target:
            continue
        share = (stamp_ns - before_ns) / (after_ns - before_ns) if after_ns != before_ns else 0.0
        yield TargetMark(before.box.between(after.box, share), before.target, after.colour, after.shape)
