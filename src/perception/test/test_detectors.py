# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the detectors: on made pictures, on models made here, and on real footage where that is at hand."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx_models import write_constant_model

from ptz_perception.detections import Detections, Image, overlaps
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.advice import advice
from ptz_perception.detectors.base import Guide
from ptz_perception.detectors.class_names import names_in, read_names
from ptz_perception.detectors.coco import COCO_CLASSES, COCO_IDS
from ptz_perception.detectors.fitting import Placing, Values, fit_picture, to_tensor
from ptz_perception.detectors.hog import HogDetector
from ptz_perception.detectors.layouts import Layout, cells_of
from ptz_perception.detectors.tiles import TiledDetector, tiles_of
from ptz_perception.parts import Part
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

FOOTAGE = os.environ.get('PTZ_COLLAB_TEST_DATA', '')
needs_footage = pytest.mark.skipif(
    not Path(FOOTAGE, 'models', 'yolox_nano.onnx').is_file() or not FOOTAGE,
    reason='PTZ_COLLAB_TEST_DATA names no folder with models/yolox_nano.onnx and clips/',
)
#: The models' input is 96 x 64 (width, height), the picture 100 x 128: it is reduced by half to 50 x 64.
SIZE, PICTURE = (96, 64), np.zeros((128, 100, 3), np.uint8)
#: What every model here says: a person in the input, centre and size in px.
SAID = (40.0, 20.0, 16.0, 30.0)
CELLS = cells_of(SIZE)
PERSON, CAR = COCO_CLASSES.index('person'), COCO_CLASSES.index('car')
Array = NDArray[np.float32]


def yolox() -> Array:
    raw = np.zeros((1, CELLS, 85), np.float32)
    # Column 2, row 1 of the 16 px cells, which come after 12 x 8 of 8 px.
    row = 96 + 6 + 2
    raw[0, row, :5] = [0.5, 0.25, np.log(1), np.log(30 / 16), 0.9]
    raw[0, row, 5 + PERSON] = 0.8
    return raw


def yolox_decoded() -> Array:
    raw = np.zeros((1, CELLS, 85), np.float32)
    raw[0, :, 0], raw[0, :, 1] = np.linspace(0, SIZE[0], CELLS), 5
    raw[0, 7, :5], raw[0, 7, 5 + PERSON] = [*SAID, 0.9], 0.8
    return raw


def yolov5() -> Array:
    raw = np.zeros((1, 3 * CELLS, 85), np.float32)
    raw[0, 11, :5], raw[0, 11, 5 + PERSON], raw[0, 11, 5 + CAR] = [*SAID, 0.9], 0.8, 0.3
    raw[0, 12, :5], raw[0, 12, 5 + PERSON] = [41, 20, 16, 30, 0.9], 0.7
    return raw


def yolov8(classes: int = 80) -> Array:
    raw = np.zeros((1, 4 + classes, CELLS), np.float32)
    raw[0, :4, 5], raw[0, 4 + PERSON, 5] = SAID, 0.72
    raw[0, :4, 6], raw[0, 4 + PERSON, 6] = (41, 20, 16, 30), 0.6
    return raw


def yolov8_turned() -> Array:
    raw = np.zeros((1, 4 + 2 + 1, CELLS), np.float32)
    raw[0, :4, 5], raw[0, 4, 5], raw[0, 6, 5] = SAID, 0.72, 0.5
    return raw


def end_to_end() -> Array:
    raw = np.zeros((1, 300, 6), np.float32)
    raw[0, 0] = [32, 5, 48, 35, 0.72, PERSON]
    return raw


def shares() -> list[float]:
    return [SAID[0] / 96, SAID[1] / 64, SAID[2] / 96, SAID[3] / 64]


def queries(classes: int, person: int, logit: float, others: float) -> tuple[Array, Array]:
    logits, boxes = np.full((1, 20, classes), others, np.float32), np.full((1, 20, 4), 0.5, np.float32)
    logits[0, 3, person], boxes[0, 3] = logit, shares()
    return logits, boxes


def detr() -> dict[str, Array]:
    logits, boxes = queries(92, COCO_IDS.index('person'), 12.0, 0.0)
    logits[0, :, 91] = 11.0556  # nothing; against it the person has 0.72
    return {'logits': logits, 'pred_boxes': boxes}


def rfdetr() -> dict[str, Array]:
    logits, boxes = queries(91, COCO_IDS.index('person'), math.log(0.72 / 0.28), -9.0)
    return {'dets': boxes, 'labels': logits}


def rtdetr() -> dict[str, Array]:
    logits, boxes = queries(80, PERSON, math.log(0.72 / 0.28), -9.0)
    return {'logits': logits, 'pred_boxes': boxes}


def rtdetr_joined() -> Array:
    raw = np.zeros((1, 300, 84), np.float32)
    raw[0, 9, :4], raw[0, 9, 4 + PERSON] = shares(), 0.72
    return raw


def rtdetr_sized() -> dict[str, Array]:
    labels, boxes, scores = np.zeros((1, 20)), np.zeros((1, 20, 4)), np.zeros((1, 20))
    labels[0, 4], boxes[0, 4], scores[0, 4] = PERSON, [32, 5, 48, 35], 0.72
    return {'labels': labels.astype(np.float32), 'boxes': boxes.astype(np.float32), 'scores': scores.astype(np.float32)}


MODELS: dict[str, tuple[Layout, Mapping[str, Array], Mapping[str, str]]] = {
    'yolox': (Layout.YOLOX, {'output': yolox()}, {}),
    'yolox decoded': (Layout.YOLOX, {'output': yolox_decoded()}, {}),
    'yolov5': (Layout.YOLOV5, {'output0': yolov5()}, {}),
    'yolov8': (Layout.YOLOV8, {'output0': yolov8()}, {}),
    'yolov8 of two classes': (Layout.YOLOV8, {'output0': yolov8(2)}, {'names': "{0: 'person', 1: 'goat'}"}),
    'yolov8 turned': (Layout.YOLOV8_TURNED, {'output0': yolov8_turned()}, {'names': "{0: 'person', 1: 'ship'}", 'task': 'obb'}),
    'end to end': (Layout.YOLO_END_TO_END, {'output0': end_to_end()}, {}),
    'detr': (Layout.DETR, detr(), {}),
    'rf-detr': (Layout.RFDETR, rfdetr(), {}),
    'rt-detr': (Layout.RTDETR, rtdetr(), {}),
    'rt-detr joined': (Layout.RTDETR_JOINED, {'output0': rtdetr_joined()}, {}),
    'rt-detr sized': (Layout.RTDETR_SIZED, rtdetr_sized(), {}),
}
#: Where the person is in the picture, by where pictures lie in the input.
IN_PICTURE = {
    Placing.CORNER: (80.0, 40.0, 32.0, 60.0),
    Placing.CENTRE: (34.0, 40.0, 32.0, 60.0),  # 23 px grey on the left
    Placing.STRETCHED: (40 / 0.96, 40.0, 16 / 0.96, 60.0),
}


@pytest.mark.parametrize('name', MODELS)
def test_a_layout_is_recognised_and_its_boxes_come_back_into_the_picture(name: str, tmp_path: Path) -> None:
    from ptz_perception.detectors.layouts import RULES

    layout, outputs, metadata = MODELS[name]
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), outputs, sized=layout is Layout.RTDETR_SIZED, metadata=metadata)
    detector = make_detector(PerceptionSettings(detector='made.onnx', score=0.3), tmp_path)
    assert detector.name == f'{layout.value} made.onnx'
    found = detector.detect(PICTURE)
    assert found.classes == ('person',)
    assert found.scores == pytest.approx([0.72], rel=1e-3)
    assert found.boxes[0] == pytest.approx(IN_PICTURE[RULES[layout].placing], rel=1e-4)
    assert found.orientations == pytest.approx([-0.5 if layout is Layout.YOLOV8_TURNED else 0.0])


@pytest.mark.parametrize('kind', ['float', 'float16', 'uint8'])
def test_models_of_other_numbers_run(kind: str, tmp_path: Path) -> None:
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output': yolox()}, kind=kind)
    assert len(make_detector(PerceptionSettings(detector='made.onnx'), tmp_path).detect(PICTURE)) == 1


def test_a_model_of_any_size_is_asked_for_the_one_it_was_trained_with(tmp_path: Path) -> None:
    metadata = {'imgsz': '[64, 96]'}
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 'height', 'width'), {'output0': yolov8()}, metadata=metadata)
    found = make_detector(PerceptionSettings(detector='made.onnx'), tmp_path).detect(PICTURE)
    assert found.boxes[0] == pytest.approx(IN_PICTURE[Placing.CENTRE], rel=1e-4)


def test_only_the_wanted_classes_are_kept(tmp_path: Path) -> None:
    raw = yolov5()
    raw[0, 40, :5], raw[0, 40, 5 + CAR] = [80, 50, 10, 10, 1.0], 0.9
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output0': raw})
    for classes in (['person'], ['car'], ['person', 'car']):
        found = make_detector(PerceptionSettings(detector='made.onnx', classes=classes), tmp_path).detect(PICTURE)
        assert sorted(found.classes) == sorted(classes)


def test_a_layout_can_be_named_where_shapes_leave_it_open(tmp_path: Path) -> None:
    logits, boxes = queries(5, 1, 3.0, -9.0)
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'logits': logits, 'pred_boxes': boxes})
    (tmp_path / 'names.txt').write_text('goat\nperson\ncar\nbus\nship\n')
    with pytest.raises(UserError, match=r'name it as perception\.layout'):
        make_detector(PerceptionSettings(detector='made.onnx'), tmp_path)
    named = PerceptionSettings(detector='made.onnx', layout='rtdetr', names='names.txt')
    assert make_detector(named, tmp_path).detect(PICTURE).classes == ('person',)


def test_names_come_from_files_and_from_models(tmp_path: Path) -> None:
    (tmp_path / 'data.yaml').write_text('names:\n  0: person\n  2: goat\n')
    assert read_names(tmp_path / 'data.yaml') == ('person', 'class 1', 'goat')
    assert names_in('["a", "b"]') == ('a', 'b') and names_in("{0: 'a'}") == ('a',) and names_in('__import__("os")') == ()
    with pytest.raises(UserError, match="can't be read"):
        read_names(tmp_path / 'nowhere.txt')
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(UserError, match='has no names'):
        read_names(tmp_path / 'empty.txt')


def test_as_many_names_as_classes(tmp_path: Path) -> None:
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output0': yolov8()})
    (tmp_path / 'names.txt').write_text('person\ncar\n')
    with pytest.raises(UserError, match='tells 80 classes apart, but there are 2 names'):
        make_detector(PerceptionSettings(detector='made.onnx', names='names.txt'), tmp_path)


def test_a_model_that_is_missing_or_broken_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no file'):
        make_detector(PerceptionSettings(detector='nowhere.onnx'), tmp_path)
    (tmp_path / 'broken.onnx').write_bytes(b'no model')
    with pytest.raises(UserError, match='not an ONNX model') as caught:
        make_detector(PerceptionSettings(detector='broken.onnx'), tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_an_accelerator_that_is_not_there_is_said(tmp_path: Path) -> None:
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output': yolox()})
    import onnxruntime

    if 'TensorrtExecutionProvider' in onnxruntime.get_available_providers():
        pytest.skip('this ONNX Runtime has TensorRT: it can not be missing here')
    with pytest.raises(UserError, match=r'perception.provider: tensorrt is not there; this ONNX Runtime has cpu'):
        make_detector(PerceptionSettings(detector='made.onnx', provider='tensorrt'), tmp_path)


def test_a_class_that_the_detector_does_not_know_is_said(tmp_path: Path) -> None:
    write_constant_model(tmp_path / 'made.onnx', (1, 3, 64, 96), {'output': yolox()})
    for detector in ('hog', 'made.onnx'):
        with pytest.raises(UserError, match=r'perception.classes: persn found; .* knows person'):
            make_detector(PerceptionSettings(detector=detector, classes=['person', 'persn']), tmp_path)


@pytest.mark.parametrize(
    ('given', 'shape'),
    [
        ((1, 3, 64, 96), (1, 7, 7, 7)),
        ((1, 3, 64, 96), (1, 2000, 9)),
        ((1, 64, 96, 3), (1, 126, 85)),  # channels last
        ((2, 3, 64, 96), (2, 126, 85)),  # two pictures at a time
    ],
)
def test_a_model_of_another_layout_is_named_with_what_it_has(
    given: tuple[int, ...], shape: tuple[int, ...], tmp_path: Path
) -> None:
    write_constant_model(tmp_path / 'made.onnx', given, {'output': np.zeros(shape, np.float32)})
    with pytest.raises(UserError) as caught:
        make_detector(PerceptionSettings(detector='made.onnx'), tmp_path)
    text = str(caught.value)
    assert all(part in text for part in ('made.onnx', f'images tensor(float) {list(given)}', f'{list(shape)}', 'understood are'))
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize('placing', list(Placing))
def test_a_picture_fits_into_the_input_and_boxes_fit_back(placing: Placing) -> None:
    picture = np.zeros((200, 320, 3), np.uint8)
    cv2.rectangle(picture, (80, 50), (159, 149), (255, 255, 255), -1)
    fitted, fit = fit_picture(picture, (128, 128), placing)
    assert fitted.shape == (128, 128, 3)
    rows, columns = np.nonzero(fitted[:, :, 0] > 200)
    inside = np.array([[columns.mean() + 0.5, rows.mean() + 0.5, np.ptp(columns) + 1, np.ptp(rows) + 1]], float)
    assert fit.to_picture(inside)[0] == pytest.approx([120, 100, 80, 100], abs=3)


def test_colours_and_ranges_are_what_models_expect() -> None:
    blue = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert to_tensor(blue, Values.BGR_255, np.float32)[0, :, 0, 0] == pytest.approx([255, 0, 0])
    assert to_tensor(blue, Values.RGB_1, np.float32)[0, :, 0, 0] == pytest.approx([0, 0, 1])
    assert to_tensor(blue, Values.RGB_IMAGENET, np.float32)[0, :, 0, 0] == pytest.approx([-2.1179, -2.0357, 2.64], abs=1e-3)
    assert list(to_tensor(blue, Values.RGB_1, np.uint8)[0, :, 0, 0]) == [0, 0, 255]


class Blobs:
    """Finds white rectangles of at least 4 px, in a picture that is reduced to 100 px."""

    name, names, guide, looked_at = 'blobs', ('person',), Guide.NONE, 1.0

    def detect(self, picture: Image, _parts: object = None, /) -> Detections:
        scale = min(1.0, 100 / picture.shape[1])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(small[:, :, 0], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        corners = np.array([cv2.boundingRect(c) for c in contours if min(cv2.boundingRect(c)[2:]) >= 4], float).reshape(-1, 4)
        boxes = np.hstack((corners[:, :2] + corners[:, 2:] / 2, corners[:, 2:])) / scale
        return Detections.of(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), np.int64), self.names)


def test_tiles_find_small_targets_once_and_large_ones_too() -> None:
    picture = np.zeros((400, 600, 3), np.uint8)
    small = [(50, 60), (102, 30), (333, 200), (580, 380), (310, 98)]
    for x, y in small:
        cv2.rectangle(picture, (x - 5, y - 5), (x + 4, y + 4), (255, 255, 255), -1)
    cv2.rectangle(picture, (400, 40), (550, 339), (255, 255, 255), -1)
    assert len(Blobs().detect(picture)) == 1, 'only the large one is seen in the whole picture'
    found = TiledDetector(Blobs(), 120).detect(picture)
    centres = sorted((round(x), round(y)) for x, y in found.boxes[:, :2].tolist())
    expected = sorted([*small, (475, 190)])
    assert len(centres) == len(expected)
    assert all(abs(a - c) <= 3 and abs(b - d) <= 3 for (a, b), (c, d) in zip(centres, expected, strict=True))


def test_tiles_that_nothing_is_expected_in_are_left_out() -> None:
    picture = np.zeros((400, 600, 3), np.uint8)
    for x, y in ((50, 60), (333, 200)):
        cv2.rectangle(picture, (x - 5, y - 5), (x + 4, y + 4), (255, 255, 255), -1)
    detector = TiledDetector(Blobs(), 120)
    everything = detector.detect(picture)
    whole = detector.looked_at
    assert len(everything) == 2
    (box,) = detector.detect(picture, [Part(320, 190, 345, 210)]).boxes
    assert box[0] == pytest.approx(333, abs=3)
    assert detector.looked_at < 0.75 * whole
    assert len(detector.detect(picture, [])) == 0


def test_tiles_cover_everything_and_share_their_sides() -> None:
    tiles = tiles_of((1920, 1080), 640, 0.2)
    covered = np.zeros((1080, 1920), bool)
    for tile in tiles:
        assert (tile.right - tile.left, tile.bottom - tile.top) == (640, 640)
        covered[tile.top : tile.bottom, tile.left : tile.right] = True
    assert covered.all()
    columns = sorted({tile.left for tile in tiles})
    assert all(b - a <= 640 * 0.8 for a, b in pairwise(columns))
    assert tiles_of((600, 400), 640, 0.2) == ()


def test_hog_finds_nothing_in_an_empty_or_tiny_picture() -> None:
    detector = HogDetector(640, 0.3)
    assert len(detector.detect(np.full((480, 640, 3), 90, np.uint8))) == 0
    assert len(detector.detect(np.zeros((20, 20, 3), np.uint8))) == 0


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


@pytest.mark.parametrize(
    ('detector', 'backend', 'said', 'serious'),
    [
        ('hog', 'simulated', None, False),
        ('cascade', 'simulated', None, False),
        ('mine.onnx', 'onvif', None, False),
        ('hog', 'onvif', 'one of real people finds more', False),
        ('cascade', 'onvif', 'trained on simulated people; give hog', True),
        ('cascade', 'recorded', 'trained on simulated people; give hog', True),
    ],
)
def test_who_runs_a_site_is_told_what_its_detector_is_good_for(
    detector: str, backend: str, said: str | None, serious: bool
) -> None:
    found = advice(detector, backend)
    assert (found is None) if said is None else (found is not None and said in found.text and found.serious == serious)
