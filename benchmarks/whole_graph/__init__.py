# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The whole graph on prepared pictures, with timers in its processes; and the same without ROS. Used by benchmarks/capacity.py."""
