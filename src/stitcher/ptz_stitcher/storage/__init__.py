# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings over days: files that are rotated, kept for a while, and a disk that may be full."""

from ptz_stitcher.storage.keeper import Keeper
from ptz_stitcher.storage.limits import FileLimits, KeepLimits, StorageLimits, storage_limits
from ptz_stitcher.storage.rolling_log import RollingLog
from ptz_stitcher.storage.rolling_sequence import RollingSequence

__all__ = ['FileLimits', 'KeepLimits', 'Keeper', 'RollingLog', 'RollingSequence', 'StorageLimits', 'storage_limits']
