# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Definitions and hashes of message types, from the installed interface packages."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from ptz_stitcher.recording.mcap_bag import TopicType

_SEPARATOR = '\n' + '=' * 80 + '\n'
_FIELD = re.compile(r'^\s*([A-Za-z][A-Za-z0-9_/]*)(<=\d+)?(\[[^\]]*\])?\s+[A-Za-z]')
_PRIMITIVES = frozenset(
    [
        'bool',
        'byte',
        'char',
        'float32',
        'float64',
        'int8',
        'uint8',
        'int16',
        'uint16',
        'int32',
        'uint32',
        'int64',
        'uint64',
        'string',
        'wstring',
    ]
)


def topic_type(name: str) -> TopicType:
    """The type of a name such as sensor_msgs/msg/CompressedImage, with the definitions of all that it contains.

    Raises LookupError if its package is not installed.
    """
    texts: dict[str, str] = {}
    _collect(name, texts)
    parts = [texts.pop(name)]
    parts += [f'MSG: {_short(other)}\n{text}' for other, text in texts.items()]
    return TopicType(name, _SEPARATOR.join(parts), _type_hash(name))


def _collect(name: str, texts: dict[str, str]) -> None:
    if name in texts:
        return
    texts[name] = _file(name, '.msg').read_text()
    package = name.split('/')[0]
    for line in texts[name].splitlines():
        match = _FIELD.match(line.split('#')[0])
        if match and match[1] not in _PRIMITIVES:
            kind = match[1]
            _collect(f'{package}/msg/{kind}' if '/' not in kind else kind.replace('/msg/', '/').replace('/', '/msg/'), texts)


def _type_hash(name: str) -> str:
    file = _file(name, '.json')
    if not file.is_file():
        return ''
    for entry in json.loads(file.read_text()).get('type_hashes', []):
        if entry['type_name'] == name:
            return str(entry['hash_string'])
    return ''


def _file(name: str, suffix: str) -> Path:
    package, kind, message = name.split('/')
    return Path(get_package_share_directory(package)) / kind / (message + suffix)


def _short(name: str) -> str:
    # The form that ros2msg schemas use for dependencies: package/Name.
    return name.replace('/msg/', '/')
