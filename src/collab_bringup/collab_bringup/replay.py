# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command that publishes a recording again."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from collab_bringup.terminal import console, progress_bar

if TYPE_CHECKING:
    from collab_bringup.cli import Commands

_AS_FAST_AS_POSSIBLE = 'max'


def add_replay_command(commands: Commands) -> None:
    """Adds the command."""
    text = 'publish a recording again, with its own times and /clock (docs/recording.md)'
    replay = commands.add_parser('replay', help=text, description=text[0].upper() + text[1:] + '.')
    replay.add_argument(
        'bags', type=Path, nargs='+', metavar='BAG', help='folder of a run, or rosbag2 bag (MCAP or sqlite3); any mix'
    )
    what = 'how much faster than it was, or max: as fast as its readers take it, and nothing is lost (default: 1)'
    replay.add_argument('--rate', type=_rate, default=1.0, metavar='R', help=what)
    replay.add_argument('--loop', action='store_true', help='again and again, until Ctrl-C')
    replay.add_argument('--scenes', nargs='+', metavar='SCENE', help='frames of these scenes only (default: all)')
    replay.add_argument('--region', default='', metavar='NAME', help='this region only (default: all that are recorded)')
    replay.add_argument('--without-perception', action='store_true', help='leave out what perception made: it looks again')
    replay.add_argument(
        '--wait-for', nargs='+', default=[], metavar='NODE', help='begin when these nodes read, as /yard/stitcher'
    )
    replay.add_argument('--patience', type=float, default=120.0, metavar='S', help='seconds to wait for them (default: 120)')
    replay.set_defaults(run=_replay)


def _rate(text: str) -> float | None:
    if text == _AS_FAST_AS_POSSIBLE:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f'{text} found; allowed: above 0, at most 1000, or {_AS_FAST_AS_POSSIBLE}')
    return value


def _replay(arguments: argparse.Namespace) -> int:
    from collab_bringup.replay_player import Played, Player
    from ptz_stitcher.replay import ReplayRequest, open_recording
    from ptz_stitcher.replay.topics import Choice

    scenes = frozenset(arguments.scenes) if arguments.scenes else None
    choice = Choice(arguments.region, scenes, arguments.without_perception)
    recording = open_recording(ReplayRequest(tuple(arguments.bags), choice))
    terminal = console()

    def say(text: str) -> None:
        terminal.print(escape(text), soft_wrap=True, highlight=False)

    with Player(recording.topics, recording.regions, arguments.rate, say) as player, progress_bar(terminal, counted=False) as bar:
        task = bar.add_task('waiting for readers', total=recording.total)
        if arguments.wait_for or arguments.rate is None:
            player.wait_for(arguments.wait_for, arguments.patience)
        else:
            player.settle()
        for run in itertools.count():
            bar.update(task, description=f'replaying, {run + 1}' if arguments.loop else 'replaying')
            base = player.played.messages

            def progress(played: Played, base: int = base) -> None:
                bar.update(task, completed=played.messages - base)

            player.play(recording.messages(), progress)
            if not arguments.loop:
                break
    for problem in recording.problems:
        terminal.print(f'[red]not replayed:[/] {escape(problem)}', soft_wrap=True, highlight=False)
    say(f'{player.played.frames} frames, {player.played.messages} messages were published')
    return 1 if recording.problems else 0
