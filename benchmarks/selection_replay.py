# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What other settings of the choice of best frames would have given: replays what perception saw in runs that are over.

`python benchmarks/best_frames.py --seeds 7 21 22 --selections rules --keep runs` films, and keeps the recordings; then
`python benchmarks/selection_replay.py runs/rules/* --set area_share=0.015`. Tracks and the names that the region gave them are those of
the recordings; sizes of pictures too, sizes of documents are estimated. Sharpness is not measured again: the quality takes it as unknown.
`longest_delay=0.001` shows what could be had at best: every best that the rules find is sent, and the best of those counts.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / 'tests'), str(ROOT / 'benchmarks')]

from best_frames import SELECTIONS, Stay, kept_run, value_of  # noqa: E402
from recordings import read_bag  # noqa: E402
from target_region import Run, nearest_walker  # noqa: E402

from ptz_node.convert import time_to_ns  # noqa: E402
from ptz_perception.recognition.quality import hidden_shares  # noqa: E402
from ptz_perception.selection import Choice, FrameFacts, FrameKey, TrackFacts, make_selection  # noqa: E402
from ptz_perception.selection.observed import frontality  # noqa: E402
from ptz_site.schema import SelectionSettings  # noqa: E402

#: Bytes of a package's document, and of each track in it.
_DOCUMENT, _TRACK = 560, 435


@dataclass(frozen=True)
class Look:
    """A frame that was looked at. bytes: of its package; shown: walker and worth by track; worth: of everybody who is in the picture."""

    camera: str
    slot: int
    frame: FrameFacts
    tracks: tuple[TrackFacts, ...]
    bytes: int
    shown: Mapping[int, tuple[int, float]]
    worth: Mapping[int, float]


@dataclass(frozen=True)
class Watched:
    """A run. filmed: bytes; names: the last one that the region gave, by camera, session and track."""

    looks: tuple[Look, ...]
    filmed: int
    names: Mapping[tuple[str, int, int], str]


def main() -> None:
    """Prints a line for each run, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', type=Path, help='folders that best_frames.py kept')
    parser.add_argument('--selection', choices=SELECTIONS, default='rules')
    parser.add_argument('--set', dest='changes', action='append', default=[], metavar='KEY=VALUE', help='of best_frames')
    arguments = parser.parse_args()
    changes = dict(change.split('=', 1) for change in arguments.changes)
    settings = SelectionSettings.model_validate({'selection': arguments.selection, **changes})
    table = Table(title=f'{arguments.selection} {" ".join(arguments.changes)}', title_justify='left')
    for heading in ('run', 'sent', 'times fewer bytes', 'stays', 'stay', 'there'):
        table.add_column(heading)
    rows = []
    for folder in arguments.runs:
        found = watched(kept_run(folder))
        sent = replayed(found, settings)
        stay, there = ratios(found, sent)
        fewer = found.filmed / max(1, sum(found_look.bytes for found_look, _ in sent))
        rows.append((fewer, float(np.median(stay)), float(np.median(there))))
        table.add_row(folder.name, str(len(sent)), f'{fewer:.0f}', str(len(stay)), *(f'{value:.3f}' for value in rows[-1][1:]))
    means = np.mean(rows, axis=0)
    table.add_row('mean', '', f'{means[0]:.1f}', '', *(f'{value:.3f}' for value in means[1:]))
    Console(width=100).print(table)


def watched(run: Run) -> Watched:
    """Reads the bags of a run."""
    sizes = {
        (scene, time_to_ns(message.header.stamp)): len(message.data)
        for scene in run.site.scenes
        for _, message in read_bag(run.folder / scene, '/image/compressed')
    }
    mean = round(np.mean(list(sizes.values())))
    manual = {state.camera: state.manual_exposure_possible for _, state in read_bag(run.folder / 'region', '/state')}
    looks, names = [], {}
    for _, array in sorted(read_bag(run.folder / 'region', '/tracks'), key=lambda entry: entry[0]):
        preset, at_ns = array.preset, time_to_ns(array.header.stamp)
        seen = run.seen(preset.camera, preset.scene, at_ns)
        tracks = tuple(facts_of(run, array))
        for track in tracks:
            if track.object_id:
                names[preset.camera, preset.session, track.track_id] = track.object_id
        worth = {one.walker: value_of(one) for one in seen}
        shown = {track.track_id: nearest_walker(track.box[:2], seen) for track in tracks}
        looks.append(
            Look(
                preset.camera,
                preset.slot,
                FrameFacts(
                    at_ns,
                    preset.session,
                    preset.sequence,
                    time_to_ns(preset.switch_start),
                    (array.width, array.height),
                    preset.exposure_mode == preset.EXPOSURE_MANUAL,
                    manual.get(preset.camera, False),
                ),
                tracks,
                sizes.get((preset.scene, at_ns), mean) + _DOCUMENT + _TRACK * len(tracks),
                {track_id: (walker, worth[walker]) for track_id, walker in shown.items() if walker is not None},
                worth,
            )
        )
    return Watched(tuple(looks), sum(sizes.values()), names)


def facts_of(run: Run, array) -> Iterator[TrackFacts]:  # type: ignore[no-untyped-def]
    """The tracks of a message as a selection is told of them."""
    camera = run.site.cameras[array.preset.camera].mounting
    found = [one.detection for one in array.tracks]
    boxes = [(one.center_x, one.center_y, one.width, one.height) for one in found]
    hidden = hidden_shares(np.array(boxes, float)) if boxes else ()
    for track, box, share in zip(array.tracks, boxes, hidden, strict=True):
        placed = camera is not None and track.has_heading and track.has_ground
        yield TrackFacts(
            track.track_id,
            track.object_id,
            track.detection.class_name,
            track.observations,
            track.source == track.SOURCE_DETECTED,
            box,
            track.detection.orientation,
            track.detection.score,
            None,
            frontality(track.heading, (track.ground.x, track.ground.y), camera) if placed else None,
            float(share),
        )


def replayed(run: Watched, settings: SelectionSettings) -> list[tuple[Look, Choice]]:
    """What would have been sent."""
    selections = {camera: make_selection(settings) for camera in sorted({look.camera for look in run.looks})}
    looks: dict[tuple[str, FrameKey], Look] = {}
    newest: dict[str, FrameFacts] = {}
    sent: list[tuple[Look, Choice]] = []

    def end(camera: str) -> None:
        selection, session = selections[camera], newest[camera].session
        late = {track_id: run.names.get((camera, session, track_id), '') for track_id in selection.nameless}
        sent.extend((looks[camera, choice.frame], choice) for choice in selection.end_segment(late).choices)

    for look in run.looks:
        camera, before = look.camera, newest.get(look.camera)
        if before is not None and before.segment != look.frame.segment:
            end(camera)
        newest[camera] = look.frame
        looks[camera, look.frame.key] = look
        choices = selections[camera].look(look.frame, look.tracks).choices
        sent.extend((looks[camera, choice.frame], choice) for choice in choices)
    for camera in newest:
        end(camera)
    return sent


def ratios(run: Watched, sent: Sequence[tuple[Look, Choice]]) -> tuple[list[float], list[float]]:
    """Of each stay of those who were chosen in it, as best_frames.py says: by the frames chosen for them, and by all that were sent."""
    best: dict[Stay, float] = defaultdict(float)
    chosen: dict[Stay, float] = defaultdict(float)
    there: dict[Stay, float] = defaultdict(float)
    for look in run.looks:
        for walker, value in look.worth.items():
            best[look.camera, look.slot, walker] = max(best[look.camera, look.slot, walker], value)
    for look, choice in sent:
        for track_id, (walker, value) in look.shown.items():
            stay = (look.camera, look.slot, walker)
            there[stay] = max(there[stay], value)
            if track_id in choice.track_ids:
                chosen[stay] = max(chosen[stay], value)
    stays = [stay for stay in chosen if best[stay]]
    return [chosen[stay] / best[stay] for stay in stays], [there[stay] / best[stay] for stay in stays]


if __name__ == '__main__':
    main()
