# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Encoded pictures to arrays and back: with cv_bridge where it is installed, with OpenCV alone elsewhere."""

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage

try:
    from cv_bridge import CvBridge
except ImportError:
    CvBridge = None

Image = NDArray[np.uint8]


def decode(data: bytes) -> Image:
    """BGR picture (height, width, 3) of an encoded one. Raises ValueError if it can't be decoded."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f'{len(data)} bytes are not a picture')
    return np.asarray(picture, np.uint8)


def encode_jpeg(picture: Image, quality: int = 85) -> bytes:
    """JPEG of a BGR picture (height, width, 3)."""
    done, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the picture can't be encoded as JPEG")
    return data.tobytes()


def to_compressed_msg(picture: Image, quality: int = 85) -> CompressedImage:
    """sensor_msgs/CompressedImage (jpeg) of a BGR picture."""
    if CvBridge is not None:
        return CvBridge().cv2_to_compressed_imgmsg(picture, 'jpg')
    return CompressedImage(format='jpeg', data=encode_jpeg(picture, quality))
