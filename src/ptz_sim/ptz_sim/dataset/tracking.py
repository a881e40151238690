# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences of pictures with tracks, in the format of MOTChallenge (Milan et al., MOT16, 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ptz_sim.dataset.coco import annotation
from ptz_sim.dataset.labels import Label
from ptz_sim.dataset.sensor import jpeg
from ptz_sim.dataset.spec import CameraSpec, SceneSpec
from ptz_sim.dataset.studio import BEGIN, END, Shot, Studio

#: Pictures a second.
RATE = 5.0
#: Cameras of a scene that film at the same time.
_CAMERAS = 2
#: MOTChallenge's numbers of what we have.
_PEDESTRIAN, _CAR = 1, 3
#: Vehicles are numbered from here on, people from 1: everybody has one number in all sequences of a scene.
_FIRST_VEHICLE = 1001


@dataclass(frozen=True)
class Sequence:
    """A sequence: folder, frames, rows of ground truth that count, and how many people those are of."""

    name: str
    scene: str
    camera: str
    frames: int
    boxes: int
    people: int


def film(scene: SceneSpec, studio: Studio, count: int, folder: Path) -> tuple[Sequence, ...]:
    """Films with two cameras of a scene at the same time, and writes a sequence of each; count: pictures of both together."""
    cameras = scene.cameras[: min(_CAMERAS, count)]
    rng = np.random.default_rng([scene.settings.seed, 23])
    lengths = [count // len(cameras) + (index < count % len(cameras)) for index in range(len(cameras))]
    begin = float(rng.uniform(BEGIN, max(BEGIN + 1, END - max(lengths) / RATE)))
    return tuple(_sequence(scene, camera, studio, begin, length, folder) for camera, length in zip(cameras, lengths, strict=True))


def _sequence(scene: SceneSpec, camera: CameraSpec, studio: Studio, begin: float, length: int, folder: Path) -> Sequence:
    name = f'{scene.name}-{camera.name}'
    pictures, truth = folder / name / 'img1', folder / name / 'gt'
    pictures.mkdir(parents=True, exist_ok=True)
    truth.mkdir(exist_ok=True)
    middle = begin + length / RATE / 2
    position = max(range(len(camera.positions)), key=lambda p: _interest(studio.labels(camera.view(p), middle)))
    view = camera.view(position)
    rows: list[tuple[int, int, str]] = []
    people: set[int] = set()
    for frame in range(1, length + 1):
        seconds = begin + (frame - 1) / RATE
        picture = studio.take(Shot(camera.sensor, view, seconds, frame))
        (pictures / f'{frame:06d}.jpg').write_bytes(jpeg(picture, camera.sensor))
        for label in studio.labels(view, seconds):
            row = _row(frame, label, camera.resolution)
            if row is not None:
                rows.append(row)
                people |= {label.id} if label.person else set()
    # In the order of tracks, as MOTChallenge's own files are.
    (truth / 'gt.txt').write_text(''.join(f'{text}\n' for _, _, text in sorted(rows)))
    (folder / name / 'seqinfo.ini').write_text(_description(scene, camera, name, length))
    return Sequence(name, scene.name, camera.name, length, len(rows), len(people))


def _interest(found: tuple[Label, ...]) -> tuple[int, int]:
    seen = [label for label in found if label.person and label.visibility > 0.5]
    return len(seen), len(found)


def _row(frame: int, label: Label, size: tuple[int, int]) -> tuple[int, int, str] | None:
    """Number of the object, of the frame, and the row of ground truth; its box is that of the whole body, also beyond the edge."""
    entry = annotation(label, size)
    if entry is None:
        return None
    number = label.id + (1 if label.person else _FIRST_VEHICLE)
    left, top, width, height = entry.full_bbox
    kind = _PEDESTRIAN if label.person else _CAR
    text = f'{frame},{number},{left},{top},{width},{height},{1 - entry.iscrowd},{kind},{entry.visibility}'
    return number, frame, text


def _description(scene: SceneSpec, camera: CameraSpec, name: str, length: int) -> str:
    width, height = camera.resolution
    return (
        f'[Sequence]\nname={name}\nimDir=img1\nframeRate={RATE:g}\nseqLength={length}\nimWidth={width}\nimHeight={height}\n'
        f'imExt=.jpg\nscene={scene.name}\ncamera={camera.name}\nkeywords={",".join(scene.keywords)}\n'
    )
