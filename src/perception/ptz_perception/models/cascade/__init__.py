# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The cascade detector for small targets: it finds where something is first, then what and where exactly."""
