# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a coordinator decides while a rotation runs: facts and times in, plan revisions out. Without ROS, I/O and clock."""
