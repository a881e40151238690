# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A network camera without its network: presets, moves, status, exposure and clock, under whatever faults it has. Times in ns."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

from ptz_sim.camera import SimulatedPtz
from ptz_sim.network.faults import CameraFaults
from ptz_site import NANOSECONDS, OnvifCamera, PtzPosition, Site

#: Where pan and tilt of -1 and +1 are for a camera whose site entry does not say, radians.
_PAN, _TILT = (math.pi, -math.pi), (-math.pi / 2, math.pi / 2)
#: s after which a velocity move without a time limit ends anyway.
LONGEST_MOVE = 60.0


@dataclass(frozen=True)
class Normalized:
    """A position in ONVIF's generic spaces: pan and tilt from -1 to 1, zoom from 0 to 1."""

    pan: float
    tilt: float
    zoom: float


@dataclass(frozen=True)
class Preset:
    """A position that the camera keeps by itself."""

    token: str
    name: str
    position: PtzPosition


@dataclass(frozen=True)
class Command:
    """A move that the camera was told to make, for whoever wants to know the truth."""

    at_ns: int
    standstill_ns: int


class RefusedError(Exception):
    """The camera does not do it; the text goes into the SOAP fault. code: the ONVIF subcode."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NetworkCamera:
    """One camera of a site, as its own computer would run it. All methods may be called from any thread."""

    def __init__(self, site: Site, camera: str, epoch_ns: int, faults: CameraFaults = CameraFaults()) -> None:
        self._site, self.name = site, camera
        self.settings = site.cameras[camera]
        self.ptz = SimulatedPtz(site, camera, epoch_ns)
        self._lock = threading.Lock()
        self._faults = faults
        self._presets = self._first_presets()
        self._next_token = len(self._presets) + 1
        self._commands: list[Command] = []
        self._stuck_since_ns: int | None = None

    @property
    def faults(self) -> CameraFaults:
        """What is wrong with it now."""
        return self._faults

    def change_faults(self, values: dict[str, object], at_ns: int) -> None:
        """Sets some. Raises ValueError."""
        with self._lock:
            before, self._faults = self._faults, self._faults.with_values(values)
            if before.stuck and not self._faults.stuck:
                self._stuck_since_ns = None
            drift = self._faults.drift - before.drift
        if drift:
            at = self.ptz.position(at_ns)
            self.ptz.go_to(replace(at, pan=at.pan + drift), at_ns)

    def clock_ns(self, at_ns: int) -> int:
        """What the camera's own clock says."""
        return at_ns + round(self._faults.clock * NANOSECONDS)

    def commands(self) -> tuple[Command, ...]:
        """All moves so far."""
        with self._lock:
            return tuple(self._commands)

    # Presets

    def presets(self) -> tuple[Preset, ...]:
        """All that it has."""
        with self._lock:
            if self._faults.no_presets:
                raise RefusedError('ter:ActionNotSupported', 'presets are not supported')
            found = [preset for preset in self._presets if preset.name != self._faults.preset_gone]
            if self._faults.vendor:
                # Tokens are numbered from somewhere else, as after an update of the firmware.
                found = [replace(preset, token=f'P{100 + index}') for index, preset in enumerate(found)]
            return tuple(found)

    def keep_preset(self, name: str, token: str, at_ns: int) -> str:
        """Keeps the present position; returns the token."""
        self.presets()
        with self._lock:
            preset = Preset(token or str(self._next_token), name, self.ptz.position(at_ns))
            self._next_token += 1
            self._presets = [one for one in self._presets if one.token != preset.token] + [preset]
            return preset.token

    def go_to_preset(self, token: str, speed: float, at_ns: int) -> None:
        """Turns to a preset. Raises RefusedError."""
        for preset in self.presets():
            if preset.token == token:
                self._move(preset.position, speed, at_ns)
                return
        raise RefusedError('ter:NoToken', 'The requested preset token does not exist.')

    # Moves

    def go_to(self, goal: Normalized, speed: float, at_ns: int) -> None:
        """Turns to a position. Raises RefusedError outside of the range."""
        if not (abs(goal.pan) <= 1 and abs(goal.tilt) <= 1 and 0 <= goal.zoom <= 1):
            raise RefusedError('ter:InvalidPosition', 'The requested position is out of bounds.')
        self._move(self.denormalized(goal), speed, at_ns)

    def go_by(self, pan: float, tilt: float, zoom: float, speed: float, at_ns: int) -> None:
        """Turns by so much of the generic spaces."""
        here = self.normalized(self.ptz.position(at_ns))
        goal = Normalized(_limited(here.pan + pan), _limited(here.tilt + tilt), _limited(here.zoom + zoom, 0.0))
        self._move(self.denormalized(goal), speed, at_ns)

    def move(self, pan: float, tilt: float, zoom: float, seconds: float, at_ns: int) -> None:
        """Turns at a speed, each from -1 to 1, until told otherwise or for so many seconds."""
        here, limits = self.ptz.position(at_ns), self.settings.slew
        signs = math.copysign(1.0, _PAN[1] - _PAN[0]), 1.0
        speed = max(abs(pan), abs(tilt))
        goal = PtzPosition(
            here.pan + signs[0] * pan * limits.speed * seconds,
            max(-math.pi / 2, min(math.pi / 2, here.tilt + tilt * limits.speed * seconds)),
            min(max(here.zoom * 2 ** (zoom * limits.zoom_rate * seconds), self.settings.zoom[0]), self.settings.zoom[1]),
        )
        self._move(goal, speed or 1.0, at_ns)

    def stop(self, at_ns: int) -> None:
        """Ends a move where the camera is."""
        self.ptz.go_to(self.ptz.position(at_ns), at_ns)

    def is_moving(self, at_ns: int) -> bool:
        """What MoveStatus says."""
        return self._faults.always_moving or self._stuck_since_ns is not None or self.ptz.is_moving(at_ns)

    def position(self, at_ns: int) -> Normalized:
        """What GetStatus says."""
        return self.normalized(self.ptz.position(at_ns))

    def normalized(self, position: PtzPosition) -> Normalized:
        """A position in the generic spaces."""
        pan, tilt = self._ranges()
        low, high = self.settings.zoom
        zoom = (position.zoom - low) / (high - low) if high > low else 0.0
        return Normalized(_share(position.pan, pan), _share(position.tilt, tilt), zoom)

    def denormalized(self, position: Normalized) -> PtzPosition:
        """A position of the generic spaces in radians and magnification."""
        (pan_low, pan_high), (tilt_low, tilt_high) = self._ranges()
        low, high = self.settings.zoom
        return PtzPosition(
            pan_low + (position.pan + 1) / 2 * (pan_high - pan_low),
            tilt_low + (position.tilt + 1) / 2 * (tilt_high - tilt_low),
            low + position.zoom * (high - low),
        )

    def _ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        if isinstance(self.settings, OnvifCamera):
            pan, tilt = self.settings.pan_range, self.settings.tilt_range
            return (math.radians(pan[0]), math.radians(pan[1])), (math.radians(tilt[0]), math.radians(tilt[1]))
        return _PAN, _TILT

    def _move(self, goal: PtzPosition, speed: float, at_ns: int) -> None:
        with self._lock:
            if self._faults.stuck:
                here = self.ptz.position(at_ns)
                goal = PtzPosition((here.pan + goal.pan) / 2, (here.tilt + goal.tilt) / 2, (here.zoom + goal.zoom) / 2)
                self._stuck_since_ns = at_ns
            self.ptz.go_to(goal, at_ns, self.settings.slew.slowed(min(max(speed, 0.02), 1.0)))
            self._commands = [*self._commands[-999:], Command(at_ns, self.ptz.standstill_ns(at_ns))]

    def _first_presets(self) -> list[Preset]:
        found = []
        for number, scene in enumerate(self.settings.presets, 1):
            polygon = self._site.scenes[scene].polygon
            position = self._site.preset(self.name, scene)
            if position is None and polygon is not None and self.settings.pose is not None:
                position = self._site.aim(self.name, scene)
            if position is not None:
                found.append(Preset(str(number), self._site.preset_name(self.name, scene), position))
        return found


def _limited(value: float, least: float = -1.0) -> float:
    return min(max(value, least), 1.0)


def _share(value: float, ends: tuple[float, float]) -> float:
    return 2 * (value - ends[0]) / (ends[1] - ends[0]) - 1
