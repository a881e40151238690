# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The models that come with perception are small, described, and work without anything that is not in the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptz_perception.detectors import make_detector
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.shipped import shipped_model
from ptz_site.schema import PerceptionSettings

NAMES = ('cascade', 'jde')
PICTURE = np.full((360, 640, 3), 90, np.uint8)


@pytest.mark.parametrize('name', NAMES)
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
