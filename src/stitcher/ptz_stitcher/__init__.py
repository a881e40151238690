# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Scene sequences: one recording for each scene, cut from all cameras."""
