# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How the upload of best frames goes, in /diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from ptz_node.diagnostics import ERROR, OK, WARN, Status
from ptz_perception.best_frames import BestFrames
from ptz_perception.upload.uploader import UploadStatus


@dataclass
class UploadDiagnostics:
    """Asked now and then. ERROR: pictures are being lost, since it was asked before; WARN: they wait, or some were lost earlier."""

    _lost_before: int = 0

    def status(self, status: UploadStatus, best: BestFrames) -> Status:
        """How it goes now."""
        values = {
            'pictures chosen': best.chosen,
            'pictures sent': status.sent,
            'bytes sent': status.sent_bytes,
            'pictures that wait': status.waiting,
            'bytes that wait': status.waiting_bytes,
            'the oldest waits, s': f'{status.oldest_age:.0f}',
            'over which the receiver fails': status.stuck,
            'refused by the receiver': status.refused,
            'last refusal': status.last_refusal,
            'dropped for want of room': status.dropped,
            'not kept, because the disk failed': status.not_kept,
            'without a package': best.failed,
            'last error': status.last_error or best.failure,
        }
        return Status(*self._judged(status, best), values)

    def _judged(self, status: UploadStatus, best: BestFrames) -> tuple[bytes, str]:
        lost = status.dropped + status.not_kept + best.failed
        more, self._lost_before = lost - self._lost_before, lost
        if status.disk_error:
            return ERROR, f"pictures can't be kept: {status.disk_error}"
        if more > 0:
            return ERROR, f'{more} more pictures are lost: {best.failure or "no room for those that wait"}'
        if status.failing_since_ns is not None:
            return WARN, f'{status.waiting} pictures wait: {status.last_error}'
        if status.moved_aside is not None:
            return WARN, f'the queue was damaged; it is now {status.moved_aside}, and a new one was begun'
        if lost:
            return WARN, f'{lost} pictures were lost since the start'
        if status.refused:
            return WARN, f'{status.refused} pictures were refused: {status.last_refusal}'
        return OK, f'{status.sent} pictures sent, {status.waiting} wait'
