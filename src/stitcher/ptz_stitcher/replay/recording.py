# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A recording as the messages that were on the graph: bags of the stitcher, and of ros2 bag record."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ptz_site import UserError
from ptz_site.stream_marks import nal
from ptz_stitcher.offline import messages
from ptz_stitcher.offline.bag_file import BagFile, RawMessage, Topic, is_bag, open_bag
from ptz_stitcher.offline.picture_size import CODECS, PictureSizes
from ptz_stitcher.recording.msgdefs import topic_type
from ptz_stitcher.replay.topics import Choice, Form, Replayed, camera_of, form_of, frame_kinds, frame_topics, region_of, scene_of

#: Pictures of a scene that wait for their headers, or headers for their pictures.
_WAITING = 100


@dataclass(frozen=True)
class ReplayRequest:
    """inputs: bags, or folders of runs."""

    inputs: tuple[Path, ...]
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True)
class Recording:
    """What is replayed. total: about how many messages it makes. problems: what can't be, each one line; grows while it is read."""

    topics: Mapping[str, str]
    regions: frozenset[str]
    total: int
    problems: list[str]
    _bags: tuple[_Bag, ...]

    def messages(self) -> Iterator[Replayed]:
        """All of it in the order of time; may be asked for again."""
        streams = [bag.messages(self._problem) for bag in self._bags]
        # Of one instant a plan comes first: frames are taken by it.
        return heapq.merge(*streams, key=lambda one: (one.at_ns, one.type_name != messages.PLAN))

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)


def open_recording(request: ReplayRequest) -> Recording:
    """Opens bags. Raises UserError if there is nothing to replay, or a scene or region is asked for that is not in it."""
    bags: dict[Path, _Bag] = {}
    problems: list[str] = []
    for path in request.inputs:
        for folder in _bags_at(path):
            try:
                bags[folder.resolve()] = _Bag(open_bag(folder), request.choice)
            except UserError as error:
                problems.append(str(error))
    for bag in bags.values():
        problems += bag.unknown
    _check_choice(request.choice, tuple(bags.values()))
    topics = _published(tuple(bags.values()))
    if not topics:
        raise UserError('\n'.join([*problems, 'nothing is left to replay; give the folder of a run, or bags of a region']))
    regions = frozenset(region_of(topic) for topic in topics) - {''}
    return Recording(topics, regions, sum(bag.total for bag in bags.values()), problems, tuple(bags.values()))


def _published(bags: tuple[_Bag, ...]) -> dict[str, str]:
    """All topics with their types, also those that frames come back on."""
    topics = {topic: kind for bag in bags for topic, kind in bag.topics.items()}
    cameras = frozenset(filter(None, map(camera_of, topics)))
    for bag in bags:
        if bag.has_frames:
            # The log of a run names all cameras; without it, frames do.
            topics |= dict.fromkeys(bag.frame_topics(cameras), messages.FRAME)
    return topics


def _bags_at(path: Path) -> list[Path]:
    """The bags of a run's folder; of a bag itself."""
    if not path.exists():
        raise UserError(f'{path}: is not there; give a bag, or the folder of a run')
    if is_bag(path):
        return [path]
    found = sorted(entry for entry in path.glob('*') if entry.is_dir() and is_bag(entry)) if path.is_dir() else []
    if not found:
        raise UserError(f'{path}: no bag is there; give a bag, or the folder of a run')
    return found


def _check_choice(choice: Choice, bags: tuple[_Bag, ...]) -> None:
    regions = sorted({region_of(topic.name) for bag in bags for topic in bag.recorded} - {''})
    if choice.region and choice.region not in regions:
        raise UserError(f'region {choice.region} is not in the recording; it has {", ".join(regions) or "none"}')
    scenes = sorted({scene_of(topic.name) for bag in bags for topic in bag.recorded} - {''})
    missing = sorted((choice.scenes or frozenset()) - set(scenes))
    # Topics of cameras alone don't tell which scenes they show.
    if missing and scenes:
        raise UserError(f'scene {missing[0]} is not in the recording; it has {", ".join(scenes)}')


class _Bag:
    """One bag. topics: what it publishes, with types; recorded: what is in it; unknown: what this machine does not know."""

    def __init__(self, bag: BagFile, choice: Choice) -> None:
        self._bag, self._choice = bag, choice
        self.recorded = bag.topics
        self.unknown: list[str] = []
        self._forms: dict[str, Form] = {}
        self.topics: dict[str, str] = {}
        wanted = [topic for topic in bag.topics if choice.wants(topic.name) and self._is_known(topic)]
        for topic in wanted:
            self._forms[topic.name] = form_of(topic.name, topic.type_name)
            self.topics[topic.name] = topic.type_name
        self._frame_kinds = frame_kinds(self._forms)
        # A picture and its header come back once more as a frame.
        self.total = sum(topic.messages * (1 + (self._forms[topic.name] is Form.SCENE_HEADER)) for topic in wanted)

    @property
    def has_frames(self) -> bool:
        """Whether pictures of cameras are in it."""
        return any(form is not Form.AS_RECORDED for form in self._forms.values())

    def frame_topics(self, cameras: frozenset[str]) -> set[str]:
        """Those that its frames come back on. cameras: all that there are; empty if that is not known."""
        of_frames = [topic for topic, form in self._forms.items() if form is not Form.AS_RECORDED]
        found = {topic for topic in of_frames if self._forms[topic] is Form.FRAME}
        region = region_of(of_frames[0])
        if cameras and 'cameras' not in self._frame_kinds:
            scenes = filter(None, map(scene_of, of_frames))
            return found | {topic for scene in scenes for camera in cameras for topic in frame_topics(region, scene, camera)}
        if len(self._frame_kinds) < 2:
            found |= {one.topic for one in self.messages(lambda _problem: None) if one.type_name == messages.FRAME}
        return found

    def messages(self, problem: Callable[[str], None]) -> Iterator[Replayed]:
        """What is in it, in order. problem: is told what can't be read, once for each kind."""
        pairs: dict[str, _Pairs] = {}
        damaged = 0
        try:
            for raw in self._bag.messages(frozenset(self._forms)):
                try:
                    yield from self._replayed(raw, pairs)
                except ValueError:
                    damaged += 1
        except UserError as error:
            for line in str(error).splitlines():
                problem(line)
        if damaged:
            problem(f'{self._bag.path}: {damaged} messages are damaged and left out')

    def _replayed(self, raw: RawMessage, pairs: dict[str, _Pairs]) -> Iterator[Replayed]:
        match self._forms[raw.topic]:
            case Form.AS_RECORDED:
                yield Replayed(raw.log_ns, raw.topic, self.topics[raw.topic], raw.owned)
            case Form.FRAME:
                yield from self._frames(raw)
            case Form.SCENE_IMAGE | Form.SCENE_HEADER as form:
                # For viewers, as they are in the bag.
                yield Replayed(raw.log_ns, raw.topic, self.topics[raw.topic], raw.owned)
                scene = scene_of(raw.topic)
                frame = pairs.setdefault(scene, _Pairs()).take(raw, form)
                if frame is not None:
                    data = messages.encode(frame, messages.FRAME)
                    topics = frame_topics(region_of(raw.topic), frame.preset.scene, frame.preset.camera)
                    yield from _on_all(raw.log_ns, topics, data)

    def _frames(self, raw: RawMessage) -> Iterator[Replayed]:
        """A frame, also on the other of its two topics where that was not recorded."""
        if len(self._frame_kinds) == 2 and self._choice.scenes is None:
            yield Replayed(raw.log_ns, raw.topic, messages.FRAME, raw.owned, copy=bool(scene_of(raw.topic)))
            return
        preset = messages.decode(raw.data, messages.FRAME).preset
        if not self._choice.wants_scene(preset.scene):
            return
        if len(self._frame_kinds) == 2:
            yield Replayed(raw.log_ns, raw.topic, messages.FRAME, raw.owned, copy=bool(scene_of(raw.topic)))
        else:
            yield from _on_all(raw.log_ns, frame_topics(region_of(raw.topic), preset.scene, preset.camera), raw.owned)

    def _is_known(self, topic: Topic) -> bool:
        try:
            ours = topic_type(topic.type_name).type_hash
        except (LookupError, OSError, ValueError):
            self.unknown.append(f'{self._bag.path}: {topic.name} is of {topic.type_name}, which is not installed; it is left out')
            return False
        if topic.type_hash and ours and topic.type_hash != ours:
            self.unknown.append(f'{self._bag.path}: {topic.name} is of another version of {topic.type_name}; it is left out')
            return False
        return True


def _on_all(at_ns: int, topics: tuple[str, ...], data: bytes) -> Iterator[Replayed]:
    for number, topic in enumerate(topics):
        yield Replayed(at_ns, topic, messages.FRAME, data, copy=number > 0)


@dataclass
class _Pairs:
    """Puts the pictures and headers of one scene together again; either may come first."""

    _waiting: dict[tuple[int, Form], list[bytes]] = field(default_factory=dict)
    _sizes: dict[str, PictureSizes] = field(default_factory=dict)

    def take(self, raw: RawMessage, form: Form) -> Any | None:
        """The whole PresetFrame, when both are there. Raises ValueError if they are damaged."""
        other = Form.SCENE_HEADER if form is Form.SCENE_IMAGE else Form.SCENE_IMAGE
        partners = self._waiting.get((raw.log_ns, other))
        if not partners:
            self._waiting.setdefault((raw.log_ns, form), []).append(raw.owned)
            while len(self._waiting) > _WAITING:
                del self._waiting[next(iter(self._waiting))]
            return None
        partner = partners.pop(0)
        if not partners:
            del self._waiting[(raw.log_ns, other)]
        image, header = (raw.owned, partner) if form is Form.SCENE_IMAGE else (partner, raw.owned)
        return self._frame(messages.decode(image, messages.IMAGE), messages.decode(header, messages.HEADER))

    def _frame(self, image: Any, preset: Any) -> Any:
        pixels = image.data.tobytes()
        codec = CODECS.get(image.format)
        keyframe = codec is None or nal.is_keyframe(pixels, nal.NalFormat(codec, 0))
        width, height = self._sizes.setdefault(preset.camera, PictureSizes()).size(pixels, image.format, keyframe)
        frame = messages.typestore().types[messages.FRAME]
        return frame(
            header=preset.header,
            preset=preset,
            encoding=image.format,
            keyframe=keyframe,
            width=width,
            height=height,
            data=np.asarray(image.data, np.uint8),
        )
