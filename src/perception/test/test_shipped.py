# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The models that come with perception are small, described, and work without anything that is not in the package."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from simulated_people import portrait

from ptz_perception.detections import Image
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.fitting import Placing, Values, fit_picture, to_tensor
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.shipped import shipped_model
from ptz_site.schema import PerceptionSettings

NAMES = ('cascade', 'jde')
PICTURE = np.full((360, 640, 3), 90, np.uint8)


@pytest.mark.parametrize('name', [*NAMES, 'facing'])
def test_it_is_small_and_has_a_card(name: str) -> None:
    model = shipped_model(name)
    assert model is not None and model.stat().st_size < 5_000_000
    card = model.with_suffix('.md').read_text()
    assert all(word in card for word in ('| data |', '| command |', 'seed', '**Limits.**', 'real'))


@pytest.mark.parametrize('name', NAMES)
def test_it_detects(name: str, tmp_path: Path) -> None:
    detector = make_detector(PerceptionSettings.model_validate({'detector': name}), tmp_path)
    assert detector.names == ('person',)
    assert len(detector.detect(PICTURE)) == 0


def test_the_tracking_network_tells_appearances(tmp_path: Path) -> None:
    (embedder,) = make_embedders(PerceptionSettings.model_validate({'embedders': {'body': 'jde'}}), tmp_path).values()
    red, blue = np.zeros((128, 64, 3), np.uint8), np.zeros((128, 64, 3), np.uint8)
    red[30:90, 12:52], blue[30:90, 12:52] = (40, 40, 220), (220, 60, 40)
    vectors = [embedder.embed(picture) for picture in (red, red // 2 + 40, blue)]
    assert all(float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5) for vector in vectors)
    assert float(vectors[0] @ vectors[1]) > float(vectors[0] @ vectors[2])


def facings(pictures: list[Image]) -> np.ndarray:
    """What the facing network says of pictures, (n, 2)."""
    session = onnxruntime.InferenceSession(str(shipped_model('facing')), providers=['CPUExecutionProvider'])
    (given,), (told,) = session.get_inputs(), session.get_outputs()
    assert (given.shape[1:], told.shape[1:], session.get_modelmeta().custom_metadata_map['model']) == ([3, 96, 48], [2], 'facing')
    fitted = [to_tensor(fit_picture(one, (48, 96), Placing.STRETCHED)[0], Values.RGB_IMAGENET, np.float32) for one in pictures]
    found: np.ndarray = session.run(None, {given.name: np.concatenate(fitted)})[0]
    return found


@pytest.mark.parametrize('speed', [0.0, 1.3], ids=['standing', 'walking'])
def test_the_facing_network_tells_where_people_look(speed: float) -> None:
    angles = np.radians(np.arange(-165, 180, 15))
    found = facings([portrait(angle, number, 0.0, speed) for number, angle in enumerate(angles.tolist())])
    error = np.degrees(np.abs(np.angle((found[:, 0] + 1j * found[:, 1]) * np.exp(-1j * angles))))
    lengths = np.linalg.norm(found, axis=1)
    assert float(np.median(error)) < 25 and float((error < 45).mean()) > 0.8, np.round(error).tolist()
    assert lengths.max() <= 1.0 and float((lengths > 0.5).mean()) > 0.8


def test_the_facing_network_tells_left_from_right() -> None:
    """Seen from above, who looks to the picture's right is turned counter-clockwise from the camera."""
    right = portrait(math.pi / 2, 4)
    (towards, mirrored) = facings([right, np.ascontiguousarray(right[:, ::-1])])
    assert towards[1] > 0.5 and mirrored[1] < -0.5
