# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the simulated demo region: `ros2 launch collab_bringup demo.launch.py out:=/tmp/demo rviz:=true`."""

from collab_bringup.launching import region_launch, shared_file

generate_launch_description = region_launch(site=shared_file('config', 'demo.yaml'))
