# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the detectors: on made pictures, on models made here, and on real footage where that is at hand."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptz_perception.detections import overlaps
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.coco import COCO_CLASSES
from ptz_perception.detectors.hog import HogDetector
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

FOOTAGE = os.environ.get('PTZ_COLLAB_TEST_DATA', '')
needs_footage = pytest.mark.skipif(
    not Path(FOOTAGE, 'models', 'yolox_nano.onnx').is_file() or not FOOTAGE,
    reason='PTZ_COLLAB_TEST_DATA names no folder with models/yolox_nano.onnx and clips/',
)


def field(number: int, value: int | str | bytes | float) -> bytes:
    """One field of a protocol buffer message, which is what an ONNX file is: so tests need no library to make one."""
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack('<f', value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def picture_end(name: str, shape: tuple[int, ...]) -> bytes:
    """A ValueInfoProto of float32."""
    dimensions = b''.join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dimensions)))


def write_model(path: Path, given: tuple[int, ...], taken: tuple[int, ...], raw: np.ndarray | None = None) -> None:
    """A model that returns a constant, whatever the picture: raw, or zeros."""
    values = np.zeros(taken, np.float32) if raw is None else raw.astype(np.float32)
    tensor = b''.join(field(1, side) for side in values.shape) + field(2, 1) + field(9, values.tobytes())
    # 0 * mean(picture) + constant: so that the input is used.
    nodes = [
        field(1, 'images')
        + field(2, 'mean')
        + field(4, 'ReduceMean')
        + field(5, field(1, 'keepdims') + field(3, 0) + field(20, 2)),
        field(1, 'mean') + field(1, 'zero') + field(2, 'none') + field(4, 'Mul'),
        field(1, 'constant') + field(1, 'none') + field(2, 'output') + field(4, 'Add'),
    ]
    zero = field(2, 1) + field(8, 'zero') + field(9, struct.pack('<f', 0.0))
    graph = (
        b''.join(field(1, node) for node in nodes) + field(2, 'made') + field(5, tensor + field(8, 'constant')) + field(5, zero)
    )
    graph += field(11, picture_end('images', given)) + field(12, picture_end('output', taken))
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, '') + field(2, 13)))


def test_hog_finds_nothing_in_an_empty_or_tiny_picture() -> None:
    detector = HogDetector(640, 0.3)
    assert len(detector.detect(np.full((480, 640, 3), 90, np.uint8))) == 0
    assert len(detector.detect(np.zeros((20, 20, 3), np.uint8))) == 0


def test_a_model_that_is_missing_or_broken_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no file'):
        make_detector(PerceptionSettings(detector='nowhere.onnx'), tmp_path)
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    with pytest.raises(UserError, match='not an ONNX model') as caught:
        make_detector(PerceptionSettings(detector='broken.onnx'), tmp_path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize('detector', ['hog', 'made.onnx'])
def test_a_class_that_the_detector_does_not_know_is_said(detector: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'perception.classes: persn found; .* knows person'):
        make_detector(PerceptionSettings(detector=detector, classes=['person', 'persn']), tmp_path)


@pytest.mark.parametrize(
    ('given', 'taken'),
    [
        ((1, 3, 64, 96), (1, 84, 126)),  # channels before boxes
        ((1, 3, 64, 96), (1, 126, 6)),  # another number of classes
        ((1, 3, 60, 96), (1, 126, 85)),  # no multiple of the strides
        ((1, 64, 96, 3), (1, 126, 85)),  # channels last
        ((2, 3, 64, 96), (2, 126, 85)),  # two pictures at a time
    ],
)
def test_a_model_of_another_layout_is_named_with_what_it_has(
    given: tuple[int, ...], taken: tuple[int, ...], tmp_path: Path
) -> None:
    write_model(tmp_path / 'made.onnx', given, taken)
    with pytest.raises(UserError) as caught:
        make_detector(PerceptionSettings(detector='made.onnx'), tmp_path)
    text = str(caught.value)
    assert all(
        part in text for part in ('made.onnx', f'images tensor(float) {list(given)}', f'{list(taken)}', 'understood are YOLOX')
    )
    assert len(text.splitlines()) == 1


def test_yolox_cells_become_pixels_of_the_picture(tmp_path: Path) -> None:
    # Input 64 x 96 (height, width): 8 x 12 cells of 8 px, then 4 x 6 of 16 px, then 2 x 3 of 32 px.
    raw = np.full((1, 126, 85), 0.0, np.float32)
    person, car = 5 + COCO_CLASSES.index('person'), 5 + COCO_CLASSES.index('car')
    raw[0, 96 + 6 + 2, :5] = [0.5, 0.25, np.log(2), np.log(3), 0.8]  # column 2, row 1 of the 16 px cells
    raw[0, 96 + 6 + 2, person] = 0.9
    raw[0, 96 + 6 + 3, :5] = [-0.5, 0.25, np.log(2), np.log(3), 0.6]  # the same from the next cell, less sure
    raw[0, 96 + 6 + 3, person] = 0.9
    raw[0, 0, 4], raw[0, 0, car] = 1.0, 1.0  # not wanted
    raw[0, 1, 4], raw[0, 1, person] = 0.5, 0.5  # 0.25 is too little
    write_model(tmp_path / 'made.onnx', (1, 3, 64, 96), raw.shape, raw)
    found = make_detector(PerceptionSettings(detector='made.onnx', score=0.3), tmp_path).detect(np.zeros((128, 100, 3), np.uint8))
    # The picture's height of 128 px was reduced to 64 px, by half.
    assert found.boxes == pytest.approx(np.array([[2 * 40.0, 2 * 20.0, 2 * 32.0, 2 * 48.0]]), rel=1e-5)
    assert found.scores == pytest.approx([0.72], rel=1e-5)
    assert found.classes == ('person',)


def footage(name: str, every: int) -> list[np.ndarray]:
    """Frames of a clip."""
    video = cv2.VideoCapture(str(Path(FOOTAGE, name)))
    frames, index = [], 0
    while video.grab():
        if index % every == 0:
            frames.append(video.retrieve()[1])
        index += 1
    assert frames, f'{name} has no frames'
    return frames


@needs_footage
def test_yolox_sees_one_person_at_a_time_in_the_room() -> None:
    detector = make_detector(PerceptionSettings(detector='models/yolox_nano.onnx'), Path(FOOTAGE))
    counts = [len(detector.detect(frame)) for frame in footage('clips/one-by-one-person-detection.mp4', 25)]
    assert set(counts) == {0, 1}
    assert 0.6 < np.mean(counts) < 0.9


@needs_footage
def test_what_hog_finds_in_the_yard_are_people_and_its_boxes_fit_them() -> None:
    yolox = make_detector(PerceptionSettings(detector='models/yolox_nano.onnx', score=0.5), Path(FOOTAGE))
    hog = make_detector(PerceptionSettings(), Path(FOOTAGE))
    fits = []
    for frame in footage('epfl/campus4-c0.mp4', 40):
        found, true = hog.detect(frame), yolox.detect(frame)
        if len(found):
            fits.extend(overlaps(found.boxes, true.boxes).max(axis=1, initial=0.0))
    assert len(fits) > 20
    assert np.mean(np.array(fits) > 0.4) > 0.95
    assert np.median(fits) > 0.7
