# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of where targets are turned to: by their pictures, by where they walk, and by both."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from onnx_models import write_constant_model

from ptz_perception.detections import Detections, Image
from ptz_perception.detectors.base import Guide
from ptz_perception.facing.headings import Facings, and_also, in_map, turned_to
from ptz_perception.facing.model import FacingModel, make_facing
from ptz_perception.pipeline import CameraPipeline, FrameView, SeenObject
from ptz_perception.recognition.embedders.colour import ColourEmbedder
from ptz_perception.recognition.recogniser import Reference
from ptz_site import CameraPose, Site, UserError, wrap_angle
from ptz_site.schema import PerceptionSettings

S = 1_000_000_000
#: East of the origin.
CAMERA = CameraPose(10.0, 0.0, 5.0, math.pi)
AT_THE_CAMERA, ITS_LEFT = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def unit(angle: float) -> np.ndarray:
    return np.array([math.cos(angle), math.sin(angle)])


def test_who_looks_into_the_camera_looks_from_where_they_stand_to_it() -> None:
    assert in_map(AT_THE_CAMERA, (0.0, 0.0), CAMERA) == pytest.approx([1.0, 0.0])
    assert in_map(AT_THE_CAMERA, (10.0, -7.0), CAMERA) == pytest.approx([0.0, 1.0])
    # A quarter turn counter-clockwise from the direction to the camera, which lies in the east: north.
    assert in_map(ITS_LEFT, (0.0, 0.0), CAMERA) == pytest.approx([0.0, 1.0])


def test_one_wrong_picture_among_right_ones_does_not_turn_anybody() -> None:
    facing = None
    for k in range(6):
        facing = and_also(facing, unit(math.pi if k == 4 else 0.2), k * S // 5)
        heading = turned_to(facing, None, k * S // 5)
        assert heading is None or abs(heading - 0.2) < 0.1
    assert heading == pytest.approx(0.2, abs=0.1), 'it is known again with the next right one'


def test_who_turns_is_known_to_within_a_second() -> None:
    facing = None
    for k in range(10):
        facing = and_also(facing, unit(0.0), k * S // 5)
    for k in range(10, 15):
        facing = and_also(facing, unit(2.0), k * S // 5)
    heading = turned_to(facing, None, 14 * S // 5)
    assert heading is not None and abs(wrap_angle(heading - 2.0)) < math.radians(20)


def test_pictures_that_say_nothing_or_contradict_where_somebody_walks_say_nothing() -> None:
    unsure = and_also(None, 0.2 * unit(1.0), 0)
    assert turned_to(unsure, None, 0) is None
    assert turned_to(unsure, 1.4, 0) == pytest.approx(1.4, abs=0.15), 'where they walk is known still'
    assert turned_to(and_also(None, unit(0.0), 0), math.pi, 0) is None
    assert turned_to(None, 0.7, 0) == 0.7
    assert turned_to(None, None, 0) is None


def test_what_was_seen_long_ago_is_not_known_any_more() -> None:
    facing = and_also(None, unit(1.0), 0)
    assert turned_to(facing, None, S // 5) == pytest.approx(1.0)
    assert turned_to(facing, None, 2 * S) is None


def test_tracks_that_are_gone_are_forgotten() -> None:
    facings = Facings(CAMERA)
    facings.take(1, AT_THE_CAMERA, (0.0, 0.0), 0)
    facings.take(2, ITS_LEFT, (0.0, 0.0), 0)
    facings.keep({2})
    assert facings.of(1) is None
    assert facings.of(2) is not None


def test_a_model_is_told_from_others_in_a_line_with_the_remedy(tmp_path: Path) -> None:
    write_constant_model(tmp_path / 'other.onnx', (1, 3, 8, 4), {'scores': np.zeros((1, 3), np.float32)})
    with pytest.raises(UserError, match=r'perception\.facing: .*other\.onnx has .*; a facing model takes .*; or leave it empty'):
        make_facing(PerceptionSettings(facing='other.onnx', provider='cpu'), tmp_path)
    with pytest.raises(UserError, match=r'perception\.facing: .*missing\.onnx.*; or leave it empty'):
        make_facing(PerceptionSettings(facing='missing.onnx', provider='cpu'), tmp_path)
    assert make_facing(PerceptionSettings(), tmp_path) is None


def test_a_model_that_is_surer_than_sure_is_taken_for_sure_and_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    model = constant_model(tmp_path, (3.0, 4.0))
    assert model.look(np.zeros((80, 40, 3), np.uint8)) == pytest.approx([0.6, 0.8])
    with pytest.raises(ValueError, match='at least 8 x 8 px'):
        model.look(np.zeros((80, 4, 3), np.uint8))
    with pytest.raises(ValueError, match='not finite'):
        constant_model(tmp_path, (math.nan, 0.0)).look(np.zeros((80, 40, 3), np.uint8))


@pytest.mark.parametrize(('target', 'known'), [('anna', True), ('', False)])
def test_a_target_that_stands_has_a_heading_by_its_picture_and_nobody_else_is_looked_at(
    tmp_path: Path, target: str, known: bool
) -> None:
    seen = look_for_two_seconds(constant_model(tmp_path, (0.0, -0.9)), target)
    assert seen.recognition.target == target
    assert (seen.heading is not None) == known
    if seen.heading is not None:
        assert seen.movement is not None
        (x, y), pose = seen.movement.position, SITE.cameras['north'].mounting
        assert pose is not None
        towards = math.atan2(pose.y - y, pose.x - x)
        assert abs(wrap_angle(seen.heading - towards + math.pi / 2)) < 0.01


def test_without_a_model_who_stands_has_no_heading() -> None:
    assert look_for_two_seconds(None, 'anna').heading is None


# What the tests look at: a coloured box that stands in the middle of a camera's picture.

SITE = Site.model_validate(
    {
        'region': {'name': 'yard', 'dwell': 5},
        'scenes': {'gate': {'polygon': [[-5, -5], [5, -5], [5, 5], [-5, 5]]}},
        'cameras': {
            'north': {
                'backend': 'simulated',
                'pose': {'x': 0, 'y': 25, 'z': 6, 'yaw': -90},
                'hfov': 60,
                'zoom': [1, 10],
                'slew_rate': 90,
                'zoom_rate': 2,
                'resolution': [640, 360],
                'presets': {'gate': {'pan': 0, 'tilt': -12, 'zoom': 2}},
            }
        },
    }
)
BOX = (320.0, 180.0, 50.0, 130.0)


class OneBox:
    """A detector that always finds the same person."""

    name, names, guide, looked_at = 'one box', ('person',), Guide.NONE, 1.0

    def detect(self, picture: Image, parts: object = None) -> Detections:
        return Detections(np.array([BOX]), np.array([0.9]), np.zeros(1, np.int64), ('person',), np.zeros(1))

    def describe(self) -> str:
        return self.name

    def expect(self, keywords: object) -> None:
        return None


def constant_model(folder: Path, said: tuple[float, float]) -> FacingModel:
    folder = folder / f'{said}'
    folder.mkdir(exist_ok=True)
    write_constant_model(folder / 'facing.onnx', (1, 3, 96, 48), {'facing': np.array([said], np.float32)})
    model = make_facing(PerceptionSettings(facing='facing.onnx', provider='cpu'), folder)
    assert model is not None
    return model


def look_for_two_seconds(model: FacingModel | None, target: str) -> SeenObject:
    picture = np.full((360, 640, 3), 90, np.uint8)
    picture[115:180, 295:345], picture[180:245, 295:345] = (40, 40, 200), (150, 60, 20)
    embedder = ColourEmbedder()
    references = [Reference(target, 'body', embedder.embed(picture[115:245, 295:345]))] if target else []
    pipeline = CameraPipeline(SITE, 'north', OneBox(), {'body': embedder}, model)
    preset = SITE.preset('north', 'gate')
    assert preset is not None
    for k in range(11):
        frame = FrameView(S + k * S // 5, 1, k, S, 'gate', preset.pan, preset.tilt, preset.zoom)
        seen = pipeline.look(picture, frame, references)
    (one,) = seen
    return one
