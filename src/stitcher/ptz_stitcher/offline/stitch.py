# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Stitches recordings: inputs in, a folder as the live stitcher leaves it out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ptz_site import NANOSECONDS, UserError
from ptz_site.schema import StitcherSettings
from ptz_stitcher.frames import retouch_settings, sequence_settings
from ptz_stitcher.offline.bag_source import BagSource
from ptz_stitcher.offline.draft import Draft
from ptz_stitcher.offline.events import Source
from ptz_stitcher.offline.inputs import open_inputs
from ptz_stitcher.offline.merging import merged, streams_of
from ptz_stitcher.offline.region_writer import RegionSettings, RegionWriter
from ptz_stitcher.offline.request import StitchRequest
from ptz_stitcher.recording import RecordingError
from ptz_stitcher.retouch import RetouchSettings
from ptz_stitcher.segments import Cut
from ptz_stitcher.sequence_writer import SequenceSettings
from ptz_stitcher.storage import storage_limits
from ptz_stitcher.storage.limits import FileLimits
from ptz_stitcher.summary import RecordingSummary

#: Between two frames, where nothing says it.
_USUAL_PERIOD_NS = NANOSECONDS // 10
#: Of a region that nothing names.
_NO_NAME = 'region'
#: Bytes; with less room left a failed recording failed for want of it.
_NO_ROOM = 16_000_000


@dataclass(frozen=True)
class Stitched:
    """What came of it. problems: what could not be read; notes: what somebody should know; each is one line."""

    summary: RecordingSummary
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    has_plans: bool

    @property
    def failures(self) -> tuple[str, ...]:
        """What could not be written; each is one line."""
        return (*self.summary.failures, *(failure for scene in self.summary.scenes for failure in scene.failures))


@dataclass
class _Notes:
    """Collects what is to be said, and passes progress on."""

    progress: Callable[[int, int], None]
    total: int = 0
    done: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def read(self, size: int) -> None:
        self.done += size
        self.progress(min(self.done, self.total), self.total)


def stitch(request: StitchRequest, progress: Callable[[int, int], None]) -> Stitched:
    """Writes request.out. progress: is told bytes that are read and all bytes, now and then.

    Raises UserError if nothing can be done; nothing is written then.
    """
    book = _Notes(progress)
    wants_bag = request.bag and (request.site is None or request.site.stitcher.bag)
    with Draft(request.out) as draft:
        sources = open_inputs(request.inputs, wants_bag, book.problem)
        region = _region(request, sources)
        sources = _of_region(sources, region, book)
        if not sources:
            raise UserError('\n'.join([*book.problems, 'none of the inputs can be stitched']))
        settings = _settings(request, sources, region, draft.folder)
        book.notes += _cut_notes(sources, settings.cut)
        book.total = sum(source.size for source in sources)
        writer = _write(settings, sources, region, book)
        summary = _named(writer.close(), draft)
        if writer.misnamed:
            book.problem(f'{writer.misnamed} frames name no camera or scene as a site file may name it, and are left out')
        if writer.outside:
            book.note(f'{writer.outside} frames were taken outside the rotation and are left out')
        book.notes += _redaction_notes(summary, _retouch(request), wants_bag)
        stitched = Stitched(summary, tuple(book.problems), tuple(book.notes), settings.has_plans)
        _check(stitched, draft)
        summary.write(draft.folder / 'summary.json')
        draft.finish()
    return stitched


def _region(request: StitchRequest, sources: Iterable[Source]) -> str:
    if request.site is not None:
        return request.site.region.name
    return next((min(source.regions) for source in sources if source.regions), _NO_NAME)


def _of_region(sources: list[Source], region: str, book: _Notes) -> list[Source]:
    fitting = []
    for source in sources:
        if not source.regions or region in source.regions:
            fitting.append(source)
        else:
            names = ', '.join(sorted(source.regions))
            book.problem(f'{source.name}: is of region {names}, not of {region}; stitch one region at a time')
    return fitting


def _settings(request: StitchRequest, sources: list[Source], region: str, out: Path) -> RegionSettings:
    site, path = request.site, str(request.site_path.resolve()) if request.site_path else ''
    cut = request.cut or Cut((site.stitcher if site else StitcherSettings()).cut)
    if site is not None:
        of_site = partial(sequence_settings, site, path, out=out, cut=cut)

        def sequence(scene: str) -> SequenceSettings:
            wanted = of_site(scene)
            return replace(
                wanted,
                bag=wanted.bag and request.bag,
                video=wanted.video and request.video,
                durable=False,
                retouch=_retouch(request),
            )
    else:
        period = max((source.slowest_period_ns for source in sources), default=0) or _USUAL_PERIOD_NS
        reorder = round(StitcherSettings().reorder * NANOSECONDS)

        def sequence(scene: str) -> SequenceSettings:
            return SequenceSettings(
                region=region,
                scene=scene,
                site=path,
                out=out,
                cut=cut,
                reorder_ns=reorder,
                period_ns=period,
                bag=request.bag,
                video=request.video,
                durable=False,
                retouch=_retouch(request),
            )

    return RegionSettings(
        region=region,
        site=path,
        out=out,
        cut=cut,
        scenes=tuple(site.scenes) if site else (),
        polygons={scene: tuple(entry.polygon or ()) for scene, entry in site.scenes.items()} if site else {},
        has_plans=any(source.has_plans for source in sources),
        sequence=sequence,
        file_limits=_file_limits(request),
    )


def _file_limits(request: StitchRequest) -> FileLimits:
    if request.file_minutes is not None:
        return FileLimits(round(request.file_minutes * 60 * NANOSECONDS))
    return storage_limits(request.site.stitcher).file if request.site is not None else FileLimits()


def _cut_notes(sources: list[Source], cut: Cut) -> list[str]:
    """What can't be brought back."""
    return [
        f'{source.name}: was cut at {source.was_cut} when it was recorded; the turning is not in it'
        for source in sources
        if isinstance(source, BagSource) and source.was_cut == Cut.ARRIVED.value and cut is Cut.SWITCH_START
    ]


def _retouch(request: StitchRequest) -> RetouchSettings:
    return request.retouch or retouch_settings(request.site.stitcher if request.site else StitcherSettings())


def _redaction_notes(summary: RecordingSummary, retouch: RetouchSettings, with_bags: bool) -> list[str]:
    clear = ['bags hold the clear pictures; --no-bags leaves them out'] * (retouch.hides and with_bags)
    return clear + [
        f'{scene.scene}: {scene.wholly_hidden} of {scene.frames} pictures are hidden as a whole: no tracks tell in time who is in them'
        for scene in summary.scenes
        if scene.wholly_hidden
    ]


def _write(settings: RegionSettings, sources: list[Source], region: str, book: _Notes) -> RegionWriter:
    try:
        writer = RegionWriter(settings)
        for event in merged(streams_of(sources, region, book)):
            writer.take(event)
    except (RecordingError, OSError) as error:
        raise UserError(f'{error}; give another folder with --out') from None
    return writer


def _check(stitched: Stitched, draft: Draft) -> None:
    """Nothing is kept of what has no frame, or ended for want of room."""
    free = shutil.disk_usage(draft.folder).free
    if stitched.failures and free < _NO_ROOM:
        raise UserError(f'{draft.place}: no room ({free / 1e6:.0f} MB left); make some, or give another folder with --out')
    if not any(scene.frames for scene in stitched.summary.scenes):
        raise UserError('\n'.join([*stitched.problems, *stitched.notes, 'no frame is left to stitch; nothing was written']))


def _named(summary: RecordingSummary, draft: Draft) -> RecordingSummary:
    """Failures name files where they will be."""

    def moved(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.replace(str(draft.folder), str(draft.place)) for text in texts)

    scenes = tuple(replace(scene, failures=moved(scene.failures)) for scene in summary.scenes)
    return replace(summary, scenes=scenes, failures=moved(summary.failures))
