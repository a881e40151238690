# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures on their way to a receiver: kept on disk until it has them. Without ROS."""
