# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The plan of a region: who watches what in which slot."""
