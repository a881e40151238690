# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How a simulated network camera can misbehave, as real ones do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True)
class CameraFaults:
    """Every fault is off by default. A field is set by name, also while the camera runs."""

    no_move_status: bool = False  #: GetStatus leaves MoveStatus out
    always_moving: bool = False  #: GetStatus says MOVING for ever
    no_position: bool = False  #: GetStatus and presets leave positions out
    no_presets: bool = False  #: GetPresets and SetPreset are refused
    preset_gone: str = ''  #: the preset of this name was deleted
    drift: float = 0.0  #: rad that somebody else turned the camera by
    stuck: bool = False  #: a turn ends half way and goes on for ever
    slow: float = 0.0  #: s that every ONVIF answer takes longer
    hang: bool = False  #: ONVIF requests are taken and never answered
    trickle: bool = False  #: ONVIF answers come byte by byte
    reject_password: bool = False  #: the right password is refused too
    clock: float = 0.0  #: s that the camera's clock is ahead
    clock_needs_password: bool = False  #: GetSystemDateAndTime is refused without a token
    vendor: bool = False  #: other namespace prefixes, no optional fields, empty preset slots, tokens that change
    no_synchronization_point: bool = False  #: no keyframe on demand
    no_stream: bool = False  #: RTSP connections are closed at once
    drop_stream: bool = False  #: RTSP connections are closed once; then this is off again
    freeze_stream: bool = False  #: RTSP stays open, and nothing comes
    frozen_picture: bool = False  #: the same picture again and again
    black_picture: bool = False  #: as behind a closed lens
    late: float = 0.0  #: s that pictures come later
    no_sender_reports: bool = False
    wrong_sender_reports: float = 0.0  #: s that their clock is ahead
    no_manual_exposure: bool = False  #: exposure settings are refused
    stale_exposure: bool = False  #: on automatic, time and gain are not reported

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Some faults changed. Raises ValueError that names what is not known, or of the wrong kind."""
        kinds = {field.name: type(field.default) for field in fields(self)}
        parsed = {}
        for name, value in values.items():
            name = name.replace('-', '_')
            if name not in kinds:
                raise ValueError(f'no fault {name!r}; there are {", ".join(sorted(kinds))}')
            parsed[name] = _parsed(name, value, kinds[name])
        return replace(self, **parsed)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """From texts like 'slow=2' or 'stuck'. Raises ValueError."""
        pairs = (text.partition('=') for text in texts)
        return cls().with_values({name: value if sign else True for name, sign, value in pairs})


def _parsed(name: str, value: Any, kind: type) -> Any:
    try:
        if kind is bool and isinstance(value, str):
            return {'true': True, 'false': False}[value.lower()]
        if kind is float and isinstance(value, bool):
            raise ValueError(value)
        return kind(value)
    except (ValueError, KeyError, TypeError):
        wanted = {bool: 'true or false', float: 'a number', str: 'a text'}[kind]
        raise ValueError(f'fault {name}: {value!r} found; allowed: {wanted}') from None
