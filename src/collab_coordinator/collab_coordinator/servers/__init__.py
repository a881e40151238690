# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The coordinator's action servers and services."""
