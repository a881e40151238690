# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the shells of all nodes share: QoS profiles, conversions, parameters, diagnostics, start and end."""
