# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Regions in simulated time: what each way of watching them sees of the people in them, and what could be seen at best."""
