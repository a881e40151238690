# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The coordinator of a region: plans who watches what in which slot, and runs the rotation."""
