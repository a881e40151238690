# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of the topics of a recording when it is replayed. Names and types in, decisions out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from fnmatch import fnmatchcase

from ptz_node import names
from ptz_stitcher.offline import messages

#: What every replay makes itself, and what says nothing of the region.
_NEVER = ('/clock', '/rosout', '/parameter_events')
#: What perception makes of frames; below /<region>, but for the transforms.
_OF_PERCEPTION = (
    '/*/cameras/*/tracks',
    '/*/cameras/*/image/annotated/compressed',
    '/*/objects',
    '/*/watchlist',
    '/*/markers',
    '/*/scenes/*/heat',
    '/tf',
    '/tf_static',
)
_PLACE = re.compile(r'^/(?P<region>[^/]+)/(?P<kind>scenes|cameras)/(?P<name>[^/]+)/(?P<rest>.+)$')


class Form(Enum):
    """How a topic's messages come back."""

    AS_RECORDED = auto()
    #: PresetFrame of a scene or of a camera; the driver published each on both topics.
    FRAME = auto()
    #: The picture, and the header, of a frame that the stitcher has recorded.
    SCENE_IMAGE = auto()
    SCENE_HEADER = auto()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A message to publish. at_ns: when, in ROS time. data: serialized. copy: the same frame on the other of its two topics."""

    at_ns: int
    topic: str
    type_name: str
    data: bytes
    copy: bool = False

    @property
    def is_frame(self) -> bool:
        """Whether it is a picture of a camera, counted once."""
        return self.type_name == messages.FRAME and not self.copy


@dataclass(frozen=True)
class Choice:
    """What of a recording is wanted. region empty, scenes None: all. without_perception: perception looks again itself."""

    region: str = ''
    scenes: frozenset[str] | None = None
    without_perception: bool = False

    def wants(self, topic: str) -> bool:
        """Whether a topic is replayed."""
        if topic in _NEVER:
            return False
        if self.without_perception and any(fnmatchcase(topic, pattern) for pattern in _OF_PERCEPTION):
            return False
        if self.region and not topic.startswith((f'/{self.region}/', '/tf', '/diagnostics')):
            return False
        place = _PLACE.match(topic)
        return place is None or place['kind'] != 'scenes' or self.wants_scene(place['name'])

    def wants_scene(self, scene: str) -> bool:
        """Whether the frames of a scene are replayed."""
        return self.scenes is None or scene in self.scenes


def form_of(topic: str, type_name: str) -> Form:
    """What a topic of a bag carries."""
    place = _PLACE.match(topic)
    if place is None:
        return Form.AS_RECORDED
    match place['kind'], place['rest'], type_name:
        case _, 'frames', messages.FRAME:
            return Form.FRAME
        case 'scenes', 'image/compressed', messages.IMAGE:
            return Form.SCENE_IMAGE
        case 'scenes', 'preset_header', messages.HEADER:
            return Form.SCENE_HEADER
    return Form.AS_RECORDED


def region_of(topic: str) -> str:
    """The region of a topic of a scene or camera; empty for others."""
    place = _PLACE.match(topic)
    return place['region'] if place else ''


def scene_of(topic: str) -> str:
    """The scene that a topic is of; empty for others."""
    place = _PLACE.match(topic)
    return place['name'] if place and place['kind'] == 'scenes' else ''


def camera_of(topic: str) -> str:
    """The camera that a topic is of; empty for others."""
    place = _PLACE.match(topic)
    return place['name'] if place and place['kind'] == 'cameras' else ''


def frame_topics(region: str, scene: str, camera: str) -> tuple[str, ...]:
    """Where the driver published a frame: the camera's topic, and the scene's if it was on one."""
    of_scene = (f'/{region}/{names.scene_frames(scene)}',) if scene else ()
    return (f'/{region}/{names.camera_frames(camera)}', *of_scene)


def frame_kinds(topics: Iterable[str]) -> frozenset[str]:
    """Which of 'scenes' and 'cameras' have topics of frames among these."""
    places = [_PLACE.match(topic) for topic in topics]
    return frozenset(place['kind'] for place in places if place and place['rest'] == 'frames')
