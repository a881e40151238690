# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads bags with other people's tools alone, in a process that knows neither this project nor ROS: python -I foreign_reader.py BAG...

Prints a line of JSON for each bag: all its messages by log time, decoded by mcap-ros2-support, and decoded by rosbags.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """A message as lists and names, whichever library it comes from. Bytes are told by a digest."""
    fields = getattr(value, 'get_fields_and_field_types', None)
    # The other two: rosbags makes dataclasses, mcap-ros2-support classes with slots.
    names = list(fields() if fields else getattr(value, '__dataclass_fields__', None) or getattr(type(value), '__slots__', ()))
    if names:
        return {name: plain(getattr(value, name)) for name in names if not name.startswith('__') and not name.isupper()}
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return 'nan' if math.isnan(value) else value
    if hasattr(value, 'tolist'):  # of numpy, or the array of the standard library
        value = value.tolist()
    if isinstance(value, bytes) or (isinstance(value, list) and value and set(map(type, value)) == {int} and max(value) < 256):
        return hashlib.sha256(bytes(value)).hexdigest()
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def with_mcap(bag: Path) -> list[Any]:
    """Log time, topic, and message, of all in a bag."""
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    found: list[Any] = []
    for file in sorted(bag.glob('*.mcap')):
        with file.open('rb') as stream:
            reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
            found += [(m.log_time, channel.topic, plain(told)) for _, channel, m, told in reader.iter_decoded_messages()]
    return found


def with_rosbags(bag: Path) -> list[Any]:
    """The same."""
    from rosbags.highlevel import AnyReader

    with AnyReader([bag]) as reader:
        return [(at_ns, one.topic, plain(reader.deserialize(raw, one.msgtype))) for one, at_ns, raw in reader.messages()]


def main() -> int:
    """Of all bags in the arguments."""
    for package in ('ptz_collab_msgs', 'ptz_stitcher', 'ptz_node', 'ptz_site'):
        try:
            __import__(package)
        except ImportError:
            continue
        raise SystemExit(f'{package} is known to this process: it proves nothing')
    sys.modules['rclpy'] = None  # type: ignore[assignment]
    for bag in map(Path, sys.argv[1:]):
        sys.stdout.write(json.dumps({'mcap': with_mcap(bag), 'rosbags': with_rosbags(bag)}) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
