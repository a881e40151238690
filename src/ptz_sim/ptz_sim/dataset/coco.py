# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as COCO instances (Lin et al., Microsoft COCO, ECCV 2014), with some fields of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ptz_sim.dataset.labels import Label
from ptz_sim.dataset.spec import SceneSpec

PERSON, VEHICLE = 1, 2
#: Who is less seen than this, or less high in pixels, or fades more into the haze, is nobody's mistake: such boxes are to be ignored.
_LEAST_SEEN, _LEAST_HEIGHT, _LEAST_CONTRAST = 0.2, 8.0, 0.12

#: Square pixels below which COCO calls an object small.
SMALL = 32 * 32

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Annotation:
    """One box: left, top, width, height in pixels, clipped to the picture; full_bbox is not clipped. iscrowd: 1 is to be ignored."""

    category_id: int
    bbox: Box
    full_bbox: Box
    area: float
    visibility: float
    iscrowd: int
    object: int
    distance: float


@dataclass(frozen=True)
class Picture:
    """One picture with its boxes; seconds: the world's time."""

    file_name: str
    width: int
    height: int
    scene: str
    camera: str
    seconds: float
    annotations: tuple[Annotation, ...]


def annotation(label: Label, size: tuple[int, int]) -> Annotation | None:
    """A label's annotation; None if next to nothing of the box is in the picture. size: the picture's width and height."""
    left, top, right, bottom = label.box
    inside = (max(left, 0.0), max(top, 0.0), min(right, float(size[0])), min(bottom, float(size[1])))
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    if width < 1 or height < 1:
        return None
    unclear = label.visibility < _LEAST_SEEN or height < _LEAST_HEIGHT or label.contrast < _LEAST_CONTRAST
    return Annotation(
        category_id=PERSON if label.person else VEHICLE,
        bbox=_rounded((inside[0], inside[1], width, height)),
        full_bbox=_rounded((left, top, right - left, bottom - top)),
        area=round(width * height, 2),
        visibility=round(label.visibility, 3),
        iscrowd=int(unclear),
        object=label.id,
        distance=round(label.distance, 2),
    )


def document(scenes: Sequence[SceneSpec], pictures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The annotation file of a split; pictures: as `asdict` makes them of Picture."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, 1):
        images.append({'id': number, **{key: value for key, value in picture.items() if key != 'annotations'}})
        for entry in picture['annotations']:
            annotations.append({'id': len(annotations) + 1, 'image_id': number, **entry})
    return {
        'info': {'description': 'Simulated people and vehicles (ptz-collab dataset simulate)', 'version': '1'},
        'categories': [
            {'id': PERSON, 'name': 'person', 'supercategory': 'person'},
            {'id': VEHICLE, 'name': 'vehicle', 'supercategory': 'vehicle'},
        ],
        'scenes': [{'name': s.name, 'keywords': list(s.keywords), 'split': s.split.value} for s in scenes],
        'images': images,
        'annotations': annotations,
    }


def counts(document: Mapping[str, Any]) -> dict[str, int]:
    """What an annotation file has."""
    boxes = [entry for entry in document['annotations'] if not entry['iscrowd']]
    people = [entry for entry in boxes if entry['category_id'] == PERSON]
    return {
        'pictures': len(document['images']),
        'people': len(people),
        'small_people': sum(entry['area'] < SMALL for entry in people),
        'vehicles': len(boxes) - len(people),
        'ignored': len(document['annotations']) - len(boxes),
    }


def _rounded(box: Box) -> Box:
    return round(box[0], 2), round(box[1], 2), round(box[2], 2), round(box[3], 2)
