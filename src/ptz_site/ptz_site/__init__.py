# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The site description, PTZ camera geometry and motion, and the timetable of a plan. Without ROS."""

from ptz_site.credentials import Credentials, camera_credentials, read_credentials
from ptz_site.drive import PtzDrive
from ptz_site.errors import SiteError, UserError, network_reason
from ptz_site.geometry import CameraPose, wrap_angle
from ptz_site.loader import load_site, media_path
from ptz_site.motion import NANOSECONDS, PtzPosition, SlewLimits, Turn, turn_time
from ptz_site.phase import Mark, Phase
from ptz_site.schema import Camera, ExposureRule, OnvifCamera, RecordedCamera, SimulatedCamera, Site
from ptz_site.stay_times import DwellSuggestion, StayObserver, StayTimes, all_stays, suggest_dwell
from ptz_site.timetable import CameraOrder, Hold, Plan, PlanBook, PlanMode

__all__ = [
    'NANOSECONDS',
    'Camera',
    'CameraOrder',
    'CameraPose',
    'Credentials',
    'DwellSuggestion',
    'ExposureRule',
    'Hold',
    'Mark',
    'OnvifCamera',
    'Phase',
    'Plan',
    'PlanBook',
    'PlanMode',
    'PtzDrive',
    'PtzPosition',
    'RecordedCamera',
    'SimulatedCamera',
    'Site',
    'SiteError',
    'SlewLimits',
    'StayObserver',
    'StayTimes',
    'Turn',
    'UserError',
    'all_stays',
    'camera_credentials',
    'load_site',
    'media_path',
    'network_reason',
    'read_credentials',
    'suggest_dwell',
    'turn_time',
    'wrap_angle',
]
