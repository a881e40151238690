# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads data sets in the format of MOTChallenge: a folder for each sequence, with img1, gt/gt.txt and seqinfo.ini.

Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016. Boxes are those of whole objects, also where the picture's edge cuts
them off. Rows whose seventh number is 0 are to be ignored.
"""

from __future__ import annotations

import configparser
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ptz_perception.datasets.data_set import (
    WHOLE,
    DataSet,
    DataSetKind,
    LabelledPicture,
    LabelledScene,
    Split,
    in_order,
    split_name,
)
from ptz_perception.datasets.faults import Fault, FaultKind, Tell, unheard
from ptz_perception.datasets.labels import Label, labelled, picture_size, unlabelled
from ptz_site import UserError

#: MOTChallenge's classes, whose numbers begin with 1. The first is called pedestrian there; here it is what other data sets call it.
NAMES = (
    'person', 'person on vehicle', 'car', 'bicycle', 'motorbike', 'non motorised vehicle', 'static person', 'distractor', 'occluder',
    'occluder on the ground', 'occluder full', 'reflection', 'crowd',
)  # fmt: skip
_PICTURES = ('.jpg', '.jpeg', '.png', '.bmp')
#: MOT17 has every sequence three times, once for each public detector.
_DETECTOR = re.compile(r'^(MOT17-\d+)-(DPM|FRCNN|SDP)$')


@dataclass(frozen=True)
class Sequence:
    """A sequence's folder and what its seqinfo.ini says: size (width, height, px; None: not said), length in frames (0: not said),
    frames per second.
    """

    folder: Path
    pictures: Path
    size: tuple[int, int] | None
    length: int
    rate: float
    scene: str
    keywords: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its folder's."""
        return self.folder.name

    @property
    def labels(self) -> Path:
        """The file of its labels."""
        return self.folder / 'gt' / 'gt.txt'


def folders(path: Path) -> list[Path]:
    """The folders of sequences: the folder itself, its folders, or theirs."""
    if not path.is_dir():
        return []
    levels = [[path], sorted(path.glob('*')), sorted(path.glob('*/*'))]
    return [folder for level in levels for folder in level if folder.is_dir() and _is_sequence(folder)]


def read(path: Path, tell: Tell = unheard) -> DataSet:
    """Reads the labels of a data set; tell: hears of faults, those of a sequence when it is iterated over.

    path: a sequence's folder, one with sequences, or one with folders train, test and so on. Raises UserError if there is no sequence.
    """
    found = folders(path)
    if not found:
        raise UserError(
            f'{path}: no sequence in the format of MOTChallenge; expected folders with img1, gt/gt.txt and seqinfo.ini'
        )
    splits: dict[str, list[Sequence]] = defaultdict(list)
    for folder in found:
        splits[split_name(folder.parent.name) or (WHOLE if folder.parent in (path, path.parent) else folder.parent.name)].append(
            _sequence(folder, tell)
        )
    scenes = dict.fromkeys(
        LabelledScene(one.scene, one.keywords, split) for split, sequences in splits.items() for one in sequences
    )
    made = [
        Split(name, sum(_count(one) for one in sequences), partial(_pictures, tuple(sequences), tell))
        for name, sequences in splits.items()
    ]
    return DataSet(DataSetKind.MOT, path, NAMES, in_order(made), tuple(scenes))


def _is_sequence(folder: Path) -> bool:
    return (folder / 'seqinfo.ini').is_file() or ((folder / 'img1').is_dir() and (folder / 'gt').is_dir())


def _sequence(folder: Path, tell: Tell) -> Sequence:
    file = folder / 'seqinfo.ini'
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if file.is_file():
            parser.read(file, encoding='utf-8-sig')
        said = parser['Sequence'] if parser.has_section('Sequence') else parser['DEFAULT']
        width, height, length = (said.getint(key, fallback=0) for key in ('imWidth', 'imHeight', 'seqLength'))
        rate, pictures = said.getfloat('frameRate', fallback=0.0), said.get('imDir', fallback='img1')
        keywords = tuple(word.strip() for word in said.get('keywords', fallback='').split(',') if word.strip())
        scene = said.get('scene', fallback=_DETECTOR.sub(r'\1', folder.name))
    except (configparser.Error, ValueError, OSError) as error:
        reason = ' '.join(str(error).split())
        tell(Fault(FaultKind.BAD_LABEL, file, f"can't be read ({reason}); mend it"))
        return Sequence(folder, folder / 'img1', None, 0, 0.0, folder.name, ())
    size = (width, height) if width > 0 and height > 0 else None
    return Sequence(folder, folder / pictures, size, max(0, length), rate, scene, keywords)


def _count(sequence: Sequence) -> int:
    return sequence.length or sum(1 for _ in _frames(sequence))


def _frames(sequence: Sequence) -> Iterator[tuple[int, Path]]:
    """Numbers of frames and their files, in order."""
    if sequence.pictures.is_dir():
        found = (path for path in sequence.pictures.iterdir() if path.suffix.lower() in _PICTURES and path.stem.isdecimal())
        yield from sorted((int(path.stem), path) for path in found)


def _pictures(sequences: tuple[Sequence, ...], tell: Tell) -> Iterator[LabelledPicture]:
    for sequence in sequences:
        yield from _of_sequence(sequence, tell)


def _of_sequence(sequence: Sequence, tell: Tell) -> Iterator[LabelledPicture]:
    frames = dict(_frames(sequence))
    if not frames:
        tell(
            Fault(
                FaultKind.MISSING_PICTURE,
                sequence.pictures,
                'no picture is there; put them there as 000001.jpg, 000002.jpg and so on',
            )
        )
        return
    labels = _read_labels(sequence, tell)
    _tell_gaps(sequence, sorted(frames), tell)
    for frame in sorted(labels.keys() - frames.keys()):
        text = (
            f'frame {frame} has {len(labels[frame])} labels, but no picture; put it into {sequence.pictures.name} or remove them'
        )
        tell(Fault(FaultKind.UNKNOWN_PICTURE, sequence.labels, text))
    size = sequence.size
    for frame, path in frames.items():
        size = size or picture_size(path)
        if size is None:
            tell(Fault(FaultKind.UNREADABLE_PICTURE, path, "can't be read as a picture; replace it"))
            continue
        picture = unlabelled(path, size, NAMES, sequence.scene, sequence.name, frame)
        yield labelled(picture, labels.get(frame, []), sequence.labels, tell, may_be_outside=True)


def _tell_gaps(sequence: Sequence, frames: list[int], tell: Tell) -> None:
    last = max(frames[-1] if frames else 0, sequence.length)
    expected = [*frames, last + 1]
    for before, after in zip([0, *frames], expected, strict=True):
        if after - before > 1:
            missing = f'frame {before + 1} is' if after - before == 2 else f'frames {before + 1} to {after - 1} are'
            text = f'{missing} missing; put them there, or number the frames anew from 1 and mend seqLength'
            tell(Fault(FaultKind.FRAME_GAP, sequence.pictures, text))


def _read_labels(sequence: Sequence, tell: Tell) -> dict[int, list[Label]]:
    """Labels by frame; none if there are none to be had, as in the test split of MOTChallenge."""
    file = sequence.labels
    labels: dict[int, list[Label]] = defaultdict(list)
    if not file.is_file():
        if split_name(sequence.folder.parent.name) != 'test':
            tell(Fault(FaultKind.MISSING_LABELS, file, 'is not there; add the labels, or leave the sequence out'))
        return labels
    seen: set[tuple[int, int]] = set()
    with file.open(encoding='utf-8-sig', errors='replace') as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f'line {number}'
            try:
                frame, label = _label(line, where)
            except (ValueError, OverflowError):
                text = (
                    f'{where}: {line.strip()[:60]!r} found; expected frame, id, left, top, width, height, flag, class, visibility'
                )
                tell(Fault(FaultKind.BAD_LABEL, file, text + '; mend it'))
                continue
            if not 0 <= label.class_id < len(NAMES):
                text = f'{where}: class {label.class_id + 1} found; allowed: 1 to {len(NAMES)}; mend it'
                tell(Fault(FaultKind.UNKNOWN_CLASS, file, text))
            elif (frame, label.track_id) in seen:
                text = f'{where}: object {label.track_id} is in frame {frame} already; remove one or mend its id'
                tell(Fault(FaultKind.DUPLICATE, file, text))
            else:
                seen.add((frame, label.track_id))
                labels[frame].append(label)
    return labels


def _label(line: str, where: str) -> tuple[int, Label]:
    """Of one row; ValueError if it is none."""
    values = [float(text) for text in line.split(',') if text.strip()]
    if len(values) < 6:
        raise ValueError('a row has at least six numbers')
    frame, track = int(values[0]), int(values[1])
    flag, class_id, visibility = (*values[6:9], *(1.0, 1.0, 1.0)[len(values[6:9]) :])
    # Rows of detections and of 3D data have -1 where there is no class and no visibility.
    class_id = 1.0 if class_id == -1 else class_id
    left, top, width, height = values[2:6]
    seen = visibility if 0 <= visibility <= 1 else 1.0
    return frame, Label((left, top, width, height), int(class_id) - 1, where, flag == 0, track, seen)
