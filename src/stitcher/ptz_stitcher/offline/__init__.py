# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Scene sequences from recordings: bags and plain videos in, what the live stitcher leaves out."""

from ptz_stitcher.offline.request import StitchRequest
from ptz_stitcher.offline.stitch import Stitched, stitch

__all__ = ['StitchRequest', 'Stitched', 'stitch']
