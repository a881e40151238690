# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What perception and stitcher made of a replay, and how it differs from what was expected, in words."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from recordings import chapters, headers, read_bag, video_frames

from ptz_site.frame_package import FramePackage

#: By subject (a track, a picture, a segment): what it was, as JSON knows it.
Results = dict[str, dict[str, Any]]

#: px and m by which places may differ: processors don't compute in the same order.
PLACES = 1.5


def results(out: Path, uploads: Path) -> dict[str, Results]:
    """All there is of a run. uploads: where perception's queues are."""
    return {'tracks': tracks(out), 'best frames': best_frames(uploads), 'sequences': sequences(out)}


def tracks(out: Path) -> Results:
    """By camera and track: scene, and by the frame's sequence the box (centre, width, height; px) and whether it was detected there."""
    found: Results = {}
    for _, array in read_bag(out / 'region', '/tracks'):
        for track in array.tracks:
            seen = found.setdefault(f'{array.preset.camera} {track.track_id}', {'scene': array.preset.scene, 'frames': {}})
            how = 'predicted' if track.source else 'detected'
            seen['frames'][str(array.preset.sequence)] = [*(round(float(v), 1) for v in _box(track.detection)), how]
    return dict(sorted(found.items()))


def best_frames(uploads: Path) -> Results:
    """By picture: the tracks that it was chosen for, and whether it was to be sent at once."""
    found: Results = {}
    for queue in sorted(uploads.glob('*.sqlite')):
        with closing(sqlite3.connect(queue)) as database:
            for (document,) in database.execute('SELECT document FROM packages'):
                package = FramePackage.model_validate_json(document)
                chosen = sorted(one.track_id for one in package.observations if one.best)
                found[package.id] = {'scene': package.scene, 'tracks': chosen, 'at once': package.immediate}
    return dict(sorted(found.items()))


def sequences(out: Path) -> Results:
    """By scene and segment: camera, slot, first and last frame, and how many; and of the whole video, its pictures and chapters."""
    found: Results = {}
    for scene in sorted(path.stem for path in out.glob('*.mp4')):
        of_scene = headers(out / scene)
        for number, (key, frames) in enumerate(groupby(of_scene, lambda h: (h.camera, h.switch_start_ns)), 1):
            inside = list(frames)
            first, last = inside[0].sequence, inside[-1].sequence
            segment = {'camera': key[0], 'slot': inside[0].slot, 'frames': len(inside), 'first': first, 'last': last}
            found[f'{scene} segment {number}'] = segment
        video = out / f'{scene}.mp4'
        found[f'{scene} video'] = {'pictures': len(video_frames(video)), 'chapters': chapters(video)}
    return found


def as_text(found: Mapping[str, Results]) -> str:
    """As it is kept: a line for each frame."""
    text = json.dumps(found, indent=1)
    return re.sub(r'\[\s+([^\[\]{}]*?)\s+\]', lambda inside: f'[{re.sub(chr(10) + " *", " ", inside[1])}]', text) + '\n'


def differences(expected: Mapping[str, Results], found: Mapping[str, Results]) -> list[str]:
    """A line for each subject that is missing, new, or other than expected."""
    return [line for kind in expected for line in _differences(kind, expected[kind], found[kind])]


def _differences(kind: str, expected: Results, found: Results) -> Iterator[str]:
    for name in sorted({*expected, *found}):
        if name not in found:
            yield f'{kind}: {name} is missing; expected {_short(expected[name])}'
        elif name not in expected:
            yield f'{kind}: {name} is new: {_short(found[name])}'
        else:
            yield from (f'{kind}: {name}: {text}' for text in _changes(expected[name], found[name]))


def _changes(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for key in [*expected, *(key for key in found if key not in expected)]:
        before, now = expected.get(key), found.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            yield from (f'{key}: {text}' for text in _changes(before, now))
        elif not _same(before, now):
            yield f'{key}: expected {before}, found {now}'


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, float) and isinstance(now, float):
        return abs(before - now) <= PLACES
    if isinstance(before, Sequence) and isinstance(now, Sequence) and not isinstance(before, str):
        return len(before) == len(now) and all(_same(a, b) for a, b in zip(before, now, strict=True))
    return bool(before == now)


def _short(subject: Mapping[str, Any]) -> str:
    frames = subject.get('frames')
    if isinstance(frames, dict):
        return f'{len(frames)} frames from {next(iter(frames))} on in {subject["scene"]}'
    return ', '.join(f'{key} {value}' for key, value in subject.items())


def _box(detection: Any) -> tuple[float, float, float, float]:
    return detection.center_x, detection.center_y, detection.width, detection.height
