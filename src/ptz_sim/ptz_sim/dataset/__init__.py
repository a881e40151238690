# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures, sequences and identities of random simulated scenes, to train and test models with."""
