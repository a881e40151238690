# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets of labelled pictures: those of users in the usual formats, and pictures gathered from recordings."""

from ptz_perception.datasets.data_set import DataSet, DataSetKind, LabelledPicture, LabelledScene, Split
from ptz_perception.datasets.faults import Fault, FaultKind
from ptz_perception.datasets.reading import find, kind_of, read

__all__ = ['DataSet', 'DataSetKind', 'Fault', 'FaultKind', 'LabelledPicture', 'LabelledScene', 'Split', 'find', 'kind_of', 'read']
