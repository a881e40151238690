# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Writes report.html and report.json of a run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from ptz_site import NANOSECONDS, DwellSuggestion, UserError, suggest_dwell
from ptz_stitcher.report.heat import heat_plans
from ptz_stitcher.report.html import Thumbnail, render, segment_pictures
from ptz_stitcher.report.measures import RunMeasures, measure
from ptz_stitcher.report.read import RegionRecord, is_redacted, read_heats, read_pictures, read_region
from ptz_stitcher.storage.names import parts_of
from ptz_stitcher.summary import RecordingSummary, read_summary


@dataclass(frozen=True)
class ReportSummary:
    """What the report says, for a terminal. failures: what could not be recorded; warnings: all that somebody should know."""

    region: str
    run: RunMeasures
    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    stays: str = ''

    def table(self) -> Table:
        """A row for each scene."""
        table = Table(title=f'Region {self.region}: what was recorded', title_justify='left')
        for heading in ('scene', 'a camera on it', 'standing still', 'views', 'segments'):
            table.add_column(heading)
        for scene in self.run.scenes:
            table.add_row(
                scene.scene,
                f'{100 * scene.assigned:.1f} %',
                f'{100 * scene.watched:.1f} %',
                f'{len(scene.views)}: {", ".join(scene.views)}',
                str(scene.segments),
            )
        table.caption = f'switches at most {self.run.widest_spread_ns / 1e6:.1f} ms apart{self.stays and chr(10) + self.stays}'
        return table


def write_report(out: Path) -> ReportSummary:
    """Makes the report from the files of a run. Raises UserError if they are not there."""
    record = read_region(out)
    summary, warnings = _summary(out)
    scenes = _scenes(record, summary)
    run = measure(record.headers, scenes, record.rotation)
    pictures: dict[str, list[Thumbnail]] = {}
    for scene in scenes:
        try:
            bags = parts_of(out, scene, record.region)
            # Bags are clear; the report goes wherever the videos do.
            shown = [] if any(is_redacted(bag) for bag in bags) else bags
            pictures[scene] = segment_pictures(read_pictures(shown), run.begin_ns) if shown else []
        except UserError as error:
            warnings.append(str(error))
            pictures[scene] = []
    failures = _failures(summary)
    # The log may have gaps where there was no room for it; who received the frames knows better.
    lost = sum(summary.lost_frames.values()) if summary is not None else sum(camera.lost for camera in run.cameras)
    if lost:
        warnings.append(f'{lost} frames were lost on the way to the recording')
    suggestion = suggest_dwell(
        record.stays, record.slots_per_cycle, max((camera.longest_turn_ns for camera in run.cameras), default=0) / NANOSECONDS
    )
    stays = _stays_text(record, suggestion)
    polygons = {scene.scene: scene.polygon for scene in summary.scenes if scene.polygon} if summary is not None else {}
    heat = heat_plans(read_heats(out, polygons), polygons)
    page = render(record.region, run, summary, pictures, (*failures, *warnings), out, stays, heat)
    facts = {
        'region': record.region,
        **dataclasses.asdict(run),
        'widest_spread_ns': run.widest_spread_ns,
        'stays': {
            'watched_s': record.stays.watched,
            'ends': record.stays.ends,
            'median_s': record.stays.median,
            'suggested_dwell_s': suggestion.dwell if suggestion else None,
        },
        'warnings': [*failures, *warnings],
    }
    try:
        (out / 'report.html').write_text(page, encoding='utf-8')
        (out / 'report.json').write_text(json.dumps(facts, indent=2) + '\n', encoding='utf-8')
    except OSError as error:
        raise UserError(f'{out}/report.html: {error.strerror}; make room and run: ptz-collab report {out}') from None
    return ReportSummary(record.region, run, tuple(warnings), failures, stays)


def _stays_text(record: RegionRecord, suggestion: DwellSuggestion | None) -> str:
    if suggestion is None:
        return ''
    dwell = record.rotation.dwell_ns / NANOSECONDS
    why = 'as short as turns allow' if suggestion.limited else f'{record.slots_per_cycle} slots then fit into it'
    stay = f'half of the people stay for {suggestion.median:.0f} s or less'
    return f'{stay}: a dwell of {suggestion.dwell:g} s would suit ({why}); it is {dwell:g} s'


def _summary(out: Path) -> tuple[RecordingSummary | None, list[str]]:
    try:
        summary = read_summary(out / 'summary.json')
        again = 'the stitcher was killed and started again; frames and losses are counted from then on'
        return summary, [again] if summary.resumed else []
    except (OSError, ValueError):
        return None, ['the recording was cut short: summary.json is missing; the report tells what was written until then']


def _scenes(record: RegionRecord, summary: RecordingSummary | None) -> list[str]:
    if summary is not None:
        return [scene.scene for scene in summary.scenes]
    return sorted({header.scene for header in record.headers if header.scene})


def _failures(summary: RecordingSummary | None) -> tuple[str, ...]:
    if summary is None:
        return ()
    failures = [*summary.failures, *(failure for scene in summary.scenes for failure in scene.failures)]
    if summary.refused_frames:
        failures.append(f'{summary.refused_frames} frames were not recorded, because the disk was too slow')
    return tuple(failures)
