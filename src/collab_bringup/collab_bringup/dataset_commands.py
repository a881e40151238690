# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of `ptz-collab dataset`: data sets for training and testing models."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from collab_bringup.terminal import console

if TYPE_CHECKING:
    from collab_bringup.cli import Commands


def add_dataset_commands(commands: Commands) -> None:
    """Adds the command with its own commands."""
    dataset = commands.add_parser('dataset', help='data sets for models: simulate, check, collect')
    of_dataset = dataset.add_subparsers(title='commands', required=True, metavar='COMMAND')
    _add_simulate(of_dataset)
    _add_check(of_dataset)
    _add_collect(of_dataset)


def _add_simulate(commands: Commands) -> None:
    text = 'make labelled pictures, sequences and identities in simulated scenes (docs/datasets.md)'
    simulate = commands.add_parser('simulate', help=text, description=text[0].upper() + text[1:] + '.')
    simulate.add_argument('folder', type=Path, metavar='DIR', help='where the data set goes; new or empty')
    simulate.add_argument('--scenes', type=_count, default=60, metavar='N', help='different scenes (default: 60)')
    simulate.add_argument('--pictures', type=_count, default=60, metavar='N', help='of each scene and kind (default: 60)')
    simulate.add_argument(
        '--kinds',
        nargs='+',
        default=['detection', 'tracking', 'identities'],
        choices=['detection', 'tracking', 'identities'],
        help='default: all',
    )
    simulate.add_argument('--seed', type=int, default=1, metavar='S', help='another one gives other scenes (default: 1)')
    simulate.add_argument('--size', type=_size, default=(1280, 720), metavar='WxH', help='of the pictures (default: 1280x720)')
    simulate.add_argument(
        '--shares',
        nargs=3,
        type=float,
        default=[0.8, 0.1, 0.1],
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='shares of the scenes (default: 0.8 0.1 0.1)',
    )
    simulate.add_argument(
        '--conditions',
        nargs='+',
        default=[],
        metavar='WORD[,WORD]',
        help='only scenes with such keywords, for example summer,day winter,dusk (default: all sorts)',
    )
    simulate.add_argument(
        '--jobs', type=_count, default=os.cpu_count() or 1, metavar='N', help='processes at work (default: as many as cores)'
    )
    simulate.add_argument('--overwrite', action='store_true', help='replace a data set in DIR')
    simulate.set_defaults(run=_simulate)


def _add_check(commands: Commands) -> None:
    text = 'say what is in data sets, and everything that is wrong with them (docs/own-data.md)'
    check = commands.add_parser('check', help=text, description=text[0].upper() + text[1:] + '.')
    what = 'COCO (annotations.json), MOTChallenge (img1, gt/gt.txt), YOLO (data.yaml), or a folder that holds such'
    check.add_argument('paths', type=Path, nargs='+', metavar='DIR|FILE', help=what)
    check.add_argument('--format', choices=['coco', 'mot', 'yolo'], help='default: as its files say')
    check.add_argument('--all', action='store_true', help='show every fault, not only the first ones of each kind')
    check.set_defaults(run=_check)


def _add_collect(commands: Commands) -> None:
    text = 'gather training pictures of what example pictures show (docs/own-data.md)'
    collect = commands.add_parser('collect', help=text, description=text[0].upper() + text[1:] + '.')
    collect.add_argument(
        '--like', type=Path, nargs='+', required=True, metavar='PICTURE', help='that the object fills; PNG may be cut out'
    )
    collect.add_argument('--out', type=Path, required=True, metavar='DIR', help='where the data set (COCO) goes; new or empty')
    source = collect.add_mutually_exclusive_group(required=True)
    source.add_argument('--bag', type=Path, nargs='+', default=[], metavar='BAG', help='rosbag2 bags, or folders of runs')
    source.add_argument('--video', type=Path, nargs='+', default=[], metavar='FILE', help='videos that FFmpeg reads')
    source.add_argument('--region', nargs='?', const='', metavar='NAME', help='one that runs (default: the only one)')
    collect.add_argument('--class', dest='class_name', default='object', metavar='NAME', help='of the object (default: object)')
    collect.add_argument(
        '--features',
        default='sift',
        choices=['orb', 'akaze', 'sift'],
        help='sift finds what is seen smallest, orb takes half of its time, akaze a third (default: sift)',
    )
    collect.add_argument(
        '--least',
        type=_count,
        default=15,
        metavar='N',
        help='features that must match; fewer find more, also wrongly (default: 15)',
    )
    collect.add_argument(
        '--every',
        type=_seconds,
        default=0.5,
        metavar='S',
        help='seconds between two frames of a camera that are looked at (default: 0.5)',
    )
    collect.add_argument('--most', type=_count, default=500, metavar='N', help='pictures to keep (default: 500)')
    collect.add_argument('--duration', type=_seconds, metavar='S', help='of a region: how long (default: until Ctrl-C)')
    collect.add_argument('--overwrite', action='store_true', help='replace what was collected in DIR')
    collect.set_defaults(run=_collect)


def _simulate(arguments: argparse.Namespace) -> int:
    from collab_bringup.dataset_simulate import SimulateRequest, simulate
    from ptz_sim.dataset.pieces import Options

    train, val, test = arguments.shares
    options = Options(
        arguments.scenes,
        arguments.pictures,
        tuple(dict.fromkeys(arguments.kinds)),
        arguments.seed,
        arguments.size,
        (train, val, test),
        tuple(arguments.conditions),
    )
    request = SimulateRequest(arguments.folder, options, arguments.jobs, arguments.overwrite)
    return simulate(request, console())


def _check(arguments: argparse.Namespace) -> int:
    from collab_bringup.dataset_check import CheckRequest, check
    from ptz_perception.datasets import DataSetKind

    kind = DataSetKind(arguments.format) if arguments.format else None
    return check(CheckRequest(tuple(arguments.paths), kind, arguments.all), console())


def _collect(arguments: argparse.Namespace) -> int:
    from collab_bringup.dataset_collect import CollectRequest, collect
    from ptz_perception.datasets.likeness import Features

    request = CollectRequest(
        examples=tuple(arguments.like),
        out=arguments.out,
        bags=tuple(arguments.bag),
        videos=tuple(arguments.video),
        region=arguments.region,
        class_name=arguments.class_name,
        features=Features(arguments.features),
        least=arguments.least,
        every=arguments.every,
        most=arguments.most,
        seconds=arguments.duration,
        overwrite=arguments.overwrite,
    )
    return collect(request, console())


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError(f'{text} found; allowed: 1 to 1000000')
    return value


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal() and 160 <= int(width) <= 8192 and 120 <= int(height) <= 8192):
        raise argparse.ArgumentTypeError(f'{text} found; allowed: WIDTHxHEIGHT, from 160x120 on')
    return int(width), int(height)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.01 <= value <= 1e7:
        raise argparse.ArgumentTypeError(f'{text} found; allowed: 0.01 to 10000000')
    return value
