# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where pictures are kept: a folder, or (s3.py, which takes long to import) an object storage."""

from ptz_receiver.storage.base import PictureStorage, picture_key
from ptz_receiver.storage.folder import FolderStorage

__all__ = ['FolderStorage', 'PictureStorage', 'picture_key']
