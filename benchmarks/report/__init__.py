# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The report of the benchmarks: what each found, on one page."""
