# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""FFmpeg's own program, which benchmarks compare with: from the PATH, or from the package imageio-ffmpeg."""

from __future__ import annotations

import importlib.util
import shutil


def ffmpeg() -> str | None:
    """FFmpeg's own program."""
    if found := shutil.which('ffmpeg'):
        return found
    if importlib.util.find_spec('imageio_ffmpeg') is None:
        return None
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())
