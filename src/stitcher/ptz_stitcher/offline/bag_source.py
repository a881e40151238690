# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as events: recorded by ros2 bag record, or by the stitcher itself."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from ptz_site import UserError
from ptz_site.stream_marks import nal
from ptz_stitcher.frame_cdr import WireFrame, read_frame, read_header, read_image
from ptz_stitcher.frames import look_of, time_ns
from ptz_stitcher.offline import messages
from ptz_stitcher.offline.bag_file import BagFile, RawMessage, Topic, left_in_logs, open_bag
from ptz_stitcher.offline.events import Event, FrameEvent, HeaderEvent, Notebook, PlanEvent, StateEvent, TracksEvent
from ptz_stitcher.offline.naming import is_name
from ptz_stitcher.offline.picture_size import CODECS, PictureSizes
from ptz_stitcher.recording import EncodedPicture
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.sequence_writer import Frame

#: Stamps that lie further back than this are not late.
_CLOCK_SET_NS = 60_000_000_000


class Kind(Enum):
    """What a topic of a region carries."""

    SCENE_FRAMES = auto()
    CAMERA_FRAMES = auto()
    SCENE_IMAGES = auto()
    SCENE_HEADERS = auto()
    CAMERA_HEADERS = auto()
    PLAN = auto()
    STATE = auto()
    TRACKS = auto()


#: By type, and by the topic below /<region>, in which * stands for the name of a scene or a camera.
_KINDS = {
    (messages.FRAME, 'scenes/*/frames'): Kind.SCENE_FRAMES,
    (messages.FRAME, 'cameras/*/frames'): Kind.CAMERA_FRAMES,
    (messages.IMAGE, 'scenes/*/image/compressed'): Kind.SCENE_IMAGES,
    (messages.HEADER, 'scenes/*/preset_header'): Kind.SCENE_HEADERS,
    (messages.HEADER, 'cameras/*/preset_header'): Kind.CAMERA_HEADERS,
    (messages.PLAN, 'plan'): Kind.PLAN,
    (messages.STATE, 'cameras/*/state'): Kind.STATE,
    (messages.TRACKS, 'cameras/*/tracks'): Kind.TRACKS,
}


@dataclass(frozen=True)
class _Place:
    """What a topic of the bag is. name: of the scene or camera; empty for the plan."""

    region: str
    kind: Kind
    name: str


class BagSource:
    """Reads a bag. Raises UserError if it is none, is not of a region, or of a version of the messages that is not known."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._bag = open_bag(path)
        self._places = _places(self._bag)
        if not self._places:
            raise UserError(f'{path}: nothing of a region in it ({_listed(self._bag.topics)}); give a recording of a region')

    @property
    def size(self) -> int:
        """Bytes."""
        return self._bag.size

    @property
    def regions(self) -> frozenset[str]:
        """The regions that are recorded in it."""
        return frozenset(place.region for place in self._places.values())

    @property
    def has_plans(self) -> bool:
        """Whether a plan is in it."""
        return any(place.kind is Kind.PLAN for place in self._places.values())

    @property
    def slowest_period_ns(self) -> int:
        """Not told by bags."""
        return 0

    @property
    def was_cut(self) -> str:
        """How the stitcher that wrote it cut the scene; empty if it is whole."""
        return self._bag.custom.get('cut', '')

    def events(self, region: str, notebook: Notebook) -> Generator[Event, None, None]:
        """What is in it about a region."""
        places = _chosen({topic: place for topic, place in self._places.items() if place.region == region})
        reader = _Reader(places)
        share = self._bag.size / max(1, sum(topic.messages for topic in self._bag.topics if topic.name in places))
        done = 0.0
        try:
            for raw in self._bag.messages(frozenset(places)):
                done += share
                if done > 1_000_000:
                    notebook.read(int(done))
                    done -= int(done)
                yield from reader.events(raw)
        except UserError as error:
            for line in str(error).splitlines():
                notebook.problem(line)
        for log in left_in_logs(Path(self.name)):
            bag = str(log).removesuffix('-wal')
            notebook.problem(
                f'{log}: holds messages that are not in the bag yet; put them there: sqlite3 {bag} "PRAGMA wal_checkpoint"'
            )
        if reader.damaged:
            notebook.problem(f'{self.name}: {reader.damaged} messages are damaged and left out')
        if reader.without_header:
            notebook.problem(f'{self.name}: {reader.without_header} pictures have no preset header and are left out')


def _places(bag: BagFile) -> dict[str, _Place]:
    found: dict[str, _Place] = {}
    foreign = ''
    for topic in bag.topics:
        _, _, below = topic.name.partition('/')
        region, _, rest = below.partition('/')
        words = rest.split('/')
        name = words[1] if len(words) > 1 else ''
        kind = _KINDS.get((topic.type_name, '/'.join([words[0], '*', *words[2:]]) if name else rest))
        if kind is None or not is_name(region) or (name and not is_name(name)):
            continue
        if topic.type_name in messages.OUR_TYPES and topic.type_hash not in ('', topic_type(topic.type_name).type_hash):
            foreign = foreign or topic.type_name
            continue
        found[topic.name] = _Place(region, kind, name)
    if foreign:
        raise UserError(
            f'{bag.path}: {foreign} is of another version of the messages; stitch it with the version that recorded it'
        )
    return found


def _chosen(places: Mapping[str, _Place]) -> dict[str, _Place]:
    """Of topics that carry the same frames, one: as the live stitcher takes them, those of scenes."""
    kinds = {place.kind for place in places.values()}
    doubled = {Kind.CAMERA_FRAMES} if Kind.SCENE_FRAMES in kinds else set()
    return {topic: place for topic, place in places.items() if place.kind not in doubled}


def _listed(topics: tuple[Topic, ...]) -> str:
    names = sorted(topic.name for topic in topics)
    more = f' and {len(names) - 3} more topics' if len(names) > 3 else ''
    return f'but {", ".join(names[:3])}{more}' if names else 'it is empty'


@dataclass
class _Reader:
    """Puts the messages of one bag together."""

    places: Mapping[str, _Place]
    damaged: int = 0
    without_header: int = 0
    _newest_ns: int = 0
    _images: dict[str, tuple[int, bytes | memoryview]] = field(default_factory=dict)
    _sizes: dict[str, PictureSizes] = field(default_factory=dict)

    def events(self, raw: RawMessage) -> Iterator[Event]:
        """What a message says; a picture waits for its header."""
        place = self.places[raw.topic]
        try:
            event = self._event(place, raw)
        except ValueError:
            self.damaged += 1
            return
        if event is not None:
            yield event

    def _event(self, place: _Place, raw: RawMessage) -> Event | None:
        match place.kind:
            case Kind.SCENE_FRAMES | Kind.CAMERA_FRAMES:
                return self._frame(read_frame(raw.data))
            case Kind.SCENE_IMAGES:
                self.without_header += place.name in self._images
                self._images[place.name] = raw.log_ns, raw.data
                return None
            case Kind.SCENE_HEADERS:
                return self._recorded_frame(place, raw)
            case Kind.CAMERA_HEADERS:
                header = read_header(raw.data)
                return HeaderEvent(self._at(header.stamp_ns), header, raw.owned)
            case Kind.PLAN:
                plan = messages.plan_of(messages.decode(raw.data, messages.PLAN))
                _recorded(plan.effective_at_ns)
                return PlanEvent(self._newest_ns or raw.log_ns, plan, raw.owned)
            case Kind.STATE:
                stamp = _recorded(time_ns(messages.decode(raw.data, messages.STATE).header.stamp))
                return StateEvent(self._newest_ns or raw.log_ns, place.name, stamp, raw.owned)
            case Kind.TRACKS:
                tracks = messages.decode(raw.data, messages.TRACKS)
                stamp, at_ns = _recorded(time_ns(tracks.header.stamp)), self._newest_ns or raw.log_ns
                return TracksEvent(at_ns, place.name, stamp, raw.owned, tracks.preset.scene, look_of(tracks))

    def _frame(self, wire: WireFrame) -> FrameEvent | None:
        header = wire.header
        if not header.scene:
            return None  # taken before the first switch: drivers send such frames to no scene
        picture = EncodedPicture(bytes(wire.picture), wire.encoding, wire.keyframe, wire.size)
        frame = Frame(header, picture, wire.image_head, wire.header_message)
        return FrameEvent(self._at(header.stamp_ns), frame)

    def _recorded_frame(self, place: _Place, raw: RawMessage) -> FrameEvent | None:
        log_ns, data = self._images.pop(place.name, (0, b''))
        if log_ns != raw.log_ns:
            self.without_header += bool(data)
            return None
        header, image = read_header(raw.data), read_image(data)
        pixels, codec = image.picture, CODECS.get(image.encoding)
        keyframe = codec is None or nal.is_keyframe(pixels, nal.NalFormat(codec, 0))
        size = self._sizes.setdefault(header.camera, PictureSizes()).size(pixels, image.encoding, keyframe)
        picture = EncodedPicture(pixels, image.encoding, keyframe, size)
        return FrameEvent(self._at(header.stamp_ns), Frame(header, picture, image.head, raw.owned))

    def _at(self, stamp_ns: int) -> int:
        # What was recorded later stays behind, so that plans keep their place among the frames; unless the clock was set.
        _recorded(stamp_ns)
        if stamp_ns > self._newest_ns or stamp_ns < self._newest_ns - _CLOCK_SET_NS:
            self._newest_ns = stamp_ns
        return self._newest_ns


def _recorded(stamp_ns: int) -> int:
    """A stamp as bags can hold it. Raises ValueError if it is of before 1970."""
    if stamp_ns < 0:
        raise ValueError('a stamp below 0')
    return stamp_ns
