# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds, told in one file beside it: summary.json."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ptz_stitcher.mark_counts import MarkCounts


@dataclass(frozen=True)
class SceneSummary:
    """One scene's recording. frames: in the bag, those too that came too late for the video. Doubled ones were dropped.

    before_keyframe: not in the video or the pictures, as they can't be decoded without what is not shown. wholly_hidden: redacted as a
    whole, as perception did not look in time. polygon: m on the ground; empty: not known.
    """

    scene: str
    frames: int
    segments: int
    late: int
    doubled: int
    failures: tuple[str, ...]
    polygon: tuple[tuple[float, float], ...] = ()
    before_keyframe: int = 0
    wholly_hidden: int = 0
    marks: MarkCounts = field(default_factory=MarkCounts)


@dataclass(frozen=True)
class RecordingSummary:
    """All scenes; frames that came, and frames that were lost on the way, by camera.

    resumed: another stitcher was killed in the same folder before; what it recorded is there, but not counted here.
    """

    region: str
    site: str
    cut: str
    scenes: tuple[SceneSummary, ...]
    frames: dict[str, int]
    lost_frames: dict[str, int]
    refused_frames: int
    failures: tuple[str, ...]
    resumed: bool = False

    def write(self, path: Path) -> None:
        """Writes the file whole or not at all. Raises OSError."""
        fresh = path.with_suffix('.json.tmp')
        fresh.write_text(json.dumps(dataclasses.asdict(self), indent=2) + '\n', encoding='utf-8')
        fresh.replace(path)


def read_summary(path: Path) -> RecordingSummary:
    """Reads what write() wrote. Raises OSError, or ValueError if it is not a summary."""
    try:
        data = json.loads(path.read_text(encoding='utf-8'))
        scenes = tuple(_scene(scene) for scene in data.pop('scenes'))
        return RecordingSummary(**{**data, 'scenes': scenes, 'failures': tuple(data['failures'])})
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path}: not a summary of a recording: {error}') from None


def _scene(data: dict[str, Any]) -> SceneSummary:
    polygon = tuple((float(x), float(y)) for x, y in data.get('polygon', ()))
    marks = MarkCounts(**data.get('marks', {}))
    return SceneSummary(**{**data, 'failures': tuple(data['failures']), 'polygon': polygon, 'marks': marks})
