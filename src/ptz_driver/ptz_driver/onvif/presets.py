# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Which of a camera's presets the site means."""

from __future__ import annotations

from collections.abc import Sequence

from ptz_driver.onvif.client import PtzPreset
from ptz_site import UserError


class PresetMissingError(UserError):
    """The camera has no such preset."""


def find_preset(presets: Sequence[PtzPreset], wanted: str) -> PtzPreset:
    """The preset of a name or, failing that, of a token. Names first: tokens change when a camera starts again.

    Raises PresetMissingError, and also if several presets have that name.
    """
    folded = wanted.casefold().strip()
    exact = [preset for preset in presets if preset.name == wanted]
    named = exact or [preset for preset in presets if preset.name.casefold() == folded]
    if len(named) > 1:
        tokens = ', '.join(preset.token for preset in named)
        raise PresetMissingError(f'{len(named)} presets are called {wanted!r} (tokens {tokens}); give the token of one of them')
    found = named or [preset for preset in presets if preset.token == wanted]
    if not found:
        known = ', '.join(preset.name or preset.token for preset in presets[:20])
        raise PresetMissingError(f'the camera has no preset {wanted!r}; it has {known or "none"}')
    return found[0]
