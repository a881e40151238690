# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Finds in a picture what example pictures show, by natural features: where enough of them match, and lie as they do in the example.

Features: ORB (Rublee et al., ICCV 2011), AKAZE (Alcantarilla et al., BMVC 2013) or SIFT (Lowe, IJCV 2004). A match must be clearly
better than the next best one (Lowe's ratio test), and matches must agree in one homography, or in one similarity where a homography
can't be told, found by RANSAC (Fischler and Bolles, CACM 1981). It works for things with texture of their own, such as signs, vehicles
and printed clothes, seen from about the side that an example shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image, overlaps

#: px; larger examples are reduced to this side: nothing is seen so large in a frame.
_EXAMPLE_SIDE = 640
_MOST_FEATURES = {'example': 1500, 'frame': 4000}
#: An example needs so many times as many features as must match.
_SPARE = 2
#: px by which a match may be beside where the others say.
_REPROJECTION = 5.0
_ITERATIONS, _CONFIDENCE = 2000, 0.995
#: How much smaller or larger, as a side's length, an object may be seen than in the example.
_LEAST_SCALE, _MOST_SCALE = 0.08, 6.0
#: How much its opposite sides may differ in length: more is no view of something that is about flat.
_MOST_TAPER = 3.0
#: Share of the outline that must be in the picture.
_LEAST_INSIDE = 0.5
#: Of objects that overlap by more, the one with more matches counts: several examples show the same.
_SAME = 0.5


#: 3x3 from the example to the frame, None if there is none, and which matches agree with it.
_Transform = tuple[NDArray[np.float64] | None, NDArray[np.bool_]]


class Features(StrEnum):
    """Kinds of features. SIFT finds what is seen smallest; ORB needs half of its time, AKAZE a third, but finds larger objects only."""

    ORB = 'orb'
    AKAZE = 'akaze'
    SIFT = 'sift'


@dataclass(frozen=True)
class Found:
    """One object in a picture. box: centre, size, px, as far as it is in the picture; outline (n, 2): the example's, px; inliers:
    matches that agree.
    """

    example: int
    box: tuple[float, float, float, float]
    outline: NDArray[np.float64]
    inliers: int


@dataclass(frozen=True)
class _Example:
    points: NDArray[np.float32]
    descriptors: NDArray[Any]
    outline: NDArray[np.float32]


class Likeness:
    """Looks for the object of some example pictures. least: matches that must agree; ratio: of the best to the next best one, Lowe's."""

    def __init__(
        self, examples: Sequence[Image], features: Features = Features.SIFT, least: int = 15, ratio: float = 0.75
    ) -> None:
        """examples: BGR, or with an alpha channel that is 0 outside of the object. Raises ValueError for one that shows too little."""
        self._least, self._ratio = least, ratio
        self._for_frames = _detector(features, _MOST_FEATURES['frame'])
        self._matcher = cv2.BFMatcher(cv2.NORM_L2 if features is Features.SIFT else cv2.NORM_HAMMING)
        for_examples = _detector(features, _MOST_FEATURES['example'])
        self._examples = [_example(for_examples, picture, _SPARE * least) for picture in examples]

    def find(self, picture: Image) -> tuple[Found, ...]:
        """The objects in a BGR picture, the surest first; of each example at most one."""
        points, descriptors = _described(self._for_frames, picture, None)
        found = [
            one
            for number, example in enumerate(self._examples)
            if (one := self._match(number, example, points, descriptors, (picture.shape[1], picture.shape[0]))) is not None
        ]
        chosen: list[Found] = []
        for one in sorted(found, key=lambda one: -one.inliers):
            if all(overlaps(np.array([one.box]), np.array([other.box]))[0, 0] <= _SAME for other in chosen):
                chosen.append(one)
        return tuple(chosen)

    def _match(
        self, number: int, example: _Example, points: NDArray[np.float32], descriptors: NDArray[Any], size: tuple[int, int]
    ) -> Found | None:
        if len(points) < 2:
            return None
        pairs = self._matcher.knnMatch(example.descriptors, descriptors, k=2)
        good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < self._ratio * pair[1].distance]
        if len(good) < self._least:
            return None
        here = example.points[[match.queryIdx for match in good]]
        there = points[[match.trainIdx for match in good]]
        for transform, agree in (_homography(here, there), _similarity(here, there)):
            # Several features of the example may match one of the frame: it counts once.
            inliers = len(np.unique(there[agree], axis=0)) if transform is not None else 0
            if transform is None or inliers < self._least:
                continue
            outline = cv2.perspectiveTransform(example.outline[None], transform)[0].astype(float)
            box = _box(outline, size)
            if box is not None and _is_a_view(example.outline, outline):
                return Found(number, box, outline, inliers)
        return None


def _detector(features: Features, most: int) -> Any:
    if features is Features.ORB:
        return cv2.ORB.create(nfeatures=most, nlevels=10, edgeThreshold=16, fastThreshold=7)
    if features is Features.AKAZE:
        return cv2.AKAZE.create(threshold=3e-4, max_points=most)
    return cv2.SIFT.create(nfeatures=most, contrastThreshold=0.025)


def _described(detector: Any, picture: Image, mask: NDArray[np.uint8] | None) -> tuple[NDArray[np.float32], NDArray[Any]]:
    keypoints, descriptors = detector.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), mask)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32).reshape(-1, 2)
    return points, descriptors if descriptors is not None else np.empty((0, 32), np.uint8)


def _example(detector: Any, picture: Image, least: int) -> _Example:
    scale = min(1.0, _EXAMPLE_SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    mask = None
    height, width = small.shape[:2]
    outline = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    if small.ndim == 3 and small.shape[2] == 4:
        mask = (small[:, :, 3] > 127).astype(np.uint8) * 255
        shapes, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if not shapes:
            raise ValueError('nothing in it is opaque')
        outline = cv2.boxPoints(cv2.minAreaRect(np.concatenate(shapes))).astype(np.float32)
    points, descriptors = _described(detector, np.ascontiguousarray(small[:, :, :3], np.uint8), mask)
    if len(points) < least:
        raise ValueError(f'only {len(points)} features are in it, at least {least} are needed')
    return _Example(points, descriptors, outline)


def _homography(here: NDArray[np.float32], there: NDArray[np.float32]) -> _Transform:
    found, agree = cv2.findHomography(here, there, cv2.RANSAC, _REPROJECTION, maxIters=_ITERATIONS, confidence=_CONFIDENCE)
    return (None if found is None else np.asarray(found, float)), _agreeing(agree, len(here))


def _similarity(here: NDArray[np.float32], there: NDArray[np.float32]) -> _Transform:
    """A turn, a scale and a shift: for objects that are seen small, where a homography fits to noise."""
    found, agree = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_REPROJECTION, maxIters=_ITERATIONS, confidence=_CONFIDENCE
    )
    return (None if found is None else np.vstack((found, (0.0, 0.0, 1.0)))), _agreeing(agree, len(here))


def _agreeing(mask: Any, count: int) -> NDArray[np.bool_]:
    return np.zeros(count, bool) if mask is None else np.asarray(mask, bool).ravel()


def _is_a_view(example: NDArray[np.float32], outline: NDArray[np.float64]) -> bool:
    """Whether an outline is one that the example can have: convex, not mirrored, of a size and a shape that make sense."""
    if not np.isfinite(outline).all() or not cv2.isContourConvex(outline.astype(np.float32)):
        return False
    if (cv2.contourArea(example, oriented=True) > 0) != (cv2.contourArea(outline.astype(np.float32), oriented=True) > 0):
        return False
    sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    scales = sides / np.linalg.norm(np.roll(example, -1, axis=0) - example, axis=1)
    if scales.min() < _LEAST_SCALE or scales.max() > _MOST_SCALE:
        return False
    return bool((np.maximum(sides[:2], sides[2:]) <= _MOST_TAPER * np.minimum(sides[:2], sides[2:])).all())


def _box(outline: NDArray[np.float64], size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """Around an outline, as far as it is in the picture; None if most of it is outside."""
    whole = outline.max(axis=0) - outline.min(axis=0)
    low, high = np.clip(outline.min(axis=0), 0, size), np.clip(outline.max(axis=0), 0, size)
    inside = high - low
    if inside.min() < 1 or inside.prod() < _LEAST_INSIDE * whole.prod():
        return None
    x, y = ((low + high) / 2).tolist()
    return x, y, float(inside[0]), float(inside[1])
