# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what becomes of looked-at frames: which pictures are kept, which packages are made of them, and what a bad one does."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
from selection_helpers import S

from ptz_perception.best_frames import BestFrames, FrameOrigin, exposure_of
from ptz_perception.locating.movement import Movement
from ptz_perception.pictures import EncodedFrame
from ptz_perception.pipeline import SeenObject
from ptz_perception.recognition.recogniser import Recognition
from ptz_perception.selection import FrameFacts, make_selection
from ptz_perception.tracking.tracks import Track
from ptz_site.frame_package import MOST_OBSERVATIONS, FramePackage
from ptz_site.schema import SelectionSettings

SIZE = (1280, 720)
PICTURE = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8), (31, 31), 0)
ORIGIN = FrameOrigin('yard', 'north', 'gate', 7, (0.1, -0.2, float('nan')), exposure_of('manual', 0.004, float('nan')))


class Case:
    """One camera's best frames, with what was put and what the region says of tracks."""

    def __init__(self, selection: str = 'rules') -> None:
        self.put: list[tuple[FramePackage, bytes]] = []
        self.names: dict[int, str] = {}
        self.best = BestFrames(
            make_selection(SelectionSettings.model_validate({'selection': selection})),
            None,
            lambda _session, track_id: self.names.get(track_id, ''),
            lambda package, picture: self.put.append((package, picture)),
        )

    def look(
        self, number: int, *seen: SeenObject, segment: int = 1, encoding: str = 'jpeg', stamp_ns: int | None = None
    ) -> bytes:
        """Shows it a frame; the bytes of it."""
        data = f'picture {number}'.encode()
        stamp_ns = 100 * S + number * S // 4 if stamp_ns is None else stamp_ns
        facts = FrameFacts(stamp_ns, 5, number, segment, SIZE)
        self.best.look(facts, ORIGIN, EncodedFrame(5, number, encoding, True, SIZE, data), PICTURE, seen)
        return data


def somebody(track_id: int = 1, height: float = 150.0, observations: int = 5, **changes: object) -> SeenObject:
    given = {
        'track_id': track_id,
        'class_name': 'person',
        # Always as far from the picture's edge.
        'box': (100.0 + 0.2 * height, 360.0, 0.4 * height, height),
        'orientation': 0.0,
        'rates': (0.0,) * 4,
        'score': 0.7,
        'first_seen_ns': S,
        'last_seen_ns': S,
        'observations': observations,
        'detection': 0,
        **changes,
    }
    movement = Movement(S, np.array([1.0, 2.0, 0.5, 0.0]), np.eye(4) * 0.1)
    return SeenObject(Track(**given), None, movement, 0.25, Recognition(target='anna'))  # type: ignore[arg-type]


@pytest.mark.parametrize('selection', ['rules', 'quality'])
def test_of_a_stay_one_picture_is_put_as_it_was_captured_with_everything_known_of_it(selection: str) -> None:
    case = Case(selection)
    data = {number: case.look(number, somebody(height=100.0 + number)) for number in range(1, 12)}
    assert not case.put
    case.names[1] = 'object-9'
    case.best.end_segment()
    ((package, picture),) = case.put
    assert picture == data[package.sequence] and package.sequence == 11
    assert package.id == 'yard-north-5-11' and package.encoded_by == 'camera'
    assert package.picture_sha256 == hashlib.sha256(picture).hexdigest() and package.picture_bytes == len(picture)
    assert (package.position.pan, package.position.zoom) == (0.1, None)
    assert (package.exposure.mode, package.exposure.time, package.exposure.gain) == ('manual', 0.004, None)
    (one,) = package.observations
    assert (one.object_id, one.target, one.best, one.predicted) == ('object-9', 'anna', True, False)
    assert one.ground is not None and (one.ground.x, one.ground.y) == (1.0, 2.0)
    case.best.end_segment()
    assert len(case.put) == 1 and case.best.chosen == 1


def test_another_stay_ends_the_one_before() -> None:
    case = Case()
    for number in range(1, 8):
        case.look(number, somebody(1))
    case.look(8, somebody(801), segment=2)
    assert [package.observations[0].track_id for package, _ in case.put] == [1]


def test_a_picture_of_a_video_is_encoded_once() -> None:
    case = Case()
    for number in range(1, 8):
        case.look(number, somebody(), encoding='h264')
    case.best.end_segment()
    ((package, picture),) = case.put
    assert package.encoded_by == 'perception'
    shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown.astype(int) - PICTURE).mean() < 2


def test_somebody_who_is_known_is_only_put_again_if_better() -> None:
    case = Case()
    for segment, height in ((1, 150.0), (2, 120.0), (3, 200.0)):
        track_id = segment * 100
        case.names[track_id] = 'object-1'
        for number in range(8):
            case.look(segment * 100 + number, somebody(track_id, height), segment=segment)
        case.best.end_segment()
    assert [package.sequence // 100 for package, _ in case.put] == [1, 3]


def test_a_package_that_can_not_be_made_is_counted_and_the_others_are_put() -> None:
    case = Case()
    for number in range(1, 8):
        case.look(number, somebody(1, class_name='x' * 500), somebody(2, class_name='x' * 500))
    case.look(8, somebody(801), segment=2)
    for number in range(9, 16):
        case.look(number, somebody(801), segment=2)
    case.best.end_segment()
    assert case.best.failed >= 1 and 'no package of frame' in case.best.failure
    assert [one.track_id for package, _ in case.put for one in package.observations] == [801]


def test_of_a_crowd_those_are_named_whom_the_picture_was_chosen_for() -> None:
    case = Case()
    crowd = [somebody(1 + k, 40.0) for k in range(MOST_OBSERVATIONS + 50)]
    for number in range(1, 8):
        case.look(number, *crowd, somebody(5000, 200.0))
    case.best.end_segment()
    ((package, _),) = case.put
    assert len(package.observations) == MOST_OBSERVATIONS
    assert 5000 in {one.track_id for one in package.observations if one.best}


@pytest.mark.parametrize(('time', 'known'), [(0.004, 0.004), (0.0, None), (float('inf'), None), (float('nan'), None)])
def test_an_exposure_that_is_not_known_is_null(time: float, known: float | None) -> None:
    assert exposure_of('automatic', time, float('inf')).time == known
