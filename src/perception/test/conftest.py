# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of perception."""

from pathlib import Path

import pytest

from ptz_site import Site, load_site

DEMO = Path(__file__).parents[2] / 'collab_bringup' / 'config' / 'demo.yaml'


@pytest.fixture(scope='session')
def demo_site() -> Site:
    """The simulated yard of the demo."""
    return load_site(DEMO)
