# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The facing network: which way a person looks, relative to the camera, told from the picture of that one person."""
