# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of something that a small network learns in seconds: upright bars, dark above and light below, on a noisy ground."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np


def draw(
    rng: np.random.Generator, size: tuple[int, int], heights: tuple[float, float], count: int
) -> tuple[np.ndarray, list[list[float]]]:
    """A picture and its boxes (left, top, width, height), which don't overlap."""
    width, height = size
    picture = cv2.GaussianBlur(rng.integers(60, 190, (height, width, 3)).astype(np.uint8), (0, 0), 3)
    boxes: list[list[float]] = []
    for _ in range(20 * count):
        high = float(rng.uniform(*heights))
        wide = 0.4 * high
        left, top = float(rng.uniform(1, width - wide - 1)), float(rng.uniform(1, height - high - 1))
        apart = all(left + wide < x or x + w < left or top + high < y or y + h < top for x, y, w, h in boxes)
        if apart and len(boxes) < count:
            corners = [(round(left), round(top)), (round(left + wide), round(top + high))]
            cv2.rectangle(picture, corners[0], corners[1], (30, 20, 200), -1)
            cv2.rectangle(picture, (corners[0][0], round(top + high / 2)), corners[1], (230, 220, 200), -1)
            boxes.append([left, top, wide, high])
    return picture, boxes


def write_coco(
    folder: Path, pictures: int, size: tuple[int, int] = (320, 192), heights: tuple[float, float] = (12, 90), seed: int = 1
) -> Path:
    """A data set in COCO format with the splits train and val."""
    rng = np.random.default_rng(seed)
    for split, count in (('train', pictures), ('val', max(2, pictures // 4))):
        images, annotations = [], []
        (folder / split / 'images').mkdir(parents=True)
        for number in range(count):
            picture, boxes = draw(rng, size, heights, int(rng.integers(0, 6)))
            cv2.imwrite(str(folder / split / 'images' / f'{number}.png'), picture)
            images.append({'id': number, 'file_name': f'{number}.png', 'width': size[0], 'height': size[1]})
            for box in boxes:
                one = {'id': len(annotations) + 1, 'image_id': number, 'category_id': 1, 'bbox': box, 'area': box[2] * box[3]}
                annotations.append({**one, 'iscrowd': 0})
        content = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'person'}]}
        (folder / split / 'annotations.json').write_text(json.dumps(content))
    return folder
