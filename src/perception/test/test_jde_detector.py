# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the tracking network at work: boxes and appearances in one pass, and what a scene's keywords do. Without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ptz_perception.detections import Detections, joined, suppress_overlaps
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.jde_model import JdeOutput
from ptz_perception.pipeline import CameraPipeline, FrameView
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.recognition.recogniser import Reference
from ptz_site import Site, UserError
from ptz_site.schema import PerceptionSettings

S = 1_000_000_000
RED, BLUE = (30, 30, 220), (220, 30, 30)


def write_model(path: Path, **metadata: object) -> None:
    """A model whose cells have the mean colour of their 8 x 8 px as appearance, red, green, blue; half as long without the mask.

    Each cell that is reddish or bluish enough says that there is somebody, 60 px wide and 120 px high, around its middle.
    """
    constants = {
        'mean': np.full((3, 1, 8, 8), 1 / 64, np.float32),
        'two': np.array(2.0, np.float32),
        'steep': np.array(20.0, np.float32),
        'least': np.array(0.5, np.float32),
        'flat': np.array([0, 3, -1], np.int64),
        'size': np.array([60.0, 120.0], np.float32).reshape(1, 1, 2),
        'zero': np.array(0.0, np.float32),
        'half': np.array([4.0, 4.0], np.float32).reshape(1, 1, 2),
        'eight': np.array(8.0, np.float32),
        'shape2': np.array([0, 2, -1], np.int64),
    }
    nodes = [
        helper.make_node('Conv', ['pictures', 'mean'], ['colours'], group=3, strides=[8, 8]),
        helper.make_node('Reshape', ['colours', 'flat'], ['rows']),
        helper.make_node('Transpose', ['rows'], ['of_cells'], perm=[0, 2, 1]),
        helper.make_node('LpNormalization', ['of_cells'], ['directions'], axis=2, p=2),
        helper.make_node('ReduceMax', ['of_cells'], ['most'], axes=[2], keepdims=1),
        helper.make_node('ReduceMin', ['of_cells'], ['fewest'], axes=[2], keepdims=1),
        helper.make_node('Sub', ['most', 'fewest'], ['colourful']),
        helper.make_node('Sub', ['colourful', 'least'], ['more']),
        helper.make_node('Mul', ['more', 'steep'], ['logits']),
        helper.make_node('Sigmoid', ['logits'], ['scores']),
        # Cells count up row by row: their middles, from the running sum of ones along rows and columns.
        helper.make_node('ReduceMean', ['colours'], ['one_map'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['one_map', 'zero'], ['zeros']),
        helper.make_node('Exp', ['zeros'], ['ones']),
        helper.make_node('CumSum', ['ones', 'along_x'], ['x']),
        helper.make_node('CumSum', ['ones', 'along_y'], ['y']),
        helper.make_node('Concat', ['x', 'y'], ['grid'], axis=1),
        helper.make_node('Reshape', ['grid', 'shape2'], ['grid_rows']),
        helper.make_node('Transpose', ['grid_rows'], ['grid_cells'], perm=[0, 2, 1]),
        helper.make_node('Mul', ['grid_cells', 'eight'], ['corners']),
        helper.make_node('Sub', ['corners', 'half'], ['centres']),
        helper.make_node('Mul', ['centres', 'zero'], ['no_size']),
        helper.make_node('Add', ['no_size', 'size'], ['sizes']),
        helper.make_node('Concat', ['centres', 'sizes'], ['boxes'], axis=2),
        helper.make_node('Cast', ['mask'], ['masked'], to=TensorProto.FLOAT),
        helper.make_node('Add', ['masked', 'one'], ['doubled']),
        helper.make_node('Div', ['doubled', 'two'], ['lengths']),
        helper.make_node('Reshape', ['lengths', 'of_pictures'], ['of_each']),
        helper.make_node('Mul', ['directions', 'of_each'], ['vectors']),
    ]
    constants |= {'one': np.array(1.0, np.float32), 'of_pictures': np.array([-1, 1, 1], np.int64)}
    constants |= {'along_x': np.array(3, np.int64), 'along_y': np.array(2, np.int64)}
    inputs = [
        helper.make_tensor_value_info('pictures', TensorProto.FLOAT, ['n', 3, 'height', 'width']),
        helper.make_tensor_value_info('mask', TensorProto.BOOL, ['n']),
    ]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n', 'cells', last])
        for name, last in (('boxes', 4), ('scores', 1), ('vectors', 3))
    ]
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, 'made', inputs, outputs, initial), opset_imports=[helper.make_opsetid('', 13)], ir_version=8
    )
    said = {'model': 'jde', 'names': "{0: 'person'}", 'keywords': [['summer', 'day']], 'factors': [1, 5], **metadata}
    for key, value in said.items():
        model.metadata_props.add(key=key, value=value if isinstance(value, str) else json.dumps(value))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def street(*people: tuple[tuple[int, int], tuple[int, int, int]], size: tuple[int, int] = (640, 384)) -> np.ndarray:
    """People at points: of 60 x 120 px, of whom the model needs only their middle."""
    picture = np.full((size[1], size[0], 3), 128, np.uint8)
    for (x, y), colour in people:
        picture[y - 8 : y + 8, x - 8 : x + 8] = colour
    return picture


SETTINGS = PerceptionSettings(detector='jde.onnx', embedders={'body': 'jde.onnx'}, score=0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_model(tmp_path / 'jde.onnx')
    return tmp_path


def test_an_appearance_comes_with_every_box(folder: Path) -> None:
    detector = make_detector(SETTINGS, folder)
    found = detector.detect(street(((152, 184), RED), ((480, 184), BLUE)))
    assert found.vectors is not None and len(found.vectors) == len(found) == 2
    for box, vector in zip(found.boxes, found.vectors, strict=True):
        assert vector[0 if box[0] < 320 else 2] > 0.9 * np.linalg.norm(vector), 'red is first, blue is last'
    assert detector.looked_at == 1.0
    assert 'appearances of 3 numbers' in detector.describe()


def test_appearances_of_a_model_that_says_its_threshold_are_on_the_common_scale(folder: Path) -> None:
    write_model(folder / 'jde.onnx', same=0.4)
    red, blue = make_detector(SETTINGS, folder).detect(street(((152, 184), RED), ((480, 184), BLUE))).vectors
    # As long as they are said to be, they would have 0.7.
    assert 0.6 < float(red @ blue / np.linalg.norm(red) / np.linalg.norm(blue)) < 0.8, 'they have nothing in common'
    (feature,) = (one.embed(street(((20, 40), RED), size=(40, 80))) for one in make_embedders(SETTINGS, folder).values())
    assert feature @ red > 0.95 * np.linalg.norm(red) and len(feature) == 4
    write_model(folder / 'jde.onnx', same='half')
    with pytest.raises(UserError, match='same in its metadata is no number'):
        make_detector(SETTINGS, folder)


def test_boxes_and_appearances_are_those_of_the_large_picture(folder: Path) -> None:
    large = np.kron(street(((152, 184), RED)), np.ones((2, 2, 1), np.uint8)).astype(np.uint8)
    detector = make_detector(SETTINGS, folder)
    small, found = detector.detect(street(((152, 184), RED))), detector.detect(large)
    assert found.boxes == pytest.approx(2 * small.boxes)
    assert detector.looked_at == pytest.approx(0.25)


def test_instance_normalisation_is_sparse_where_the_scene_is_like_those_of_the_training(folder: Path) -> None:
    detector, picture = make_detector(SETTINGS, folder), street(((152, 184), RED))

    def normalised(count: int) -> list[bool]:
        return [bool(np.linalg.norm(detector.detect(picture).vectors[0]) > 0.9) for _ in range(count)]

    detector.expect(['summer', 'day'])
    assert normalised(10) == [False] * 4 + [True] + [False] * 4 + [True]
    detector.expect(['summer', 'dusk'])
    assert normalised(6) == [False, False, True] * 2
    for unrelated in (['winter'], []):
        detector.expect(unrelated)
        assert normalised(3) == [True] * 3


def test_in_tiles_every_box_has_its_appearance_too(folder: Path) -> None:
    detector = make_detector(SETTINGS.model_copy(update={'tile': 256}), folder)
    detector.expect(['summer', 'day'])
    found = detector.detect(street(((152, 184), RED), ((480, 184), BLUE)))
    assert found.vectors is not None and len(found.vectors) == len(found) >= 2


def test_a_picture_alone_looks_as_in_a_whole_picture(folder: Path) -> None:
    embedder = make_embedders(SETTINGS, folder)['body']
    assert embedder.with_detections
    assert embedder.length == 3
    person = np.full((120, 60, 3), RED, np.uint8)
    found = make_detector(SETTINGS, folder).detect(street(((152, 184), RED)))
    assert embedder.embed(person) @ found.vectors[0] > 0.99
    with pytest.raises(ValueError, match='at least 8 x 8 px'):
        embedder.embed(np.zeros((4, 4, 3), np.uint8))
    assert not make_embedders(SETTINGS.model_copy(update={'detector': 'hog'}), folder)['body'].with_detections


def test_the_pipeline_looks_once_and_recognises_by_what_the_detector_gave(folder: Path, demo_site: Site) -> None:
    site = demo_site.model_copy(update={'perception': SETTINGS})
    camera, scene = next(iter(site.cameras)), next(iter(site.scenes))
    embedders = make_embedders(SETTINGS, folder)
    blue = Reference('anna', 'body', embedders['body'].embed(np.full((120, 60, 3), BLUE, np.uint8)))
    embedders['body'].embed = None  # type: ignore[method-assign]  # would fail if it was asked
    pipeline = CameraPipeline(site, camera, make_detector(SETTINGS, folder), embedders)
    picture = street(((152, 184), RED), ((480, 184), BLUE))
    for step in range(6):
        frame = FrameView(step * S // 4, 1, step, 0, scene, 0.0, 0.0, 1.0)
        seen = pipeline.look(picture, frame, [blue])
    targets = {one.track.box[0] > 320: one.recognition.target for one in seen}
    assert targets == {False: '', True: 'anna'}


@pytest.mark.parametrize(
    ('metadata', 'words'),
    [({'names': ''}, 'says that it is a jde model, but has'), ({'keywords': 'none'}, 'keywords in its metadata is no list')],
)
def test_a_model_that_is_none_gets_one_line(tmp_path: Path, metadata: dict[str, object], words: str) -> None:
    write_model(tmp_path / 'jde.onnx', **metadata)
    with pytest.raises(UserError, match=words):
        make_detector(SETTINGS, tmp_path)


def test_an_unknown_class_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r'cow found; jde jde\.onnx knows person'):
        make_detector(SETTINGS.model_copy(update={'classes': ['cow']}), folder)


def test_the_appearance_at_a_point_is_that_of_its_cell() -> None:
    vectors = np.arange(6, dtype=np.float32)[:, None]
    output = JdeOutput(np.zeros((6, 4)), np.zeros((6, 1)), vectors, 3)
    points = np.array([[7.9, 7.9], [8.0, 7.9], [20.0, 9.0], [-3.0, 900.0]])
    assert output.vectors_at(points).ravel().tolist() == [0, 1, 5, 3]


def test_appearances_go_with_their_detections() -> None:
    boxes = np.array([[10, 10, 8, 8], [40, 10, 8, 8], [10, 11, 8, 8]], float)
    vectors = np.arange(3, dtype=np.float32)[:, None]
    found = Detections.of(boxes, np.array([0.5, 0.7, 0.9]), np.zeros(3, np.int64), ('person',)).seen_as(vectors)
    assert suppress_overlaps(found, 0.5).vectors.ravel().tolist() == [2, 1]
    assert joined([found, found]).vectors.ravel().tolist() == [0, 1, 2, 0, 1, 2]
    assert joined([found, Detections.none(('person',))]).vectors is None
    with pytest.raises(ValueError, match=r'3 classes need vectors \(3, d\)'):
        found.seen_as(vectors[:2])
