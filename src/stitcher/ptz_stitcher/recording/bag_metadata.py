# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2's metadata.yaml, version 9, as ROS 2 Jazzy writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ptz_stitcher.recording.mcap_end import Summary

_VERSION = 9
# libyaml where it is there: this is written every second.
_DUMPER = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)


@dataclass(frozen=True)
class TopicType:
    """A message type: its name (package/msg/Name), its definition with all that it contains, and its RIHS01 hash."""

    name: str
    definition: str
    type_hash: str = ''


def write_metadata(
    folder: Path, storage: str, summary: Summary, types: Mapping[str, TopicType], custom_data: Mapping[str, str]
) -> None:
    """Replaces the folder's metadata.yaml as a whole; storage: the file that holds the messages. Raises OSError."""
    topics = [
        {
            'topic_metadata': {
                'name': channel.topic,
                'type': types[channel.topic].name,
                'serialization_format': 'cdr',
                'offered_qos_profiles': [],
                'type_description_hash': types[channel.topic].type_hash,
            },
            'message_count': summary.counts.get(channel.id, 0),
        }
        for channel in summary.channels
    ]
    information = {
        'version': _VERSION,
        'storage_identifier': 'mcap',
        **_span(summary),
        'topics_with_message_count': topics,
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [storage],
        'files': [{'path': storage, **_span(summary)}],
        'custom_data': dict(custom_data) or None,
        'ros_distro': 'jazzy',
    }
    document = {'rosbag2_bagfile_information': information}
    text = yaml.dump(document, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    target = folder / 'metadata.yaml'
    fresh = target.with_suffix('.yaml.tmp')
    try:
        fresh.write_text(text, encoding='utf-8')
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def read_custom_data(folder: Path) -> dict[str, str]:
    """What was noted in a bag that it is of; nothing if that can't be read."""
    try:
        document = yaml.safe_load((folder / 'metadata.yaml').read_text(encoding='utf-8'))
        return dict(document['rosbag2_bagfile_information'].get('custom_data') or {})
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return {}


def _span(summary: Summary) -> dict[str, object]:
    return {
        'duration': {'nanoseconds': summary.end_ns - summary.start_ns},
        'starting_time': {'nanoseconds_since_epoch': summary.start_ns},
        'message_count': summary.messages,
    }
