# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes markers while somebody listens, and where the cameras look as TF where tf2_msgs is installed."""

from __future__ import annotations

import math

from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.node import Node
from visualization_msgs.msg import Marker, MarkerArray

from ptz_collab_msgs.msg import CameraState, PresetHeader, TrackArray
from ptz_node import names
from ptz_node.qos import EVENTS, LATCHED
from ptz_perception.locating.ground import view_of
from ptz_perception.rviz import markers
from ptz_site import Site
from ptz_site.geometry import CameraPose

try:
    from tf2_msgs.msg import TFMessage
except ImportError:
    TFMessage = None

#: s between two updates.
_PERIOD = 0.5


class RvizPublisher:
    """Scenes, cameras, who watches what; tracks as they come."""

    def __init__(self, node: Node, site: Site) -> None:
        self._node, self._site = node, site
        self._states: dict[str, CameraState] = {}
        self._markers = node.create_publisher(MarkerArray, names.MARKERS, EVENTS)
        for camera in site.cameras:
            node.create_subscription(CameraState, names.camera_state(camera), self._on_state, LATCHED)
        node.create_timer(_PERIOD, self._show_region)
        self._moving = self._fixed = None
        if TFMessage is None:
            node.get_logger().info('tf2_msgs is not installed: the cameras are shown as markers, not as TF frames')
        else:
            self._moving = node.create_publisher(TFMessage, '/tf', EVENTS)
            self._fixed = node.create_publisher(TFMessage, '/tf_static', LATCHED)
            self._fixed.publish(TFMessage(transforms=self._bases()))

    def take_tracks(self, array: TrackArray) -> None:
        """The tracks of one frame."""
        if self._markers.get_subscription_count() == 0:
            return
        found = [
            marker for track in array.tracks if track.has_ground for marker in markers.track_markers(array.preset.camera, track)
        ]
        self._publish(found)

    def _on_state(self, state: CameraState) -> None:
        self._states[state.camera] = state
        if self._moving is not None and (transform := self._optical(state)) is not None:
            self._moving.publish(TFMessage(transforms=[transform]))

    def _show_region(self) -> None:
        if self._markers.get_subscription_count() == 0:
            return
        watched = {state.scene for state in self._states.values() if state.phase == PresetHeader.PHASE_IN_POSITION}
        found: list[Marker] = []
        for index, (name, scene) in enumerate(self._site.scenes.items()):
            if scene.polygon is not None:
                found += markers.scene_markers(index, scene.label or name, scene.polygon, name in watched)
        for index, camera in enumerate(self._site.cameras):
            found += self._camera(index, camera)
        self._publish(found)

    def _camera(self, index: int, camera: str) -> list[Marker]:
        state, entry = self._states.get(camera), self._site.cameras[camera]
        if state is None or entry.pose is None or not math.isfinite(state.pan + state.tilt + state.zoom):
            return []
        view = view_of(entry, state.pan, state.tilt, max(state.zoom, 1.0))
        if view is None:
            return []
        colour = markers.CAMERA if state.phase == PresetHeader.PHASE_IN_POSITION else markers.TURNING
        found = markers.camera_markers(index, camera, view, entry.resolution, colour)
        scene = self._site.scenes.get(state.scene)
        if scene is not None and scene.polygon is not None:
            found.append(markers.watching_marker(index, (entry.pose.x, entry.pose.y, entry.pose.z), scene.polygon, colour))
        return found

    def _publish(self, found: list[Marker]) -> None:
        stamp = self._node.get_clock().now().to_msg()
        for marker in found:
            marker.header.stamp = stamp
        self._markers.publish(MarkerArray(markers=found))

    def _bases(self) -> list[TransformStamped]:
        return [
            self._transform(markers.MAP, names.base_frame(self._site.region.name, camera), pose, yaw_quaternion(pose.yaw))
            for camera, entry in self._site.cameras.items()
            if (pose := entry.mounting) is not None
        ]

    def _optical(self, state: CameraState) -> TransformStamped | None:
        if state.camera not in self._site.cameras or self._site.cameras[state.camera].pose is None:
            return None
        if not math.isfinite(state.pan + state.tilt):
            return None
        region = self._site.region.name
        turn = optical_quaternion(state.pan, state.tilt)
        found = self._transform(
            names.base_frame(region, state.camera), names.optical_frame(region, state.camera), CameraPose(0, 0, 0, 0), turn
        )
        found.header.stamp = state.header.stamp
        return found

    def _transform(self, parent: str, child: str, at: CameraPose, turn: Quaternion) -> TransformStamped:
        found = TransformStamped(child_frame_id=child)
        found.header.frame_id, found.header.stamp = parent, self._node.get_clock().now().to_msg()
        found.transform.translation.x, found.transform.translation.y = float(at.x), float(at.y)
        found.transform.translation.z, found.transform.rotation = float(at.z), turn
        return found


def yaw_quaternion(yaw: float) -> Quaternion:
    """A turn about z."""
    return Quaternion(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2))


def optical_quaternion(pan: float, tilt: float) -> Quaternion:
    """From a camera's base to its optical frame (z forward, x right, y down): pan about z, tilt up, then the axes' exchange."""
    return _product(_product(yaw_quaternion(pan), _about_y(-tilt)), Quaternion(x=-0.5, y=0.5, z=-0.5, w=0.5))


def _about_y(angle: float) -> Quaternion:
    return Quaternion(x=0.0, y=math.sin(angle / 2), z=0.0, w=math.cos(angle / 2))


def _product(a: Quaternion, b: Quaternion) -> Quaternion:
    return Quaternion(
        w=a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
        x=a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
        y=a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
        z=a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
    )
