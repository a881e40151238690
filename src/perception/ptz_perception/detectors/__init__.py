# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The detectors that a site can name."""

from __future__ import annotations

from pathlib import Path

from ptz_perception.detectors.base import Detector
from ptz_perception.detectors.cascade_detector import KIND as CASCADE
from ptz_perception.detectors.cascade_detector import CascadeDetector, CascadeOptions
from ptz_perception.detectors.class_names import read_names, wanted_classes
from ptz_perception.detectors.hog import HogDetector
from ptz_perception.detectors.jde_detector import JdeDetector, JdeOptions
from ptz_perception.detectors.jde_model import KIND as JDE
from ptz_perception.detectors.jde_model import JdeModel
from ptz_perception.detectors.layouts import Layout
from ptz_perception.detectors.onnx_detector import DetectorOptions, OnnxDetector
from ptz_perception.detectors.session import OnnxModel
from ptz_perception.detectors.tiles import TiledDetector
from ptz_perception.shipped import shipped_model
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings


def make_detector(settings: PerceptionSettings, folder: Path) -> Detector:
    """The detector of a site; paths are relative to folder. Without classes it keeps all. Raises UserError if it can't be had."""
    detector = _hog(settings) if settings.detector == 'hog' else _onnx(settings, folder)
    return TiledDetector(detector, settings.tile) if settings.tile else detector


def _hog(settings: PerceptionSettings) -> Detector:
    wanted_classes(settings.classes, HogDetector.names, 'the detector hog')
    return HogDetector(settings.width, settings.score)


def _onnx(settings: PerceptionSettings, folder: Path) -> Detector:
    try:
        model = OnnxModel(shipped_model(settings.detector) or folder / settings.detector, settings.provider)
    except UserError as error:
        raise UserError(f'perception.detector: {error}; or give hog, cascade or jde') from None
    if model.metadata.get('model') == CASCADE:
        return CascadeDetector(model, CascadeOptions(settings.classes, settings.score, settings.width, settings.second_look))
    if model.metadata.get('model') == JDE:
        return JdeDetector(JdeModel(model), JdeOptions(settings.classes, settings.score, settings.width))
    layout = None if settings.layout == 'auto' else Layout(settings.layout)
    names = read_names(folder / settings.names) if settings.names else None
    return OnnxDetector(model, DetectorOptions(settings.classes, settings.score, layout, names))
