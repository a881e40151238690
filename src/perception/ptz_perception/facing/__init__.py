# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which way people are turned: by their pictures, and by where they walk."""
