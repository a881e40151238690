# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How the upload of best frames goes, in /diagnostics."""

from __future__ import annotations

from ptz_node.diagnostics import ERROR, OK, WARN, Status
from ptz_perception.upload.uploader import UploadStatus


def upload_diagnostics(status: UploadStatus, chosen: int) -> Status:
    """chosen: pictures that were chosen since the start. ERROR: pictures are being lost; WARN: they wait, or some were lost before."""
    values = {
        'pictures chosen': chosen,
        'pictures sent': status.sent,
        'bytes sent': status.sent_bytes,
        'pictures that wait': status.waiting,
        'bytes that wait': status.waiting_bytes,
        'the oldest waits, s': f'{status.oldest_age:.0f}',
        'refused by the receiver': status.refused,
        'last refusal': status.last_refusal,
        'dropped for want of room': status.dropped,
        'not kept, because the disk failed': status.not_kept,
        'last error': status.last_error,
    }
    if status.disk_error:
        return Status(ERROR, f"pictures can't be kept: {status.disk_error}", values)
    if status.failing_since_ns is not None:
        return Status(WARN, f'{status.waiting} pictures wait: {status.last_error}', values)
    if status.moved_aside is not None:
        return Status(WARN, f'the queue was damaged; it is now {status.moved_aside}, and a new one was begun', values)
    for count, what in ((status.dropped, 'dropped for want of room'), (status.not_kept, 'not kept, because the disk failed')):
        if count:
            return Status(WARN, f'{count} pictures were {what}', values)
    if status.refused:
        return Status(WARN, f'{status.refused} pictures were refused: {status.last_refusal}', values)
    return Status(OK, f'{status.sent} pictures sent, {status.waiting} wait', values)
