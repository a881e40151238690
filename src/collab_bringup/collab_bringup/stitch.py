# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command that makes scene sequences of recordings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import DownloadColumn
from rich.table import Table

from collab_bringup.terminal import console, progress_bar
from ptz_site import UserError, load_site
from ptz_site.schema import StitcherSettings

if TYPE_CHECKING:
    from collab_bringup.cli import Commands
    from ptz_stitcher.offline import Stitched
    from ptz_stitcher.retouch import RetouchSettings


def add_stitch_command(commands: Commands) -> None:
    """Adds the command."""
    text = 'make the sequences of scenes from recordings (docs/recording.md)'
    stitch = commands.add_parser('stitch', help=text, description=text[0].upper() + text[1:] + '.')
    what = 'rosbag2 bag (MCAP or sqlite3), folder of a run, or video of a camera with marks in its pictures; any mix'
    stitch.add_argument('inputs', type=Path, nargs='+', metavar='INPUT', help=what)
    stitch.add_argument('--out', type=Path, required=True, metavar='DIR', help='where they go; new or empty')
    stitch.add_argument('--by', default='marks', choices=['marks'], help='what tells segments apart (default: marks)')
    stitch.add_argument('--cut', choices=['arrived', 'switch_start'], help='default: as the site says, or arrived')
    stitch.add_argument('--site', type=Path, metavar='SITE', help='site file of the region: what to write, where scenes are')
    stitch.add_argument('--no-bags', action='store_true', help='write videos only')
    stitch.add_argument('--no-videos', action='store_true', help='write bags only')
    hidden = 'who is hidden in videos and pictures, which then are decoded and encoded; others: all but targets (default: as the site says)'
    stitch.add_argument('--redact', choices=['none', 'everybody', 'others'], help=hidden)
    stitch.add_argument('--redact-by', choices=['pixelate', 'blur'], help='default: as the site says, or pixelate')
    marks = 'burn in the marks of targets, at the same price (default: as the site says)'
    stitch.add_argument('--draw-targets', action=argparse.BooleanOptionalAction, default=None, help=marks)
    minutes = 'begin new files after so long, named by their time; 0: never (default: as the site says, or never)'
    stitch.add_argument('--file-minutes', type=_minutes, metavar='MINUTES', help=minutes)
    stitch.set_defaults(run=_stitch)


def _stitch(arguments: argparse.Namespace) -> int:
    from ptz_stitcher.offline import StitchRequest
    from ptz_stitcher.segments import Cut

    if arguments.no_bags and arguments.no_videos:
        raise UserError('--no-bags and --no-videos: nothing is left to write; give one of them')
    site = load_site(arguments.site, None) if arguments.site else None
    request = StitchRequest(
        inputs=tuple(arguments.inputs),
        out=arguments.out,
        cut=Cut(arguments.cut) if arguments.cut else None,
        site_path=arguments.site,
        site=site,
        bag=not arguments.no_bags,
        video=not arguments.no_videos,
        retouch=_retouch(arguments, site.stitcher if site is not None else StitcherSettings()),
        file_minutes=arguments.file_minutes,
    )
    from ptz_stitcher.offline import stitch

    terminal = console()
    with progress_bar(terminal, DownloadColumn(), counted=False) as bar:
        task = bar.add_task('stitching', total=None)
        stitched = stitch(request, lambda done, total: bar.update(task, completed=done, total=total))
    return _tell(stitched, arguments.out, terminal)


def _minutes(text: str) -> float:
    try:
        found = StitcherSettings(file_minutes=float(text)).file_minutes
    except ValueError:  # pydantic's are too
        raise argparse.ArgumentTypeError(f'{text!r} is not a number of minutes, 0 or more') from None
    return found


def _retouch(arguments: argparse.Namespace, wish: StitcherSettings) -> RetouchSettings:
    """As the site says, but for what the command says."""
    from ptz_stitcher.frames import retouch_settings

    said = {'redact': arguments.redact, 'redact_by': arguments.redact_by, 'draw_targets': arguments.draw_targets}
    return retouch_settings(wish.model_copy(update={key: value for key, value in said.items() if value is not None}))


def _tell(stitched: Stitched, out: Path, terminal: Console) -> int:
    """Says what came of it; 1 if a part could not be done."""
    for note in stitched.notes:
        terminal.print(escape(note), soft_wrap=True, highlight=False)
    for problem in stitched.problems:
        terminal.print(f'[red]not stitched:[/] {escape(problem)}', soft_wrap=True, highlight=False)
    if not stitched.has_plans or not _report(out, terminal):
        terminal.print(_table(stitched))
        for failure in stitched.failures:
            terminal.print(f'[red]not recorded:[/] {escape(failure)}', soft_wrap=True, highlight=False)
        terminal.print(f'look into [bold]{escape(str(out))}[/]', soft_wrap=True)
    return 1 if stitched.problems or stitched.failures else 0


def _report(out: Path, terminal: Console) -> bool:
    """Makes the report as after a live run; False if the recordings do not tell enough for it."""
    from collab_bringup.up import display_summary

    try:
        display_summary(out, terminal)
    except UserError as error:
        terminal.print(f'no report: {escape(str(error))}', soft_wrap=True, highlight=False)
        return False
    return True


def _table(stitched: Stitched) -> Table:
    table = Table(title=f'Region {stitched.summary.region}: what was stitched', title_justify='left')
    for heading in ('scene', 'frames', 'segments', 'came twice', 'came too late'):
        table.add_column(heading)
    for scene in stitched.summary.scenes:
        table.add_row(scene.scene, str(scene.frames), str(scene.segments), str(scene.doubled), str(scene.late))
    return table
