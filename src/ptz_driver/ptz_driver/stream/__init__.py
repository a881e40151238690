# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Fetching pictures from cameras on the network."""
