# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of `ptz-collab models`: detection models and their training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collab_bringup.terminal import console

if TYPE_CHECKING:
    from collab_bringup.cli import Commands

_PROVIDERS = ('auto', 'cpu', 'cuda', 'tensorrt', 'openvino')


def add_model_commands(commands: Commands) -> None:
    """Adds the command with its own commands."""
    models = commands.add_parser('models', help='detection models: check, train, export, quantise, evaluate')
    of_models = models.add_subparsers(title='commands', required=True, metavar='COMMAND')
    _add_check(of_models)
    _add_train(of_models)
    _add_export(of_models)
    _add_quantise(of_models)
    _add_evaluate(of_models)


def _add_check(commands: Commands) -> None:
    text = 'say what is understood of a detection model, and draw what it finds in a picture'
    check = _command(commands, 'check', text)
    check.add_argument('model', type=Path, metavar='FILE', help='ONNX model')
    check.add_argument('--picture', type=Path, metavar='FILE', help='JPEG or PNG to try it on')
    check.add_argument(
        '--out', type=Path, default=Path('checked.jpg'), metavar='FILE', help='what it found (default: checked.jpg)'
    )
    check.add_argument('--layout', default='auto', help='of its outputs, as perception.layout (default: auto)')
    check.add_argument('--names', type=Path, metavar='FILE', help='class names (default: as the model says)')
    check.add_argument('--score', type=float, default=0.3, metavar='S', help='least score (default: 0.3)')
    check.add_argument('--provider', default='auto', choices=_PROVIDERS, help='default: auto')
    check.add_argument('--tile', type=int, default=0, metavar='PX', help='look at tiles of this side as well (default: none)')
    check.set_defaults(run=_check)


def _add_train(commands: Commands) -> None:
    text = 'train a network on a data set; needs PyTorch (make train-env)'
    train = _command(commands, 'train', text)
    train.add_argument('network', choices=['cascade', 'jde', 'facing'], help='which one (docs/models.md)')
    train.add_argument('--data', type=Path, required=True, metavar='DIR', help='data set with the splits train and val')
    train.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder of checkpoints and log')
    train.add_argument('--recipe', type=Path, metavar='FILE', help='YAML file of settings (default: the small network)')
    train.add_argument('--iterations', type=int, metavar='N', help="to train (default: the recipe's)")
    train.add_argument('--device', choices=['auto', 'cpu', 'cuda'], help="default: the recipe's")
    train.add_argument('--threads', type=int, metavar='N', help="of the processor (default: the recipe's)")
    train.add_argument('--resume', action='store_true', help='go on with the training in DIR')
    train.set_defaults(run=_train)


def _add_export(commands: Commands) -> None:
    text = 'make an ONNX model of a training; needs PyTorch (make train-env)'
    export = _command(commands, 'export', text)
    export.add_argument(
        'checkpoint', type=Path, metavar='DIR|FILE', help='folder of a training (its best checkpoint), or a checkpoint'
    )
    export.add_argument('--out', type=Path, required=True, metavar='FILE', help='ONNX model')
    export.set_defaults(run=_export)


def _add_quantise(commands: Commands) -> None:
    text = 'make a model int8: smaller, and faster on newer processors; needs make train-env'
    quantise = _command(commands, 'quantise', text)
    quantise.add_argument('model', type=Path, metavar='FILE', help='ONNX model of pictures')
    quantise.add_argument(
        '--data', type=Path, required=True, metavar='DIR', help='data set with the split val, which scales are found on'
    )
    quantise.add_argument('--out', type=Path, required=True, metavar='FILE', help='ONNX model')
    quantise.add_argument('--width', type=int, default=640, metavar='PX', help='as perception.width (default: 640)')
    quantise.set_defaults(run=_quantise)


def _add_evaluate(commands: Commands) -> None:
    text = 'measure a detector on a data set: average precision, small objects, pixels and time'
    evaluate = _command(commands, 'evaluate', text)
    evaluate.add_argument('model', metavar='FILE', help='ONNX model, hog, or cascade for the one that comes with perception')
    evaluate.add_argument('--data', type=Path, required=True, metavar='DIR', help='data set')
    evaluate.add_argument('--split', default='test', metavar='NAME', help='of the data set (default: test)')
    evaluate.add_argument('--classes', nargs='+', default=['person'], metavar='NAME', help='what counts (default: person)')
    evaluate.add_argument('--most', type=int, default=0, metavar='N', help='pictures, evenly chosen (default: all)')
    evaluate.add_argument('--width', type=int, default=640, metavar='PX', help='as perception.width (default: 640)')
    evaluate.add_argument(
        '--second-look', type=float, default=0.25, metavar='S', help='as perception.second_look (default: 0.25)'
    )
    evaluate.add_argument('--tile', type=int, default=0, metavar='PX', help='as perception.tile (default: none)')
    evaluate.add_argument('--provider', default='auto', choices=_PROVIDERS, help='default: auto')
    evaluate.set_defaults(run=_evaluate)


def _command(commands: Commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + '.')


# The commands import what they need themselves, so that --help answers at once.


def _check(arguments: argparse.Namespace) -> int:
    from collab_bringup import models

    return models.check(models.ModelCheck(**_given(arguments)), console())


def _train(arguments: argparse.Namespace) -> int:
    from collab_bringup import model_training

    return model_training.train(model_training.TrainRequest(**_given(arguments)), console())


def _export(arguments: argparse.Namespace) -> int:
    from collab_bringup import model_training

    return model_training.export(arguments.checkpoint, arguments.out, console())


def _quantise(arguments: argparse.Namespace) -> int:
    from collab_bringup import model_training

    return model_training.quantise(arguments.model, arguments.data, arguments.width, arguments.out, console())


def _evaluate(arguments: argparse.Namespace) -> int:
    from collab_bringup import model_evaluation

    return model_evaluation.evaluate(model_evaluation.EvaluateRequest(**_given(arguments)), console())


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(arguments).items() if name != 'run'}
