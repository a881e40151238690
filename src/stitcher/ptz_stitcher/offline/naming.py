# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Names in recordings become names of files and topics, so only such are taken as a site file may have."""

from __future__ import annotations

from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from ptz_site.schema.section import Name

_NAME: TypeAdapter[str] = TypeAdapter(Name)


@lru_cache(maxsize=1024)
def is_name(text: str) -> bool:
    """Whether a region, scene or camera may be called so."""
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True
