# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes markers while somebody listens, and where the cameras look as TF where tf2_msgs is installed."""

from __future__ import annotations

import math

from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from visualization_msgs.msg import Marker, MarkerArray

from ptz_collab_msgs.msg import CameraState, PresetHeader, TrackArray
from ptz_node import names
from ptz_node.qos import EVENTS, LATCHED
from ptz_perception.locating.ground import view_of
from ptz_perception.rviz import markers
from ptz_site import Site
from ptz_site.geometry import rotation

try:
    from tf2_msgs.msg import TFMessage
except ImportError:  # small installations of a ROS distribution
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
        if self._moving is None or self._moving.get_subscription_count() == 0:
            return
        if (transform := self._optical(state)) is not None:
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
        if state is None or entry.pose is None or not _knows_where_it_looks(state):
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
            self._transform(markers.MAP, self._base_frame(camera), Rotation.from_euler('z', pose.yaw), (pose.x, pose.y, pose.z))
            for camera, entry in self._site.cameras.items()
            if (pose := entry.mounting) is not None
        ]

    def _optical(self, state: CameraState) -> TransformStamped | None:
        entry = self._site.cameras.get(state.camera)
        if entry is None or entry.pose is None or not _knows_where_it_looks(state):
            return None
        turn = Rotation.from_matrix(rotation(state.pan, state.tilt).T)
        child = names.optical_frame(self._site.region.name, state.camera)
        found = self._transform(self._base_frame(state.camera), child, turn)
        found.header.stamp = state.header.stamp
        return found

    def _base_frame(self, camera: str) -> str:
        return names.base_frame(self._site.region.name, camera)

    def _transform(self, parent: str, child: str, turn: Rotation, at: markers.Place = (0.0, 0.0, 0.0)) -> TransformStamped:
        found = TransformStamped(child_frame_id=child)
        found.header.frame_id, found.header.stamp = parent, self._node.get_clock().now().to_msg()
        x, y, z, w = map(float, turn.as_quat())
        found.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
        found.transform.translation = Vector3(x=at[0], y=at[1], z=at[2])
        return found


def _knows_where_it_looks(state: CameraState) -> bool:
    """Whether a camera has told its position: before, all of it is 0, which is no magnification; what it can't tell is NaN."""
    return state.zoom > 0 and math.isfinite(state.pan + state.tilt + state.zoom)
