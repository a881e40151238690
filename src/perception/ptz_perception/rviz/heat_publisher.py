# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps each scene's running heat, and publishes it while somebody listens, where nav_msgs is installed."""

from __future__ import annotations

import math

import numpy as np
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from ptz_collab_msgs.msg import Track, TrackArray
from ptz_node import names
from ptz_node.convert import time_to_ns
from ptz_node.parameters import describe
from ptz_node.qos import LATCHED
from ptz_perception.rviz.heat import fill
from ptz_site import Site, UserError
from ptz_site.heat import SceneHeat

try:
    from nav_msgs.msg import OccupancyGrid
except ImportError:  # small installations of a ROS distribution
    OccupancyGrid = None

#: s between two updates.
_PERIOD = 1.0


class HeatPublisher:
    """Of all scenes that have a polygon."""

    def __init__(self, node: Node, site: Site) -> None:
        self._node = node
        self._polygons = {name: scene.polygon for name, scene in site.scenes.items() if scene.polygon is not None}
        self._half_life = _half_life(node)
        self._heats: dict[str, SceneHeat] = {}
        self.forget()
        if OccupancyGrid is None:
            node.get_logger().info('nav_msgs is not installed: the heat of scenes is not published')
            return
        self._publishers = {
            name: node.create_publisher(OccupancyGrid, names.scene_heat(name), LATCHED) for name in self._polygons
        }
        node.create_timer(_PERIOD, self._publish)

    def forget(self) -> None:
        """Begins anew, as when the clock was set back."""
        self._heats = {name: SceneHeat(polygon, self._half_life) for name, polygon in self._polygons.items()}

    def take_tracks(self, array: TrackArray) -> None:
        """The tracks of one frame of a camera that watches a scene."""
        heat = self._heats.get(array.preset.scene)
        if heat is None:
            return
        seen = [track for track in array.tracks if track.has_ground and track.source == Track.SOURCE_DETECTED]
        points = np.array([(track.ground.x, track.ground.y) for track in seen]).reshape(-1, 2)
        covariances = [np.reshape(track.ground_covariance, (2, 2)) for track in seen]
        heat.take(array.preset.camera, time_to_ns(array.header.stamp), points, covariances)

    def _publish(self) -> None:
        stamp = self._node.get_clock().now().to_msg()
        for name, publisher in self._publishers.items():
            if publisher.get_subscription_count() > 0:
                publisher.publish(fill(OccupancyGrid(), self._heats[name], stamp))


def _half_life(node: Node) -> float:
    about = 's of frame time after which what was seen counts for half in the heat of scenes; 0: it always counts.'
    try:
        value = node.declare_parameter('heat_half_life', 600.0, describe(about, low=0.0, high=1e9)).value
    except (InvalidParameterTypeException, InvalidParameterValueException):
        raise UserError(f'{node.get_name()}: parameter heat_half_life must be seconds, from 0.0 to 1e9') from None
    return float(value) or math.inf
