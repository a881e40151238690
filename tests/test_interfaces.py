# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Every field of every message says what it is."""

from pathlib import Path

import pytest

MESSAGES = Path(__file__).parents[1] / 'src' / 'ptz_collab_msgs'
FILES = sorted([*MESSAGES.glob('msg/*.msg'), *MESSAGES.glob('srv/*.srv'), *MESSAGES.glob('action/*.action')])


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_field_has_a_comment(path: Path) -> None:
    for line in path.read_text().splitlines():
        code = line.split('#')[0].strip()
        if code and code != '---':
            assert '#' in line, f'{path.name}: {code} has no comment'


def test_there_are_interfaces() -> None:
    assert len(FILES) > 15
