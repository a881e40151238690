# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a rosbag2 bag, in MCAP or sqlite3, also one that was cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from ptz_site import UserError
from ptz_stitcher.offline.damaged_bag import salvage

_SUFFIXES = ('.mcap', '.db3')


@dataclass(frozen=True)
class Topic:
    """A topic of a bag with messages. type_hash: RIHS01 of its type as the bag defines it; empty if it does not."""

    name: str
    type_name: str
    messages: int
    type_hash: str = ''


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A serialized message, and when it was recorded."""

    topic: str
    log_ns: int
    data: bytes


@dataclass(frozen=True)
class BagFile:
    """A bag that can be read. size: bytes. custom: what its recorder noted in it."""

    path: Path
    size: int
    topics: tuple[Topic, ...]
    custom: Mapping[str, str]
    _read: Callable[[frozenset[str]], Iterator[RawMessage]]

    def messages(self, topics: frozenset[str]) -> Iterator[RawMessage]:
        """The messages of some topics: in the order of log time if the bag is whole, as they lie in the file otherwise.

        Raises UserError where it can't be read any more.
        """
        try:
            yield from self._read(topics)
        except UserError:
            raise
        except Exception as error:  # readers of damaged files fail with whatever they take for lengths and offsets
            raise UserError(f'{self.path}: cut short or damaged ({_reason(error)}); what comes before that is taken') from None


def is_bag(path: Path) -> bool:
    """Whether a path looks like a bag: a storage file, or a folder that holds such or their metadata."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or bool(_storages(path))
    return path.suffix in _SUFFIXES


def open_bag(path: Path) -> BagFile:
    """Opens a bag's folder or one of its storage files. Raises UserError if nothing in it can be read."""
    storages = [storage for storage in _storages(path) if storage.stat().st_size]
    if not storages:
        raise UserError(f'{path}: an empty bag; there is nothing in it to stitch')
    try:
        return _whole(path, sum(storage.stat().st_size for storage in storages))
    except Exception as error:  # as above; the parts may be better than the whole
        reason = _reason(error)
    parts = [_best_of(storage) for storage in storages]
    topics = tuple({topic.name: topic for part in parts for topic in part.topics}.values())
    if not topics:
        raise UserError(f'{path}: not a bag that can be read ({reason}); give a rosbag2 bag in MCAP or sqlite3')
    return BagFile(path, sum(part.size for part in parts), topics, {}, lambda names: _chained(parts, names))


def left_in_logs(path: Path) -> list[Path]:
    """Files beside those of a sqlite3 bag in which a recorder that was killed left messages; reading them would change the bag."""
    logs = (storage.with_name(f'{storage.name}-wal') for storage in _storages(path) if storage.suffix == '.db3')
    return [log for log in logs if log.is_file() and log.stat().st_size]


def _storages(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted((file for file in path.iterdir() if file.suffix in _SUFFIXES), key=_number)
    return [path]


def _number(file: Path) -> tuple[int, str]:
    """Recorders number the files of a bag; 10 comes after 9."""
    tail = file.stem.rpartition('_')[2]
    return (int(tail) if tail.isdecimal() else 0, file.name)


def _chained(parts: list[BagFile], names: frozenset[str]) -> Iterator[RawMessage]:
    failure: UserError | None = None
    for part in parts:
        try:
            yield from part.messages(names)
        except UserError as error:
            failure = failure or error
    if failure is not None:
        raise failure


def _best_of(storage: Path) -> BagFile:
    try:
        return _whole(storage, storage.stat().st_size)
    except Exception:  # as above
        return _damaged(storage)


def _whole(path: Path, size: int) -> BagFile:
    with Reader(path) as reader:
        topics = tuple(
            Topic(one.topic, one.msgtype, one.msgcount, one.digest or _type_hash(one.msgdef, one.msgtype))
            for one in reader.connections
            if one.msgcount
        )
        custom = {str(key): str(value) for key, value in (reader.storage.metadata.custom or {}).items()}

    def read(names: frozenset[str]) -> Iterator[RawMessage]:
        with Reader(path) as reader:
            wanted = [one for one in reader.connections if one.topic in names]
            for connection, log_ns, data in reader.messages(wanted) if wanted else ():
                yield RawMessage(connection.topic, log_ns, data)

    return BagFile(path, size, topics, custom, read)


def _damaged(path: Path) -> BagFile:
    """A storage file that ends too early, or whose index is not there."""
    topics: dict[str, Topic] = {}
    try:
        for found in salvage(path):
            before = topics.get(found.topic)
            digest = before.type_hash if before else _type_hash(_definition(found.definition), found.type_name)
            topics[found.topic] = Topic(found.topic, found.type_name, (before.messages if before else 0) + 1, digest)
    except Exception:  # here it ends; reading will say so
        pass

    def read(names: frozenset[str]) -> Iterator[RawMessage]:
        for found in salvage(path):
            if found.topic in names:
                yield RawMessage(found.topic, found.log_ns, found.data)

    return BagFile(path, path.stat().st_size, tuple(topics.values()), {}, read)


def _definition(text: str) -> MessageDefinition:
    return MessageDefinition(MessageDefinitionFormat.MSG if text else MessageDefinitionFormat.NONE, text)


def _type_hash(definition: MessageDefinition, type_name: str) -> str:
    try:
        if definition.format is MessageDefinitionFormat.MSG:
            types = get_types_from_msg(definition.data, type_name)
        elif definition.format is MessageDefinitionFormat.IDL:
            types = get_types_from_idl(definition.data)
        else:
            return ''
        store = get_typestore(Stores.EMPTY)
        store.register(types)
        return store.hash_rihs01(type_name)
    except Exception:  # a definition that can't be understood tells nothing; the messages may be ours all the same
        return ''


def _reason(error: Exception) -> str:
    text = str(getattr(error, 'strerror', None) or error) or type(error).__name__
    return text.splitlines()[0].rstrip('.')
