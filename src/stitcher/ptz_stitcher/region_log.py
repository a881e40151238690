# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The region's log: a small bag of everything but the pictures, from which a run can be told afterwards."""

from __future__ import annotations

from pathlib import Path

from ptz_stitcher.recording import BagWriter, RecordingError
from ptz_stitcher.recording.msgdefs import topic_type

HEADER = 'ptz_collab_msgs/msg/PresetHeader'
PLAN = 'ptz_collab_msgs/msg/RotationPlan'
STATE = 'ptz_collab_msgs/msg/CameraState'
TRACKS = 'ptz_collab_msgs/msg/TrackArray'


class RegionLog:
    """Writes <out>/region/, or under another name. Messages are given serialized. durable: as for BagWriter."""

    def __init__(self, out: Path, region: str, site: str, durable: bool = True, name: str = 'region') -> None:
        self.failure = ''
        self._region = region
        self._types = {name: topic_type(name) for name in (HEADER, PLAN, STATE, TRACKS)}
        self._bag: BagWriter | None = BagWriter(out / name, {'site': site, 'region': region}, durable=durable)

    def header(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """The header of any frame, also of those that the cut drops."""
        self._write(f'/{self._region}/cameras/{camera}/preset_header', HEADER, data, stamp_ns)

    def state(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """A camera's state."""
        self._write(f'/{self._region}/cameras/{camera}/state', STATE, data, stamp_ns)

    def tracks(self, camera: str, data: bytes, stamp_ns: int) -> None:
        """What was tracked in a frame."""
        self._write(f'/{self._region}/cameras/{camera}/tracks', TRACKS, data, stamp_ns)

    def plan(self, data: bytes, stamp_ns: int) -> None:
        """A plan revision."""
        self._write(f'/{self._region}/plan', PLAN, data, stamp_ns)

    def close(self) -> None:
        """Writes what is left."""
        bag, self._bag = self._bag, None
        try:
            if bag is not None:
                bag.close()
        except RecordingError as error:
            self.failure = self.failure or str(error)

    def _write(self, topic: str, type_name: str, data: bytes, stamp_ns: int) -> None:
        if self._bag is None:
            return
        try:
            self._bag.add_topic(topic, self._types[type_name])
            self._bag.write(topic, data, stamp_ns)
        except RecordingError as error:
            self.failure = str(error)
            self.close()
