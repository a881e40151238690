# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Marks inside encoded pictures: written and read without decoding, specified in docs/marks.md."""

from ptz_site.stream_marks.payload import StreamMark, pack, unpack

__all__ = ['StreamMark', 'pack', 'unpack']
