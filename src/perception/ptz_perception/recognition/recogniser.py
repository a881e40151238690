# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which of a camera's tracks is which target. A match needs several good frames; poor ones neither make it nor break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image
from ptz_perception.recognition.embedders.base import Embedder, Feature, unit
from ptz_perception.recognition.fusing import FusedFeature
from ptz_perception.recognition.quality import GOOD, view_qualities
from ptz_perception.tracking.tracks import Track, Tracks
from ptz_site.schema import RecognitionSettings

#: A match ends only when the similarity falls this far below what it needs: similarities waver.
_HYSTERESIS = 0.06


@dataclass(frozen=True)
class Reference:
    """What a target looks like: a watchlist's feature, or the one of a track that was the target in another camera."""

    target: str
    kind: str
    vector: Feature


@dataclass(frozen=True)
class Recognition:
    """What is known of who a track is. feature: of the kind `body`, or the first there is; None before the first good frame."""

    feature: Feature | None = None
    good_frames: int = 0
    target: str = ''
    similarity: float = 0.0


class Recogniser:
    """Keeps the features of the tracks of one camera."""

    def __init__(self, embedders: Mapping[str, Embedder], settings: RecognitionSettings) -> None:
        self._embedders, self._settings = embedders, settings
        self._features: dict[tuple[int, str], FusedFeature] = {}
        self._targets: dict[int, str] = {}

    def look(
        self, tracks: Tracks, picture: Image, references: Sequence[Reference], vectors: NDArray[np.float32] | None = None
    ) -> Mapping[int, Recognition]:
        """What is known of each track after a picture, by track id. Tracks that are gone are forgotten.

        vectors (n, d): appearances of the detections that the tracks were made of, from a detector that gives them.
        """
        self._forget(tracks)
        boxes = tracks.boxes[:, :4]
        size = (picture.shape[1], picture.shape[0])
        qualities = view_qualities(boxes, tracks.scores, size, self._settings.least_height)
        for row in np.flatnonzero((tracks.detection >= 0) & (qualities >= GOOD)):
            self._take(tracks[int(row)], picture, float(qualities[row]), vectors)
        matches = self._matches([int(track_id) for track_id in tracks.ids], references)
        self._targets = {track_id: target for track_id, (target, _) in matches.items()}
        return {track_id: self._known(track_id, matches) for track_id in map(int, tracks.ids)}

    def _forget(self, tracks: Tracks) -> None:
        alive = set(map(int, tracks.ids))
        self._features = {key: fused for key, fused in self._features.items() if key[0] in alive}
        self._targets = {track_id: target for track_id, target in self._targets.items() if track_id in alive}

    def _take(self, track: Track, picture: Image, quality: float, vectors: NDArray[np.float32] | None) -> None:
        crop = crop_of(picture, track.box)
        given = None if vectors is None or track.detection is None else vectors[track.detection]
        for kind, embedder in self._embedders.items():
            try:
                feature = embedder.embed(crop) if given is None or not embedder.with_detections else unit(given)
            except ValueError:
                continue
            before = self._features.get((track.track_id, kind))
            self._features[track.track_id, kind] = (
                FusedFeature.of(feature, quality) if before is None else before.and_also(feature, quality)
            )

    def _matches(self, track_ids: Sequence[int], references: Sequence[Reference]) -> dict[int, tuple[str, float]]:
        """Target and similarity by track: nobody is two targets, no target is seen twice in a picture."""
        found = []
        for reference in references:
            for track_id in track_ids:
                fused = self._features.get((track_id, reference.kind))
                if fused is None or fused.frames < self._settings.good_frames:
                    continue
                if len(reference.vector) != len(fused.total):
                    continue
                known = self._targets.get(track_id) == reference.target
                similarity = float(fused.vector @ reference.vector)
                if similarity >= self._settings.similarity - (_HYSTERESIS if known else 0.0):
                    found.append((similarity, track_id, reference.target))
        matches: dict[int, tuple[str, float]] = {}
        for similarity, track_id, target in sorted(found, key=lambda one: (-one[0], one[1])):
            if track_id not in matches and all(target != other for other, _ in matches.values()):
                matches[track_id] = (target, similarity)
        return matches

    def _known(self, track_id: int, matches: Mapping[int, tuple[str, float]]) -> Recognition:
        kinds = [kind for kind in ('body', *self._embedders) if (track_id, kind) in self._features]
        target, similarity = matches.get(track_id, ('', 0.0))
        if not kinds:
            return Recognition(target=target, similarity=similarity)
        fused = self._features[track_id, kinds[0]]
        return Recognition(fused.vector, fused.frames, target, similarity)


def crop_of(picture: Image, box: tuple[float, float, float, float]) -> Image:
    """The part of a picture that a box (centre, size, px) shows; at least 1 px."""
    x, y, width, height = box
    left, right = (round(min(max(side, 0), picture.shape[1])) for side in (x - width / 2, x + width / 2))
    top, bottom = (round(min(max(side, 0), picture.shape[0])) for side in (y - height / 2, y + height / 2))
    left, top = min(left, picture.shape[1] - 1), min(top, picture.shape[0] - 1)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]
