# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a region: `ros2 launch collab_bringup region.launch.py site:=/path/to/site.yaml out:=/path/to/recordings`."""

from collab_bringup.launching import region_launch

generate_launch_description = region_launch()
