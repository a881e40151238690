# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What all parts of the site file have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

#: Ids become ROS topic names, so they keep to what those allow.
Name = Annotated[str, StringConstraints(pattern=r'^[a-z][a-z0-9_]*$', max_length=40)]
Point = tuple[float, float]


class Section(BaseModel):
    """A part of the site file: immutable, and strict about unknown keys, so that a typing error is not ignored."""

    # Built when a site is loaded, which not every command does; what builds each part by itself before that takes longer.
    model_config = ConfigDict(extra='forbid', frozen=True, defer_build=True)
