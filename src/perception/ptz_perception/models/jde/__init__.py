# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The tracking network: boxes and appearances in one pass, made to be robust across scenes."""
