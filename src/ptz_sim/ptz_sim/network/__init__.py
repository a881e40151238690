# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated camera on the network: ONVIF for control, RTSP for pictures, and the faults that real ones have."""
