# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The reference of the site file names every key that the schema has."""

from pathlib import Path

import pytest

from ptz_site import schema

REFERENCE = Path(__file__).parents[3] / 'docs' / 'site-file.md'
KEYS = sorted(
    {
        key
        for model in vars(schema).values()
        if isinstance(model, type) and issubclass(model, schema.Section) and model is not schema.Token
        for key in model.model_fields
    }
)


@pytest.mark.parametrize('key', KEYS)
def test_the_reference_names_every_key(key: str) -> None:
    assert f'`{key}`' in REFERENCE.read_text()
