# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What choosing the best frames costs, how near it comes to the best ones, and how much less is sent: python benchmarks/selection.py

The world and its truth are the simulator's. Detections are made from the truth, with misses, noise in boxes and scores, and false alarms;
tracks, places and headings from them by what the product uses. Objects' ids come late, and some tracks are not recognised again.

stay: within one stay, objects' ids unknown, the value by the truth of the frame that was chosen last, divided by that of the best frame.
so far: the same with objects' ids, over all stays of a person before this camera.
without: stays of 3 s and more in view after which no frame was chosen for somebody: the tracker had taken them for somebody else.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from report.figures import Figure, Stopwatch, write_outcome
from rich.console import Console
from rich.table import Table

from ptz_perception.detections import Detections
from ptz_perception.locating.ground import locate
from ptz_perception.locating.movement import Movements
from ptz_perception.pipeline import SeenObject
from ptz_perception.selection import Choice, FrameFacts, FrameKey, Selection, TrackFacts, make_selection
from ptz_perception.selection.observed import track_facts
from ptz_perception.selection.sharpness import sharpness
from ptz_perception.tracking.byte_tracker import ByteTracker, TrackerSettings
from ptz_sim.truth import WalkerTruth, truth
from ptz_sim.world import World
from ptz_site import Site, load_site, turn_time
from ptz_site.geometry import Projection
from ptz_site.schema import SelectionSettings

S = 1_000_000_000
SELECTIONS = ('rules', 'quality')
#: Frames/s that all frames are sent at, and s that a camera needs to stand still after a turn.
ALL, SETTLE = 10, 0.3
#: Share of visible people who are detected; false alarms for each frame; s until an object's id is known.
RECALL, FALSE_ALARMS, ID_DELAY = 0.9, 0.02, 0.4
#: s that the region remembers an object unseen.
REGION_MEMORY = 60.0
#: s that the exposure is automatic, in each minute; and what both exposures blur: shutter times in s.
AUTOMATIC, SHUTTER_AUTO, SHUTTER_MANUAL = 3.0, 1 / 60, 0.004


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('site', nargs='?', default='src/collab_bringup/config/demo.yaml')
    parser.add_argument('--seconds', type=int, default=300)
    parser.add_argument('--rates', type=float, nargs='*', default=[10.0, 4.0, 1.0], help='frames/s looked at')
    parser.add_argument('--unrecognised', type=float, nargs='*', default=[0.0, 0.05], help='share of tracks')
    parser.add_argument('--dwells', type=float, nargs='*', default=[5.0, 10.0], help='s')
    parser.add_argument('--quick', action='store_true', help='one dwell, one rate, 40 s')
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds, arguments.rates, arguments.dwells, arguments.unrecognised = 40, [4.0], [5.0], [0.05]
    watch_, told = Stopwatch(), []
    cv2.setNumThreads(1)
    told += print_costs()
    site = load_site(arguments.site)
    table = Table(title='Best frames against the truth', title_justify='left')
    headings = 'dwell, looked at, not recognised, selection, sent, of, times fewer, at once, stay: of the best, 10 %'
    for heading in (*headings.split(', '), 'so far: of the best', '10 %', '3 s in view', 'without'):
        table.add_column(heading)
    for dwell in arguments.dwells:
        for rate in arguments.rates:
            looks = watch(site, dwell, rate, arguments.seconds)
            for share in arguments.unrecognised:
                for name in SELECTIONS:
                    figures = list(judge(site, looks, name, share, rate, arguments.seconds))
                    table.add_row(f'{dwell:g} s', f'{rate:g}/s', f'{share:.0%}', name, *figures)
                    told += figures_of(f'{name}, dwell {dwell:g} s, {rate:g}/s looked at, {share:.0%} not recognised', figures)
    Console(width=170).print(table)
    summary = 'What choosing the best frames costs, and how near they come to the best by the truth; detections are made from the truth.'
    write_outcome('selection', watch_.outcome('Selection of best frames', summary, told, quick=arguments.quick))


def figures_of(case: str, cells: Sequence[str]) -> list[Figure]:
    """For the report: what judge() says of a case."""
    return [
        Figure(f'frames that are there over frames sent: {case}', float(cells[2]), 'times'),
        Figure(f'worth of the chosen frame, of the best one of the stay, median: {case}', float(cells[4])),
    ]


# What is seen


@dataclass(frozen=True)
class Look:
    """One frame of one camera. shown: walker, value by the truth, of all who can be seen; owners: whom each track shows, -1: nobody."""

    camera: str
    frame: FrameFacts
    tracks: tuple[TrackFacts, ...]
    owners: dict[int, int]
    shown: dict[int, float]


@dataclass
class Watcher:
    """A camera with its tracker."""

    site: Site
    name: str
    rng: np.random.Generator
    segment: int = -1
    owners: dict[int, int] = field(default_factory=dict)

    def look(self, frame: FrameFacts, seen: tuple[WalkerTruth, ...], view: Projection, rested: float) -> Look:
        """One frame. rested: s since the camera stood still."""
        if frame.switch_start_ns != self.segment:
            self.segment, self.owners = frame.switch_start_ns, {}
            self.tracker, self.movements = ByteTracker(TrackerSettings(), frame.sequence * 100 + 1), Movements()
        visible = [one for one in seen if one.completeness > 0.3 and one.occluded < 0.5 and one.box[3] >= 40]
        found = [one for one in visible if self.rng.uniform() < RECALL]
        detections = self._detections(found, frame.size)
        objects = []
        tracks = self.tracker.update(detections, frame.stamp_ns)
        self.movements.keep(set(map(int, tracks.ids)))
        for track in tracks:
            if track.detection is not None:
                self.owners[track.track_id] = found[track.detection].walker if track.detection < len(found) else -1
            point = locate(view, track.box, frame.size, 1.7) if track.detection is not None else None
            movement = self.movements.take(track.track_id, point, frame.stamp_ns)
            objects.append(SeenObject(track, point, movement, None if movement is None else movement.heading(0.4)))
        facts = track_facts(objects, lambda _: '', None, self.site.cameras[self.name].mounting)
        blurs = {one.walker: blur(one, frame, view, rested) for one in visible}
        measured = [
            replace(one, sharpness=self._measured(blurs.get(self.owners.get(one.track_id, -1), 0.0)) if one.detected else None)
            for one in facts
        ]
        shown = {one.walker: true_value(one, blurs[one.walker]) for one in visible}
        return Look(self.name, frame, tuple(measured), dict(self.owners), shown)

    def _measured(self, share: float) -> float:
        return float(np.clip(sharp(share) * self.rng.normal(1.0, 0.07), 0.0, 1.0))

    def _detections(self, found: list[WalkerTruth], size: tuple[int, int]) -> Detections:
        boxes, scores = [], []
        for one in found:
            x, y, width, height = one.box
            noise = self.rng.normal(0, 1, 4) * (0.02, 0.02, 0.05, 0.03) * height
            low = np.clip((x - width / 2 + noise[0], y - height / 2 + noise[1]), 0, size)
            high = np.clip((x + width / 2 + noise[0] + noise[2], y + height / 2 + noise[1] + noise[3]), 0, size)
            boxes.append((*(low + high) / 2, *np.maximum(high - low, 1.0)))
            sure = 0.55 + 0.4 * (1 - math.exp(-height / 80)) * (1 - one.occluded) * one.completeness
            scores.append(float(np.clip(sure + self.rng.normal(0, 0.07), 0.2, 0.99)))
        if self.rng.uniform() < FALSE_ALARMS:
            boxes.append((*self.rng.uniform((50, 100), (size[0] - 50, size[1] - 100)), 50.0, 120.0))
            scores.append(float(self.rng.uniform(0.5, 0.8)))
        columns = np.array(boxes, float).reshape(-1, 4)
        return Detections.of(columns, np.array(scores), np.zeros(len(scores), np.int64), ('person',))


def blur(one: WalkerTruth, frame: FrameFacts, view: Projection, rested: float) -> float:
    """Share of somebody's height over which they are blurred: by walking while the shutter is open, and by the camera that still swings."""
    shutter = SHUTTER_MANUAL if frame.exposure_manual else SHUTTER_AUTO
    pixels = one.speed * shutter * float(view.k[0, 0]) / max(one.distance, 1.0)
    return pixels / one.box[3] + 0.04 * math.exp(-rested / 0.4)


def sharp(share: float) -> float:
    """Sharpness, 0 to 1, by the truth: half is lost where a thirtieth of the height is blurred."""
    return 1.0 / (1.0 + 30.0 * share)


def true_value(one: WalkerTruth, share: float) -> float:
    """Size times frontality times sharpness; the size is that of the part which is seen."""
    size = one.box[3] * one.completeness * (1.0 - one.occluded)
    return size * (1.0 + math.cos(one.facing)) / 2.0 * sharp(share)


def watch(site: Site, dwell: float, rate: float, seconds: int) -> list[Look]:
    """All frames that are looked at, in the order of their times."""
    world = World.of_site(site)
    scenes = list(site.scenes)
    names = list(site.cameras)
    watchers = {name: Watcher(site, name, np.random.default_rng([7, index])) for index, name in enumerate(names)}
    looks = []
    for step in range(round(seconds * rate)):
        now = step / rate + 0.05
        slot = int(now // dwell)
        for index, name in enumerate(names):
            camera = site.cameras[name]
            goal = site.preset(name, scenes[(slot + index) % len(scenes)])
            before = site.preset(name, scenes[(slot + index - 1) % len(scenes)])
            assert goal is not None and before is not None
            rested = now - slot * dwell - turn_time(before, goal, camera.slew) - SETTLE
            view = camera.projection(goal)
            if rested < 0 or view is None:
                continue
            frame = FrameFacts(
                round(now * S) + S,
                1,
                step + 1,
                round(slot * dwell * S) + 1,
                camera.resolution,
                exposure_manual=now % 60 > AUTOMATIC,
                manual_possible=True,
            )
            looks.append(watchers[name].look(frame, truth(world, view, camera.resolution, now + 100.0), view, rested))
    return looks


# Who is who


class Names:
    """Ids of objects, as the region gives them: after the second detection, a little later, not always the right ones."""

    def __init__(self, unrecognised: float) -> None:
        self._unrecognised = unrecognised
        self._rng = np.random.default_rng(11)
        self._known: dict[tuple[str, int], tuple[str, float, int]] = {}
        self._seen: dict[int, tuple[str, float]] = {}
        self._count = 0

    def take(self, look: Look) -> None:
        """A frame's tracks become known."""
        now = look.frame.stamp_ns / S
        for track in look.tracks:
            walker = look.owners.get(track.track_id, -1)
            if not track.detected or walker < 0 or track.observations < 2:
                continue
            key = (look.camera, track.track_id)
            if key not in self._known:
                name, seen = self._seen.get(walker, ('', -REGION_MEMORY))
                if now - seen > REGION_MEMORY or self._rng.uniform() < self._unrecognised:
                    self._count += 1
                    name = f'object-{self._count}'
                self._known[key] = (name, now + ID_DELAY, walker)
            name, _, first = self._known[key]
            # A track that went over to somebody else says nothing of where they were.
            if first == walker:
                self._seen[walker] = (name, now)

    def of(self, camera: str, track_id: int, now: float) -> str:
        """A track's object at a time, empty if it is not known yet."""
        name, since, _ = self._known.get((camera, track_id), ('', math.inf, -1))
        return name if now >= since else ''


# What is sent


@dataclass
class Tally:
    """By camera and walker: the value of the newest frame that was chosen for them, and of the best one that there was."""

    sent: int = 0
    at_once: int = 0
    chosen: dict[tuple[str, int], float] = field(default_factory=dict)
    best: dict[tuple[str, int], float] = field(default_factory=dict)
    looks: dict[tuple[str, FrameKey], Look] = field(default_factory=dict)

    def take(self, camera: str, choices: tuple[Choice, ...]) -> None:
        """What was chosen."""
        for choice in choices:
            self.sent += 1
            self.at_once += choice.urgency.value == 'immediate'
            look = self.looks[camera, choice.frame]
            for walker in {look.owners.get(track_id, -1) for track_id in choice.track_ids} & set(look.shown):
                self.chosen[camera, walker] = look.shown[walker]


def judge(site: Site, looks: list[Look], name: str, unrecognised: float, rate: float, seconds: int) -> Iterator[str]:
    """The figures of a selection: with objects; and how good the frames are within a stay, without them."""
    settings = SelectionSettings(selection=name)
    tally, ratios, in_view, without = run(site, looks, make_selections(site, settings), rate, Names(unrecognised))
    _, stays, _, _ = run(site, looks, make_selections(site, settings), rate, None)
    every = len(site.cameras) * ALL * seconds
    yield str(tally.sent)
    yield str(every)
    yield f'{every / max(1, tally.sent):.0f}'
    yield str(tally.at_once)
    for values in (stays, ratios):
        yield f'{np.median(values):.3f}'
        yield f'{np.percentile(values, 10):.2f}'
    yield str(in_view)
    yield str(without)


def make_selections(site: Site, settings: SelectionSettings) -> dict[str, Selection]:
    """One for each camera."""
    return {camera: make_selection(settings) for camera in site.cameras}


def run(
    site: Site, looks: list[Look], selections: dict[str, Selection], rate: float, names: Names | None
) -> tuple[Tally, list[float], int, int]:
    """A tally; the shares of the best that were chosen, at the end of every stay; stays of 3 s in view, and those without a frame."""
    tally = Tally()
    ratios: list[float] = []
    counts = [0, 0]
    stays: dict[str, list[Look]] = defaultdict(list)

    def end(camera: str, now: float) -> None:
        selection = selections[camera]
        late = {track_id: names.of(camera, track_id, now) for track_id in selection.nameless} if names else {}
        tally.take(camera, selection.end_segment(late).choices)
        frames = defaultdict(list)
        for look in stays.pop(camera):
            for walker, value in look.shown.items():
                frames[walker].append(value)
        for walker, values in frames.items():
            key = (camera, walker)
            tally.best[key] = max(values) if names is None else max(*values, tally.best.get(key, 0.0))
            enough = len(values) >= 3.0 * rate
            counts[0] += enough
            counts[1] += enough and key not in tally.chosen
            if enough or key in tally.chosen:
                ratios.append(tally.chosen.get(key, 0.0) / max(tally.best[key], 1e-9))
            if names is None:
                tally.chosen.pop(key, None)

    for look in looks:
        now = look.frame.stamp_ns / S
        camera = look.camera
        if stays[camera] and stays[camera][-1].frame.segment != look.frame.segment:
            end(camera, now)
        if names is not None:
            names.take(look)
        stays[camera].append(look)
        tally.looks[camera, look.frame.key] = look
        named = [replace(one, object_id=names.of(camera, one.track_id, now) if names else '') for one in look.tracks]
        tally.take(camera, selections[camera].look(look.frame, named).choices)
    for camera in site.cameras:
        if stays[camera]:
            end(camera, looks[-1].frame.stamp_ns / S)
    return tally, ratios, counts[0], counts[1]


# What it costs


def print_costs(tracks: int = 50, frames: int = 400) -> list[Figure]:
    """Processor time for one frame; returns the figures for the report."""
    told = []
    rng = np.random.default_rng(5)
    table = Table(title=f'{tracks} tracks in each frame, one core', title_justify='left')
    for heading in ('ms for each frame', 'median', '99 %'):
        table.add_column(heading)
    for name in SELECTIONS:
        spent = []
        selection = make_selection(SelectionSettings(selection=name))
        places = rng.uniform((60, 120), (1220, 600), (tracks, 2))
        for step in range(frames):
            places = np.clip(places + rng.normal(0, 5, places.shape), (40, 90), (1240, 630))
            facts = [crowd(rng, index, place, step) for index, place in enumerate(places.tolist())]
            frame = FrameFacts((step + 1) * S // 10, 1, step, step // 50 + 1, (1280, 720))
            begin = time.process_time()
            selection.look(frame, facts)
            spent.append(1000 * (time.process_time() - begin))
        table.add_row(name, f'{np.median(spent):.2f}', f'{np.percentile(spent, 99):.2f}')
        told.append(Figure(f'selection of a frame with {tracks} tracks, median ({name})', float(np.median(spent)), 'ms'))
    picture = np.asarray(cv2.blur(rng.integers(0, 255, (720, 1280, 3), np.uint8), (3, 3)), np.uint8)
    spent = []
    for _ in range(40):
        places = rng.uniform((60, 120), (1220, 600), (tracks, 2))
        begin = time.process_time()
        for x, y in places.tolist():
            sharpness(picture, (x, y, 55.0, 140.0))
        spent.append(1000 * (time.process_time() - begin))
    table.add_row('sharpness of all', f'{np.median(spent):.2f}', f'{np.percentile(spent, 99):.2f}')
    Console().print(table)
    return told


def crowd(rng: np.random.Generator, index: int, place: list[float], step: int) -> TrackFacts:
    """One of many."""
    height = float(rng.normal(140, 5))
    return TrackFacts(
        step // 50 * 1000 + index,
        f'object-{index}' if step % 50 > 10 else '',
        'person',
        step % 50 + 1,
        bool(rng.uniform() < 0.9),
        (place[0], place[1], 0.4 * height, height),
        0.0,
        float(rng.uniform(0.5, 0.95)),
        float(rng.uniform(0.5, 1.0)),
        float(rng.uniform(0.0, 1.0)),
        float(rng.uniform(0.0, 0.3)),
    )


if __name__ == '__main__':
    main()
