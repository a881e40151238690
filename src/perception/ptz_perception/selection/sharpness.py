# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How sharp somebody is in a picture, whatever they wear and however bright it is.

How much detail is lost when the crop is blurred once more: a sharp one loses much, a blurred one has little to lose. The idea is that of
Crete, Dolmiere, Ladret and Nicolas, "The blur effect: perception and estimation with a new no-reference perceptual blur metric",
Proc. SPIE 6492 (2007), here with energies of differences. Measures of how much detail there is, such as the variance of the Laplacian or
Tenengrad (Pertuz, Puig and Garcia, "Analysis of focus measure operators for shape-from-focus", Pattern Recognition 46 (2013), compares
them), take stripes for sharpness. Divided by the contrast they no longer do, but take the noise of dark pictures for it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_perception.detections import Image
from ptz_perception.locating.ground import Box

#: px; larger crops are reduced to it, so that blur is measured against the person, and noise is averaged out. Smaller ones stay.
_HEIGHT = 96
#: Share of the box that is looked at: what stands behind somebody is often sharp when they are not.
_INNER_WIDTH, _INNER_HEIGHT = 0.7, 0.9
#: Share of the energy that is lost: by a crop that shows nothing any more, and by one that counts as sharp. More is texture, not sharpness.
_BLURRED, _SHARP = 0.15, 0.34
#: px; crops that are smaller tell nothing.
_LEAST = 8
#: Mean squared difference of neighbours below which there is nothing to see.
_LEAST_DETAIL = 0.5


def sharpness(picture: Image, box: Box) -> float | None:
    """0 to 1, 1 is sharp; None if too little of the box is in the picture, or there is nothing to see in it.

    picture: BGR; box: centre x, centre y, width, height in px, upright.
    """
    x, y, width, height = box[0], box[1], box[2] * _INNER_WIDTH, box[3] * _INNER_HEIGHT
    left, right = max(0, int(x - width / 2)), min(picture.shape[1], int(x + width / 2) + 1)
    top, bottom = max(0, int(y - height / 2)), min(picture.shape[0], int(y + height / 2) + 1)
    if right - left < _LEAST or bottom - top < _LEAST:
        return None
    crop = np.asarray(cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY), np.uint8)
    if crop.shape[0] > _HEIGHT:
        reduced = max(_LEAST, round(crop.shape[1] * _HEIGHT / crop.shape[0]))
        crop = np.asarray(cv2.resize(crop, (reduced, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    # Once against the noise, once to see what is lost.
    smooth = np.asarray(cv2.blur(crop, (3, 3)), np.uint8)
    before = _energy(smooth)
    if before < _LEAST_DETAIL * crop.size:
        return None
    lost = 1.0 - _energy(np.asarray(cv2.blur(smooth, (3, 3)), np.uint8)) / before
    return min(1.0, max(0.0, (lost - _BLURRED) / (_SHARP - _BLURRED)))


def _energy(grey: NDArray[np.uint8]) -> float:
    """Of the differences between neighbours."""
    return cv2.norm(grey[1:], grey[:-1], cv2.NORM_L2SQR) + cv2.norm(grey[:, 1:], grey[:, :-1], cv2.NORM_L2SQR)
