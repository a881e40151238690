# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures are kept: a folder, or an object storage."""

from ptz_receiver.storage.base import PictureStorage, picture_key
from ptz_receiver.storage.folder import FolderStorage
from ptz_receiver.storage.s3 import S3Storage

__all__ = ['FolderStorage', 'PictureStorage', 'S3Storage', 'picture_key']
