# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Between perception's values and messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from geometry_msgs.msg import Point, Vector3

from ptz_collab_msgs import msg
from ptz_node.convert import time_from_ns, time_to_ns
from ptz_perception.best_frames import FrameOrigin, exposure_of
from ptz_perception.identity.register import RegionObject, TrackKey, TrackView
from ptz_perception.pictures import EncodedFrame
from ptz_perception.pipeline import FrameView, SeenObject
from ptz_perception.recognition.watchlist import MarkShape, Target, Watchlist, WatchlistError, WatchlistFault
from ptz_perception.selection import FrameFacts


def encoded_frame(message: msg.PresetFrame) -> EncodedFrame:
    """The picture of a frame, as it came."""
    preset = message.preset
    size = (message.width, message.height)
    return EncodedFrame(preset.session, preset.sequence, message.encoding, message.keyframe, size, bytes(message.data))


def frame_view(message: msg.PresetFrame) -> FrameView:
    """What a frame shows."""
    preset = message.preset
    return FrameView(
        time_to_ns(message.header.stamp),
        preset.session,
        preset.sequence,
        time_to_ns(preset.switch_start),
        preset.scene,
        preset.pan,
        preset.tilt,
        preset.zoom,
    )


def frame_facts(message: msg.PresetFrame, manual_possible: bool) -> FrameFacts:
    """What a selection is told of a frame. manual_possible: the driver says that the camera can be set to a fixed exposure."""
    view = frame_view(message)
    manual = message.preset.exposure_mode == msg.PresetHeader.EXPOSURE_MANUAL
    size = (message.width, message.height)
    return FrameFacts(view.stamp_ns, view.session, view.sequence, view.switch_start_ns, size, manual, manual_possible)


def frame_origin(message: msg.PresetFrame, region: str) -> FrameOrigin:
    """What a package says of a frame."""
    preset = message.preset
    mode = {msg.PresetHeader.EXPOSURE_AUTO: 'automatic', msg.PresetHeader.EXPOSURE_MANUAL: 'manual'}
    exposure = exposure_of(mode.get(preset.exposure_mode, 'unknown'), preset.exposure_time, preset.gain)
    return FrameOrigin(region, preset.camera, preset.scene, preset.slot, (preset.pan, preset.tilt, preset.zoom), exposure)


def track_array(
    message: msg.PresetFrame, seen: Sequence[SeenObject], object_of: Callable[[int], str], targets: Mapping[str, Target]
) -> msg.TrackArray:
    """All tracks of a frame. object_of: the region's name of a track, empty if it is not known."""
    array = msg.TrackArray(header=message.header, preset=message.preset, width=message.width, height=message.height)
    array.tracks = [_track(one, object_of(one.track.track_id), targets) for one in seen]
    return array


def _track(seen: SeenObject, object_id: str, targets: Mapping[str, Target]) -> msg.Track:
    track, known = seen.track, seen.recognition
    x, y, width, height = track.box
    entry = msg.Track(
        track_id=track.track_id,
        object_id=object_id,
        detection=msg.Detection(
            center_x=x,
            center_y=y,
            width=width,
            height=height,
            orientation=track.orientation,
            class_name=track.class_name,
            score=track.score,
        ),
        source=msg.Track.SOURCE_PREDICTED if track.detection is None else msg.Track.SOURCE_DETECTED,
        first_seen=time_from_ns(track.first_seen_ns),
        observations=track.observations,
        feature=[] if known.feature is None else known.feature.tolist(),
        good_frames=known.good_frames,
        target=known.target,
        target_score=max(0.0, known.similarity),
    )
    if seen.movement is not None:
        (px, py), (vx, vy) = seen.movement.position, seen.movement.velocity
        entry.has_ground, entry.ground, entry.velocity = True, Point(x=px, y=py, z=0.0), Vector3(x=vx, y=vy, z=0.0)
        entry.ground_covariance = seen.movement.covariance[:2, :2].ravel().tolist()
    if seen.heading is not None:
        entry.has_heading, entry.heading = True, seen.heading
    if known.target in targets:
        entry.mark_colour, entry.mark_shape = targets[known.target].mark_colour, targets[known.target].mark_shape.value
    return entry


def track_views(array: msg.TrackArray) -> list[TrackView]:
    """A frame's tracks as the region's register takes them."""
    preset = array.preset
    return [
        TrackView(
            TrackKey(preset.camera, preset.session, track.track_id),
            track.detection.class_name,
            time_to_ns(track.first_seen),
            track.observations,
            track.source == msg.Track.SOURCE_DETECTED,
            preset.scene,
            (track.ground.x, track.ground.y) if track.has_ground else None,
            np.reshape(track.ground_covariance, (2, 2)) if track.has_ground else None,
            (track.velocity.x, track.velocity.y),
            np.asarray(track.feature, np.float32) if len(track.feature) else None,
            track.target,
            track.target_score,
        )
        for track in array.tracks
    ]


def object_msg(one: RegionObject) -> msg.RegionObject:
    """An object as it is published."""
    entry = msg.RegionObject(
        object_id=one.object_id,
        class_name=one.class_name,
        camera=one.track.camera,
        session=one.track.session,
        track_id=one.track.track_id,
        scene=one.scene,
        first_seen=time_from_ns(one.first_seen_ns),
        last_seen=time_from_ns(one.last_seen_ns),
        velocity=Vector3(x=one.velocity[0], y=one.velocity[1], z=0.0),
        target=one.target,
        target_score=one.target_score,
    )
    if one.ground is not None and one.covariance is not None:
        entry.has_ground, entry.ground = True, Point(x=one.ground[0], y=one.ground[1], z=0.0)
        entry.ground_covariance = one.covariance.ravel().tolist()
    return entry


def target_msg(target: Target) -> msg.Target:
    """A target as it is published."""
    return msg.Target(
        target=target.target,
        label=target.label,
        kind=target.kind,
        feature=list(target.feature),
        mark_colour=target.mark_colour,
        mark_shape=target.mark_shape.value,
        hold=target.hold,
        added=time_from_ns(target.added_ns),
        added_by=target.added_by,
    )


def target_from_msg(message: msg.Target) -> Target:
    """A target as it was received. Raises WatchlistError if it can't be one."""
    try:
        shape = MarkShape(message.mark_shape or MarkShape.BOX.value)
    except ValueError:
        shapes = ', '.join(shape.value for shape in MarkShape)
        raise WatchlistError(
            WatchlistFault.BAD_TARGET, f'mark_shape: {message.mark_shape!r} found; allowed are {shapes}'
        ) from None
    if not all(math.isfinite(number) for number in message.feature):
        raise WatchlistError(WatchlistFault.BAD_FEATURE, 'a feature must be finite and not zero')
    return Target(
        message.target,
        message.kind,
        tuple(message.feature),
        message.label,
        message.mark_colour,
        shape,
        message.hold,
        time_to_ns(message.added),
        message.added_by,
    )


def watchlist_from_msg(message: msg.Watchlist) -> Watchlist:
    """The watchlist as it was received. Raises WatchlistError if it can't be one."""
    return Watchlist({entry.target: target_from_msg(entry) for entry in message.targets})
