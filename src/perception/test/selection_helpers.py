# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Frames and tracks for the tests of selections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ptz_perception.selection import FrameFacts, FrameKey, TrackFacts

S = 1_000_000_000
SIZE = (1280, 720)

#: Somebody 100 px from the picture's left edge, seen for some time, well enough for rule 1 and not for being sent at once.
PERSON = TrackFacts(1, '', 'person', 5, True, (130.0, 360.0, 60.0, 150.0), 0.0, 0.6, 1.0, 1.0, 0.0)


def frame(number: int, seconds: float | None = None, segment: int = 1, session: int = 1, **changes: Any) -> FrameFacts:
    """By default 10 frames/s, with a fixed exposure."""
    at = number / 10 if seconds is None else seconds
    given = {'exposure_manual': True, 'manual_possible': True, **changes}
    return FrameFacts(S + round(at * S), session, number, segment, SIZE, **given)


def person(track_id: int = 1, height: float = 150.0, **changes: Any) -> TrackFacts:
    """PERSON, so high (px), with changes; as far from the edge."""
    return replace(PERSON, track_id=track_id, box=(100.0 + 0.2 * height, 360.0, 0.4 * height, height), **changes)


def key(number: int, session: int = 1) -> FrameKey:
    return FrameKey(session, number)


#: Watched segments take long to make up.
few = settings(max_examples=40, deadline=None)


@st.composite
def watched(draw: st.DrawFn) -> list[tuple[FrameFacts, tuple[TrackFacts, ...]]]:
    """Some segments of a camera, with people who come, are missed, and go, some of whom are recognised after a while."""
    frames = []
    number = 0
    for segment in range(1, draw(st.integers(1, 3)) + 1):
        counts: dict[int, int] = {}
        gone: set[int] = set()
        for _ in range(draw(st.integers(1, 12))):
            number += 1
            tracks = []
            for place in range(draw(st.integers(0, 4))):
                track_id = segment * 100 + place
                detected = draw(st.booleans()) or track_id not in counts
                if track_id in gone:
                    continue
                counts[track_id] = counts.get(track_id, 0) + detected
                width, height = draw(st.sampled_from([20.0, 60.0, 90.0])), draw(st.sampled_from([60.0, 64.0, 150.0, 400.0]))
                box = (draw(st.floats(0, 1280)), draw(st.floats(0, 720)), width, height)
                known = counts[track_id] >= 3 and place < 3
                tracks.append(
                    TrackFacts(
                        track_id,
                        f'object-{place}' if known else '',
                        'person',
                        counts[track_id],
                        detected,
                        box,
                        draw(st.sampled_from([0.0, 0.4])),
                        draw(st.sampled_from([0.3, 0.5, 0.7, 0.9])),
                        draw(st.sampled_from([None, 0.2, 1.0])),
                        draw(st.sampled_from([None, 0.0, 0.6, 1.0])),
                        draw(st.sampled_from([0.0, 0.5])),
                    )
                )
            gone |= set(counts) - {track.track_id for track in tracks}
            manual = draw(st.booleans())
            frames.append((frame(number, 0.3 * number + 5 * segment, segment, exposure_manual=manual), tuple(tracks)))
    return frames
