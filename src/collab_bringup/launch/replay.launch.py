# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at a recording again: perception and stitcher on what `ptz-collab replay` publishes, on the recording's own clock.

`ros2 launch collab_bringup replay.launch.py site:=SITE bag:=BAG out:=DIR rate:=max`; BAG: folder of a run, or bag of `ros2 bag record`.
"""

from collab_bringup.graph import Part
from collab_bringup.launching import region_launch

generate_launch_description = region_launch(parts=frozenset({Part.PERCEPTION, Part.STITCHER}), replay=True)
