# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny data sets of people who can be told apart: two coloured blocks, shirt and trousers, on a ground; identities differ by colours."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

#: px, width and height of a person.
SIZE = (20, 44)


def colours(identity: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Of shirt and trousers, BGR."""
    drawn = np.random.default_rng(1000 + identity).integers(20, 236, 6).tolist()
    return tuple(drawn[:3]), tuple(drawn[3:])  # type: ignore[return-value]


def ground(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A picture of nobody."""
    coarse = rng.integers(90, 150, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def draw_person(picture: NDArray[np.uint8], identity: int, left: int, top: int) -> None:
    """A person into a picture."""
    shirt, trousers = colours(identity)
    middle = top + int(0.45 * SIZE[1])
    picture[top:middle, left : left + SIZE[0]] = shirt
    picture[middle : top + SIZE[1], left + 3 : left + SIZE[0] - 3] = trousers


def write_pictures(folder: Path, split: str, count: int, seed: int, keywords: tuple[str, ...] = ('summer',)) -> None:
    """COCO pictures of 128 x 96 px with up to three people, with a scene for each split."""
    rng = np.random.default_rng(seed)
    (folder / split / 'images').mkdir(parents=True)
    images, annotations = [], []
    for number in range(1, count + 1):
        picture = ground(rng, 128, 96)
        for column in rng.permutation(3)[: rng.integers(1, 4)].tolist():
            left, top = 6 + 40 * column + int(rng.integers(0, 14)), int(rng.integers(4, 48))
            draw_person(picture, int(rng.integers(50)), left, top)
            box = {'bbox': [left, top, *SIZE], 'area': SIZE[0] * SIZE[1], 'iscrowd': 0}
            annotations.append({'id': len(annotations) + 1, 'image_id': number, 'category_id': 1, **box})
        cv2.imwrite(str(folder / split / 'images' / f'{number:03}.jpg'), picture)
        images.append({'id': number, 'file_name': f'{number:03}.jpg', 'width': 128, 'height': 96, 'scene': f'{split}_scene'})
    content = {
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'person'}],
        'scenes': [{'name': f'{split}_scene', 'keywords': list(keywords), 'split': split}],
    }
    (folder / split / 'annotations.json').write_text(json.dumps(content))


def write_identities(folder: Path, split: str, first: int, count: int, keywords: tuple[str, ...] = ('summer',)) -> None:
    """Pictures of people: two from each of two cameras, of which one is darker. Without an index if there are no keywords."""
    entries = []
    for identity in range(first, first + count):
        rng = np.random.default_rng(identity)
        (folder / split / f'p{identity}').mkdir(parents=True)
        for camera, light in (('north', 1.0), ('south', 0.6)):
            for number in range(2):
                picture = ground(rng, 24, 48)
                draw_person(picture, identity, int(rng.integers(0, 5)), int(rng.integers(0, 5)))
                name = f'p{identity}/{camera}-{number}.png'
                cv2.imwrite(str(folder / split / name), (picture * light).astype(np.uint8))
                entries.append({'file': name, 'scene': f'{split}_yard', 'camera': camera, 'keywords': list(keywords)})
    if keywords:
        (folder / split / 'identities.json').write_text(json.dumps({'crops': entries}))


def write_sequence(folder: Path, split: str, name: str, frames: int) -> None:
    """A MOTChallenge sequence: two people walk past."""
    target = folder / split / name
    (target / 'img1').mkdir(parents=True)
    (target / 'gt').mkdir()
    rows = []
    for frame in range(1, frames + 1):
        picture = ground(np.random.default_rng(frame), 128, 96)
        for track, (left, top) in enumerate(((4 + 4 * frame, 8), (96 - 4 * frame, 44)), 1):
            draw_person(picture, 70 + track, left, top)
            rows.append(f'{frame},{track},{left},{top},{SIZE[0]},{SIZE[1]},1,1,1.0')
        cv2.imwrite(str(target / 'img1' / f'{frame:06}.jpg'), picture)
    (target / 'gt' / 'gt.txt').write_text('\n'.join(rows) + '\n')
    info = f'[Sequence]\nname={name}\nimDir=img1\nframeRate=10\nseqLength={frames}\nimWidth=128\nimHeight=96\nimExt=.jpg\n'
    (target / 'seqinfo.ini').write_text(info)
