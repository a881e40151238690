# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What every training has in common: settings, the loop, checkpoints, the log."""
