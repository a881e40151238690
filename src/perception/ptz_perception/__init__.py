# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Looks at the frames of one camera: detects, tracks, locates on the ground."""
