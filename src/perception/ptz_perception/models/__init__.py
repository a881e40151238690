# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Networks, their training and export, with PyTorch: what runs on the graph uses the exported models and never imports this."""
