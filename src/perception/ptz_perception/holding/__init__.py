# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""When a camera that sees a target holds the rotation, hands the target off, and lets go."""
