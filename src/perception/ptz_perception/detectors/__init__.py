# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The detectors that a site can name."""

from __future__ import annotations

from pathlib import Path

from ptz_perception.detectors.base import Detector
from ptz_perception.detectors.coco import COCO_CLASSES
from ptz_perception.detectors.hog import HogDetector
from ptz_perception.detectors.onnx import OnnxModel
from ptz_perception.detectors.yolox import YoloxDetector
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings


def make_detector(settings: PerceptionSettings, folder: Path) -> Detector:
    """The detector of a site; a model's path is relative to folder. Raises UserError if it, or a class, can't be had."""
    if settings.detector == 'hog':
        _check_classes(settings, ('person',))
        return HogDetector(settings.width, settings.score)
    _check_classes(settings, COCO_CLASSES)
    return YoloxDetector(OnnxModel(folder / settings.detector), settings.classes, settings.score)


def _check_classes(settings: PerceptionSettings, known: tuple[str, ...]) -> None:
    unknown = [name for name in settings.classes if name not in known]
    if unknown or not settings.classes:
        found = ', '.join(unknown) or 'nothing'
        raise UserError(f'perception.classes: {found} found; the detector {settings.detector} knows {", ".join(known)}')
