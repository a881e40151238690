# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An appearance by colour and texture in stripes of the body: needs no model.

Histograms of hue and of brightness, and of gradients' directions, in horizontal stripes, as in symmetry-driven accumulation of local
features (Farenzena et al., CVPR 2010) and its many followers, in about the same light; pixels near the body's axis count more, because
the edges show what is behind it. Of their sums those remain that tell people apart, learnt from simulated people (discriminant.py,
scripts/learn_colours.py).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image
from ptz_perception.recognition.embedders.base import Feature, unit
from ptz_perception.shipped import shipped_file

#: px that every picture is brought to, width and height.
_SIZE = (32, 80)
#: Shares of the height, from the top: head, chest, belly, thighs, shins.
_STRIPES = (0.0, 0.15, 0.32, 0.5, 0.7, 0.95)
#: A stripe's part in the whole.
_WEIGHTS = (0.6, 1.3, 1.3, 1.0, 0.8)
#: Bins: of hues at each of some levels of brightness, of greys, of gradients' directions.
_HUES, _LEVELS, _GREYS, _DIRECTIONS = 18, 5, 12, 6
#: Brightness (0 to 1) that the brighter parts of a picture are brought near to, most of the way as factors go: the same clothes are darker
#: in the shadow, but black clothes are not white ones.
_BRIGHT, _BRIGHTER_PART, _WAY = 0.75, 90, 0.75
#: How much the gradients count beside the colours.
_TEXTURE = 0.2


class ColourHistograms:
    """Stripes x (hues x levels + greys + directions) numbers."""

    def __init__(self) -> None:
        across = np.linspace(-1.0, 1.0, _SIZE[0])
        down = np.linspace(0.0, 1.0, _SIZE[1])
        # The legs are apart, the head is narrow.
        width = np.interp(down, [0.0, 0.15, 0.2, 0.5, 1.0], [0.25, 0.3, 0.5, 0.5, 0.6])
        self._body = np.exp(-0.5 * (across[None] / width[:, None]) ** 2).astype(np.float32)

    def of(self, picture: Image) -> Feature:
        """A unit vector for a picture (height, width, 3), BGR. Raises ValueError for a picture of less than 8 x 16 px."""
        if picture.ndim != 3 or picture.shape[0] < 16 or picture.shape[1] < 8:
            raise ValueError(f'a picture of at least 8 x 16 px is needed, not {picture.shape[1]} x {picture.shape[0]}')
        small = _evened(np.asarray(cv2.resize(picture, _SIZE, interpolation=cv2.INTER_AREA), np.uint8))
        colours = _by_colour(small)
        directions = _by_direction(small)
        parts = []
        edges = [round(share * _SIZE[1]) for share in _STRIPES]
        for weight, top, bottom in zip(_WEIGHTS, edges[:-1], edges[1:], strict=True):
            mask = self._body[top:bottom, :, None]
            colour = (colours[top:bottom] * mask).sum(axis=(0, 1))
            direction = (directions[top:bottom] * mask).sum(axis=(0, 1))
            parts.append(weight * np.concatenate((_spread(colour), _TEXTURE * _spread(direction))))
        return unit(np.concatenate(parts))


class ColourEmbedder:
    """What of the histograms tells people apart."""

    name = 'colour'
    with_detections = False

    def __init__(self) -> None:
        self._histograms = ColourHistograms()
        self._discriminant = np.load(shipped_file('colours.npy')).astype(np.float32)
        self.length = self._discriminant.shape[1]

    def embed(self, picture: Image) -> Feature:
        """A unit vector. Raises ValueError for a picture of less than 8 x 16 px."""
        return unit(self._histograms.of(picture) @ self._discriminant)


def _evened(small: Image) -> Image:
    """In about the same light, as far as the middle of the picture tells, where the body is."""
    body = small[:, _SIZE[0] // 4 : -_SIZE[0] // 4].max(axis=2) / 255.0
    factor = (_BRIGHT / max(float(np.percentile(body, _BRIGHTER_PART)), 0.05)) ** _WAY
    return np.asarray(cv2.convertScaleAbs(small, alpha=factor), np.uint8)


def _by_colour(small: Image) -> NDArray[np.float32]:
    """(height, width, hues x levels + greys): each pixel's share of each colour. A pixel without colour is grey, whatever its hue."""
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV).astype(np.float32)
    saturation, value = hsv[..., 1] / 255.0, hsv[..., 2] / 255.0
    coloured = np.clip((saturation - 0.15) / 0.35, 0.0, 1.0) * np.clip(value / 0.2, 0.0, 1.0)
    hues = _soft_bins(hsv[..., 0] * (_HUES / 180.0), _HUES, circular=True)
    levels = _soft_bins(value * (_LEVELS - 1), _LEVELS, circular=False)
    both = (hues[..., :, None] * levels[..., None, :]).reshape(*value.shape, _HUES * _LEVELS)
    greys = _soft_bins(value * (_GREYS - 1), _GREYS, circular=False)
    return np.concatenate((both * coloured[..., None], greys * (1.0 - coloured)[..., None]), axis=2)


def _by_direction(small: Image) -> NDArray[np.float32]:
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(right, down) / 255.0
    direction = np.asarray(np.mod(np.arctan2(down, right), np.pi) * (_DIRECTIONS / np.pi), np.float32)
    return np.asarray(_soft_bins(direction, _DIRECTIONS, circular=True) * strength[..., None], np.float32)


def _soft_bins(position: NDArray[np.float32], count: int, *, circular: bool) -> NDArray[np.float32]:
    """(..., count): a value between two bins is shared by them."""
    low = np.floor(position)
    share = position - low
    first = low.astype(np.int64)
    second = (first + 1) % count if circular else np.minimum(first + 1, count - 1)
    first = first % count if circular else np.clip(first, 0, count - 1)
    bins = np.eye(count, dtype=np.float32)
    return np.asarray(bins[first] * (1.0 - share)[..., None] + bins[second] * share[..., None], np.float32)


def _spread(histogram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of shares: so that a dot product compares distributions (Hellinger)."""
    return np.asarray(np.sqrt(histogram / max(float(histogram.sum()), 1e-6)), np.float32)
