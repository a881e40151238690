# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The detectors that a site can name."""

from __future__ import annotations

from pathlib import Path

from ptz_perception.detectors.base import Detector
from ptz_site.schema import PerceptionSettings


def make_detector(settings: PerceptionSettings, folder: Path) -> Detector:
    """The detector of a site; a model's path is relative to folder. Raises UserError if it can't be used."""
    if settings.detector == 'hog':
        from ptz_perception.detectors.hog import HogDetector

        return HogDetector(settings.width, settings.score)
    from ptz_perception.detectors.yolox import YoloxDetector

    return YoloxDetector(folder / settings.detector, settings.classes, settings.score)
