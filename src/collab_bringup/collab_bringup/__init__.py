# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The node graph of a region, built from its site file, and the ptz-collab command."""
