# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The region's perception node: which tracks of which cameras are the same object, the watchlist, and what rviz shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rclpy.node import Node

from ptz_collab_msgs.msg import ObjectArray, TrackArray
from ptz_node import diagnostics, names
from ptz_node.convert import time_to_ns
from ptz_node.parameters import declare_site
from ptz_node.qos import EVENTS
from ptz_node.run import run
from ptz_perception import messages
from ptz_perception.identity.news import ObjectNews
from ptz_perception.identity.register import ObjectRegister, TrackKey
from ptz_perception.recognition.embedders import make_embedders
from ptz_perception.recognition.watchlist_file import WatchlistFile
from ptz_perception.rviz.heat_publisher import HeatPublisher
from ptz_perception.rviz.publisher import RvizPublisher
from ptz_perception.watchlist_server import WatchlistServer
from ptz_site import Site

_NANOSECONDS = 1_000_000_000
#: Stamps that go back further than this are a clock that was set back: everything is forgotten.
_SET_BACK_NS = 5 * _NANOSECONDS


class RegionPerception(Node):
    """One for each region."""

    def __init__(self) -> None:
        super().__init__('region_perception')
        parameters = declare_site(self)
        self._site = parameters.site
        folder = Path(parameters.path).parent
        embedders = make_embedders(self._site.perception, folder)
        self._watchlist = WatchlistServer(self, WatchlistFile(watchlist_path(self._site, folder)), embedders)
        self._register = ObjectRegister.for_stays(self._site.region.first_dwell)
        self._newest_ns = 0
        self._news = ObjectNews()
        self._rviz = RvizPublisher(self, self._site)
        self._heats = HeatPublisher(self, self._site)
        self._objects = self.create_publisher(ObjectArray, names.OBJECTS, EVENTS)
        for camera in self._site.cameras:
            self.create_subscription(TrackArray, names.camera_tracks(camera), self._on_tracks, EVENTS)
        self._diagnostics = diagnostics.Diagnostics(self, self._site.region.name)
        self._diagnostics.add('Watchlist', self._watchlist_status)
        self._diagnostics.add('Objects', self._object_status)

    def _on_tracks(self, array: TrackArray) -> None:
        stamp_ns = time_to_ns(array.header.stamp)
        if stamp_ns < self._newest_ns - _SET_BACK_NS:
            self._register, self._newest_ns = ObjectRegister.for_stays(self._site.region.first_dwell), 0
            self._heats.forget()
        self._newest_ns = max(self._newest_ns, stamp_ns)
        self._register.take(messages.track_views(array), stamp_ns)
        preset = array.preset
        keys = {TrackKey(preset.camera, preset.session, track.track_id) for track in array.tracks}
        shown = [one for one in self._register if one.track in keys]
        if self._news.is_due(preset.camera, shown, stamp_ns):
            self._objects.publish(
                ObjectArray(header=array.header, camera=preset.camera, objects=[messages.object_msg(one) for one in shown])
            )
        self._rviz.take_tracks(array)
        self._heats.take_tracks(array)

    def _watchlist_status(self) -> diagnostics.Status:
        if self._watchlist.problem:
            return diagnostics.Status(diagnostics.ERROR, self._watchlist.problem)
        count = len(self._watchlist)
        return diagnostics.Status(diagnostics.OK, f'{count} targets' if count else 'empty: nothing holds the rotation')

    def _object_status(self) -> diagnostics.Status:
        return diagnostics.Status(diagnostics.OK, f'{sum(1 for _ in self._register)} objects')


def watchlist_path(site: Site, folder: Path) -> Path:
    """Where a site's watchlist is kept: as it says, relative to folder, or in the user's ROS folder."""
    if site.perception.watchlist:
        return folder / site.perception.watchlist
    home = Path(os.environ.get('ROS_HOME') or Path.home() / '.ros')
    return home / 'ptz_collab' / site.region.name / 'watchlist.json'


def main() -> int:
    """Entry point of the executable."""
    return run(RegionPerception, sys.argv)
