# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The site file's contents, validated. Angles are degrees here, as people write them; the rest of the code asks the properties."""

from ptz_site.schema.cameras import (
    BaseCamera,
    Camera,
    ExposureRule,
    OnvifCamera,
    Pose,
    Position,
    RecordedCamera,
    SimulatedCamera,
    Token,
)
from ptz_site.schema.perception import (
    Layout,
    PerceptionSettings,
    RecognitionSettings,
    SelectionSettings,
    TrackingSettings,
    UploadSettings,
)
from ptz_site.schema.region import ClockLimits, HoldLimits, Region
from ptz_site.schema.section import Section
from ptz_site.schema.site import Scene, SimulationSettings, Site, StitcherSettings

__all__ = [
    'BaseCamera',
    'Camera',
    'ClockLimits',
    'ExposureRule',
    'HoldLimits',
    'Layout',
    'OnvifCamera',
    'PerceptionSettings',
    'Pose',
    'Position',
    'RecognitionSettings',
    'RecordedCamera',
    'Region',
    'Scene',
    'Section',
    'SelectionSettings',
    'SimulatedCamera',
    'SimulationSettings',
    'Site',
    'StitcherSettings',
    'Token',
    'TrackingSettings',
    'UploadSettings',
]
