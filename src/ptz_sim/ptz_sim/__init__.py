# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated region: the world, its people, what cameras see of it, and the truth."""
