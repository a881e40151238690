# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who a track is: features of its good frames, and the targets of the watchlist."""
