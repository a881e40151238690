# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One PTZ camera: turns by the plan, notices the arrival, marks and publishes every frame."""
