# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Small data sets in the formats of others, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = (64, 48)


def picture(path: Path, seed: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """A picture of noise; another seed gives another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8))
    return path


def annotation(key: int, image: int = 1, box: Sequence[float] = (10, 20, 5, 8), category: int = 1, **more: Any) -> dict[str, Any]:
    return {
        'id': key,
        'image_id': image,
        'category_id': category,
        'bbox': list(box),
        'area': box[2] * box[3],
        'iscrowd': 0,
        **more,
    }


def image(key: int, **more: Any) -> dict[str, Any]:
    return {'id': key, 'file_name': f'{key}.jpg', 'width': SIZE[0], 'height': SIZE[1], **more}


def coco(
    folder: Path, annotations: Iterable[dict[str, Any]] = (), images: Iterable[dict[str, Any]] | None = None, **more: Any
) -> Path:
    """A split with its pictures; two pictures if not told otherwise."""
    images = [image(1), image(2)] if images is None else list(images)
    for number, entry in enumerate(images):
        picture(folder / 'images' / entry['file_name'], hash(str(folder)) % 1000 * 100 + number)
    categories = [{'id': 1, 'name': 'person'}, {'id': 7, 'name': 'vehicle'}]
    document = {'images': images, 'annotations': list(annotations), 'categories': categories, **more}
    (folder / 'annotations.json').write_text(json.dumps(document))
    return folder


def mot(folder: Path, rows: Iterable[str], frames: Iterable[int] = (1, 2, 3), length: int | None = 3, **more: Any) -> Path:
    """A sequence."""
    for frame in frames:
        picture(folder / 'img1' / f'{frame:06d}.jpg', frame)
    said = {'imWidth': SIZE[0], 'imHeight': SIZE[1], 'frameRate': 5, 'imDir': 'img1', **more}
    if length is not None:
        said['seqLength'] = length
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'seqinfo.ini').write_text('[Sequence]\n' + ''.join(f'{key}={value}\n' for key, value in said.items()))
    (folder / 'gt').mkdir()
    (folder / 'gt' / 'gt.txt').write_text('\n'.join(rows))
    return folder


def yolo(
    folder: Path, labels: dict[str, str], names: str = '[person, vehicle]', splits: Sequence[str] = ('train', 'val')
) -> Path:
    """One whose labels are by split and picture: {'train/1': '0 0.5 0.5 0.1 0.2'}."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'data.yaml').write_text(f'names: {names}\n' + ''.join(f'{split}: images/{split}\n' for split in splits))
    for number, (name, text) in enumerate(labels.items()):
        picture(folder / 'images' / f'{name}.jpg', number)
        file = folder / 'labels' / f'{name}.txt'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
