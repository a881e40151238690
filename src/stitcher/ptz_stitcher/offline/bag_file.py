# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a rosbag2 bag, in MCAP or sqlite3, also one that was cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import yaml
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from ptz_site import UserError
from ptz_stitcher.offline.damaged_bag import in_order, salvage
from ptz_stitcher.offline.inflated import SUFFIX, inflated_file, inflated_message
from ptz_stitcher.offline.mcap_chunks import IndexedFile

_SUFFIXES = ('.mcap', '.db3')
#: Bytes; messages from here on are not copied.
_LARGE = 4096
#: Characters that mean something else in SQLite's URIs.
_NOT_IN_URIS = frozenset('?#%')


@dataclass(frozen=True)
class Topic:
    """A topic of a bag with messages. type_hash: RIHS01 of its type as the bag defines it; empty if it does not."""

    name: str
    type_name: str
    messages: int
    type_hash: str = ''


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A serialized message, and when it was recorded. data: a view where it is large, so that it is not copied without need."""

    topic: str
    log_ns: int
    data: bytes | memoryview

    @property
    def owned(self) -> bytes:
        """The data as bytes; a copy of a view."""
        return bytes(self.data)


@dataclass(frozen=True)
class BagFile:
    """A bag that can be read. size: bytes. custom: what its recorder noted in it. missing: files that should be there, and are not."""

    path: Path
    size: int
    topics: tuple[Topic, ...]
    custom: Mapping[str, str]
    missing: tuple[str, ...]
    _parts: tuple[_Part, ...]

    def messages(self, topics: frozenset[str]) -> Iterator[RawMessage]:
        """The messages of some topics: file by file, in the order of log time if a file is whole, as they lie in it otherwise.

        Raises UserError where something can't be read; all that can be has come before.
        """
        failures = [f'{self.path}: {name} is missing; put it back into the folder' for name in self.missing]
        for part in self._parts:
            try:
                yield from part.read(topics)
            except Exception as error:  # readers of damaged files fail with whatever they take for lengths and offsets
                failures.append(f'{part.path}: cut short or damaged ({_reason(error)}); what can be read of it is taken')
        if failures:
            raise UserError('\n'.join(failures))


@dataclass(frozen=True)
class _Part:
    """A storage file."""

    path: Path
    topics: tuple[Topic, ...]
    read: Callable[[frozenset[str]], Iterator[RawMessage]]


def is_bag(path: Path) -> bool:
    """Whether a path looks like a bag: a storage file, or a folder that holds such or their metadata."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or bool(_storages(path))
    return _is_storage(path)


def open_bag(path: Path) -> BagFile:
    """Opens a bag's folder or one of its storage files. Raises UserError if nothing in it can be read."""
    found, (named, custom) = _storages(path), _metadata(path)
    # The recorder knows the order of its files, and says which belong together; what it did not come to say is read too.
    found.sort(key=lambda file: (named.index(file.name) if file.name in named else len(named), _number(file)))
    sizes = {file: _size(file) for file in found}
    storages = [file for file in found if sizes[file] != 0]
    if not storages:
        raise UserError(f'{path}: an empty bag; there is nothing in it to stitch')
    parts, reason = [], ''
    for file in storages:
        try:
            parts.append(_part(file))
        except Exception as error:  # as above
            reason = reason or _reason(error)
            parts.append(_unreadable(file, error))
    topics: dict[str, Topic] = {}
    for topic in (topic for part in parts for topic in part.topics):
        before = topics.get(topic.name)
        topics[topic.name] = Topic(
            topic.name, topic.type_name, topic.messages + (before.messages if before else 0), topic.type_hash
        )
    if not topics and reason:
        raise UserError(f'{path}: not a bag that can be read ({reason}); give a rosbag2 bag in MCAP or sqlite3')
    missing = tuple(sorted(set(named) - {file.name for file in found}))
    return BagFile(path, sum(size or 0 for size in sizes.values()), tuple(topics.values()), custom, missing, tuple(parts))


def left_in_logs(path: Path) -> list[Path]:
    """Files beside those of a sqlite3 bag in which a recorder that was killed left messages; reading them would change the bag."""
    logs = (storage.with_name(f'{storage.name}-wal') for storage in _storages(path) if storage.suffix == '.db3')
    return [log for log in logs if log.is_file() and log.stat().st_size]


def _storages(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = {file.name: file for file in path.iterdir() if _is_storage(file)}
    # Of one that was just being compressed when the recorder was killed, the original is whole.
    halves = {name for name, file in found.items() if _uncompressed(file).name != name and _uncompressed(file).name in found}
    return sorted((file for name, file in found.items() if name not in halves), key=_number)


def _is_storage(path: Path) -> bool:
    return _uncompressed(path).suffix in _SUFFIXES


def _uncompressed(path: Path) -> Path:
    """What a file is called that `ros2 bag record --compression-mode file` has compressed."""
    return path.with_suffix('') if path.suffix == SUFFIX else path


def _number(file: Path) -> tuple[int, str]:
    """Recorders number the files of a bag; 10 comes after 9."""
    tail = _uncompressed(file).stem.rpartition('_')[2]
    return (int(tail) if tail.isdecimal() else 0, file.name)


def _size(file: Path) -> int | None:
    """Bytes; None if it can't be told, as of a link to nowhere, which opening it will say."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def _metadata(path: Path) -> tuple[list[str], dict[str, str]]:
    """The names of the files, and what the recorder noted, as metadata.yaml says.

    Nothing if it is not there, or can't be understood: the files tell almost everything themselves.
    """
    try:
        found = yaml.safe_load((path / 'metadata.yaml').read_text(encoding='utf-8'))['rosbag2_bagfile_information']
        names, custom = found.get('relative_file_paths'), found.get('custom_data')
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        return [], {}
    named = [Path(str(name)).name for name in names] if isinstance(names, list) else []
    return named, {str(key): str(value) for key, value in custom.items()} if isinstance(custom, dict) else {}


def _part(file: Path) -> _Part:
    """Opens a storage file, however it was left. Raises an exception of whatever kind if nothing in it can be read."""
    if file.suffix == SUFFIX:
        with inflated_file(file) as storage:
            return _Part(file, _part(storage).topics, partial(_inflated_messages, file))
    try:
        return _from_mcap(file) if file.suffix == '.mcap' else _from_sqlite3(file)
    except Exception as error:  # as above; what is left of it may be read all the same
        return _scanned(file, error)


def _inflated_messages(file: Path, names: frozenset[str]) -> Iterator[RawMessage]:
    with inflated_file(file) as storage:
        yield from _part(storage).read(names)


def _from_mcap(file: Path) -> _Part:
    indexed = IndexedFile(file)
    topics = tuple(
        Topic(
            channel.topic,
            schema.name,
            count,
            channel.metadata.get('topic_type_hash') or _type_hash(_definition(schema.encoding, schema.data), schema.name),
        )
        for channel, schema, count in indexed.topics()
        if count
    )

    def read(names: frozenset[str]) -> Iterator[RawMessage]:
        for log_ns, topic, data in indexed.messages(names):
            # What is small would keep its whole chunk in memory.
            yield RawMessage(topic, log_ns, inflated_message(data if len(data) >= _LARGE else bytes(data)))

    return _Part(file, topics, read)


def _unreadable(file: Path, error: Exception) -> _Part:
    """One of which nothing can be read: that is said when its turn comes."""

    def read(_names: frozenset[str]) -> Iterator[RawMessage]:
        raise error

    return _Part(file, (), read)


def _from_sqlite3(file: Path) -> _Part:
    from rosbags.rosbag2 import Reader  # here, because it takes long to load, and most bags are MCAP

    if _NOT_IN_URIS.intersection(str(file)):
        raise ValueError("a name that the library can't open")  # it would make another file
    with Reader(file) as reader:
        topics = tuple(
            Topic(one.topic, one.msgtype, one.msgcount, one.digest or _type_hash(one.msgdef, one.msgtype))
            for one in reader.connections
            if one.msgcount
        )

    def read(names: frozenset[str]) -> Iterator[RawMessage]:
        with Reader(file) as reader:
            wanted = [one for one in reader.connections if one.topic in names]
            for connection, log_ns, data in reader.messages(wanted) if wanted else ():
                yield RawMessage(connection.topic, log_ns, inflated_message(data))

    return _Part(file, topics, read)


def _scanned(file: Path, reason: Exception) -> _Part:
    """A storage file that ends too early, or has no index. Raises the reason for scanning it if there is nothing that can be read."""
    topics: dict[str, Topic] = {}
    try:
        for found in salvage(file):
            before = topics.get(found.topic)
            digest = before.type_hash if before else _type_hash(_definition('ros2msg', found.definition), found.type_name)
            topics[found.topic] = Topic(found.topic, found.type_name, (before.messages if before else 0) + 1, digest)
    except Exception:  # here it ends; reading will say so
        if not topics:
            raise reason from None

    def read(names: frozenset[str]) -> Iterator[RawMessage]:
        for found in in_order(one for one in salvage(file) if one.topic in names):
            yield RawMessage(found.topic, found.log_ns, inflated_message(found.data))

    return _Part(file, tuple(topics.values()), read)


def _definition(encoding: str, text: bytes | str) -> MessageDefinition:
    kinds = {'ros2msg': MessageDefinitionFormat.MSG, 'ros2idl': MessageDefinitionFormat.IDL}
    kind = kinds.get(encoding, MessageDefinitionFormat.NONE) if text else MessageDefinitionFormat.NONE
    return MessageDefinition(kind, text.decode() if isinstance(text, bytes) else text)


@lru_cache(maxsize=256)
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
