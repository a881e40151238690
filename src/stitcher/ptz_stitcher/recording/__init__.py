# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Files that survive a crash: rosbag2 bags in MCAP, and MP4 videos."""

from ptz_stitcher.recording.errors import PictureRefusedError, RecordingError
from ptz_stitcher.recording.mcap_bag import BagWriter, TopicType
from ptz_stitcher.recording.mp4 import Chapter, EncodedPicture, VideoWriter

__all__ = ['BagWriter', 'Chapter', 'EncodedPicture', 'PictureRefusedError', 'RecordingError', 'TopicType', 'VideoWriter']
