# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The command models check: what is understood of a detection model, and what it finds in a picture."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from ptz_node.images import Image, decode
from ptz_perception.annotate import draw_detections
from ptz_perception.detectors import make_detector
from ptz_site import UserError
from ptz_site.schema import PerceptionSettings

_ROUNDS = 5


@dataclass(frozen=True)
class ModelCheck:
    """What `models check` was told. picture None: the model is only described."""

    model: Path
    picture: Path | None
    out: Path
    layout: str = 'auto'
    names: Path | None = None
    score: float = 0.3
    provider: str = 'auto'
    tile: int = 0


def check(wanted: ModelCheck, console: Console) -> int:
    """Says what was understood; with a picture also what was found in it, and how long that took."""
    settings = {
        'detector': str(wanted.model.absolute()),
        'layout': wanted.layout,
        'names': str(wanted.names.absolute()) if wanted.names is not None else '',
        'score': wanted.score,
        'provider': wanted.provider,
        'tile': wanted.tile,
        'classes': [],
    }
    try:
        detector = make_detector(PerceptionSettings.model_validate(settings), Path())
    except ValidationError as error:
        problem = error.errors()[0]
        raise UserError(f'{problem["loc"][0]}: {problem["input"]} found; {problem["msg"].lower()}') from None
    console.print(f'[bold]{wanted.model}[/]', highlight=False)
    console.print(detector.describe(), highlight=False, soft_wrap=True)
    if wanted.picture is None:
        return 0
    try:
        picture = decode(wanted.picture.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{wanted.picture} can't be read as a picture ({error}); give a JPEG or PNG") from None
    found = detector.detect(picture)
    begin = time.perf_counter()
    for _ in range(_ROUNDS):
        detector.detect(picture)
    milliseconds = 1000 * (time.perf_counter() - begin) / _ROUNDS
    table = Table()
    for heading in ('class', 'score', 'centre', 'size'):
        table.add_column(heading)
    for name, score, (x, y, width, height) in zip(found.classes, found.scores, found.boxes.tolist(), strict=True):
        table.add_row(name, f'{score:.2f}', f'{x:.0f}, {y:.0f}', f'{width:.0f} x {height:.0f}')
    console.print(table if len(found) else f'nothing found with a score of at least {wanted.score:g}')
    if not _write(wanted.out, draw_detections(picture, found)):
        raise UserError(f"{wanted.out} can't be written; give another --out, ending in .jpg or .png")
    console.print(f'{milliseconds:.0f} ms for this picture on one core; look at {wanted.out}', highlight=False, soft_wrap=True)
    return 0


def _write(path: Path, picture: Image) -> bool:
    try:
        return bool(cv2.imwrite(str(path), picture))
    except cv2.error:  # an ending that stands for no picture
        return False
