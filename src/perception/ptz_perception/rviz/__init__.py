# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What rviz shows of a region."""
