# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Topic and action names, relative to the region's namespace /<region>."""

PLAN = 'plan'
RUN_ROTATION = 'run_rotation'
HOLD_SCENE = 'hold_scene'
HANDOFF = 'handoff'
REGION_STATE = 'region_state'
HOLD_KEEP_ALIVE = 'hold_keep_alive'
COORDINATOR = 'coordinator'
OBJECTS = 'objects'
WATCHLIST = 'watchlist'
ADD_TARGET = 'watchlist/add'
REMOVE_TARGET = 'watchlist/remove'
LIST_TARGETS = 'watchlist/list'
MARKERS = 'markers'


def camera_frames(camera: str) -> str:
    """PresetFrame of one camera."""
    return f'cameras/{camera}/frames'


def camera_state(camera: str) -> str:
    """CameraState of one camera, latched."""
    return f'cameras/{camera}/state'


def camera_plan(camera: str) -> str:
    """RotationPlan that one camera follows, latched: what a coordinator that starts again goes on from."""
    return f'cameras/{camera}/plan'


def camera_tracks(camera: str) -> str:
    """TrackArray of one camera."""
    return f'cameras/{camera}/tracks'


def camera_image(camera: str) -> str:
    """sensor_msgs/CompressedImage of one camera, only while somebody listens."""
    return f'cameras/{camera}/image/compressed'


def camera_annotated(camera: str) -> str:
    """sensor_msgs/CompressedImage with the tracks drawn in, only while somebody listens."""
    return f'cameras/{camera}/image/annotated/compressed'


def camera_info(camera: str) -> str:
    """sensor_msgs/CameraInfo of one camera, only while somebody listens."""
    return f'cameras/{camera}/camera_info'


def go_to_preset(camera: str) -> str:
    """Action GoToPreset of one camera."""
    return f'cameras/{camera}/go_to_preset'


def scene_frames(scene: str) -> str:
    """PresetFrame of whichever cameras are on a scene."""
    return f'scenes/{scene}/frames'


def scene_heat(scene: str) -> str:
    """nav_msgs/OccupancyGrid: where on a scene's ground people are, on average; only while somebody listens."""
    return f'scenes/{scene}/heat'


def base_frame(region: str, camera: str) -> str:
    """TF frame of a camera's mounting: x where pan and tilt are zero, z up."""
    return f'{region}/{camera}_base'


def optical_frame(region: str, camera: str) -> str:
    """TF frame of a camera's pictures: z forward, x right, y down."""
    return f'{region}/{camera}_optical_frame'
