# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One connection to an ONVIF camera: what was learnt of it, and the turns that the site knows. For one thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ptz_driver.onvif.client import (
    DeviceInformation,
    MediaProfile,
    NotAuthorizedError,
    OnvifClient,
    OnvifError,
    PtzPreset,
    RefusedError,
)
from ptz_driver.onvif.clock_offset import ClockOffset, bounds
from ptz_driver.onvif.presets import PresetMissingError, find_preset
from ptz_driver.onvif.spaces import Ranges
from ptz_site import NANOSECONDS, PtzPosition

T = TypeVar('T')


@dataclass(frozen=True)
class Goal:
    """Where a turn goes: to a preset of the camera (its name or token), to a position, or to the preset and else to the position."""

    preset: str = ''
    position: PtzPosition | None = None


@dataclass(frozen=True)
class Learnt:
    """What a camera said of itself when it was connected."""

    information: DeviceInformation
    profile: MediaProfile
    stream_uri: str
    presets: tuple[PtzPreset, ...]
    absolute: bool
    tours_stopped: int


def choose_profile(profiles: tuple[MediaProfile, ...], wanted: str) -> MediaProfile:
    """The profile that the site names, or the first one with which the camera can turn. Raises RefusedError."""
    known = ', '.join(f'{profile.name} ({profile.token})' for profile in profiles) or 'none'
    if wanted:
        found = [profile for profile in profiles if wanted in (profile.name, profile.token)]
        if not found:
            raise RefusedError(f'profile: the camera has no profile {wanted!r}; it has {known}')
        if not found[0].node:
            able = ', '.join(profile.name for profile in profiles if profile.node) or 'none of them can'
            raise RefusedError(f"profile: {wanted!r} can't turn the camera; leave profile out, or give one that can: {able}")
        return found[0]
    turning = [profile for profile in profiles if profile.node]
    if not turning:
        raise RefusedError(f'none of its profiles ({known}) can turn the camera; set PTZ up in one of them')
    return turning[0]


class CameraSession:
    """A connected camera. All methods raise OnvifError; now_ns is the driver's clock."""

    def __init__(self, client: OnvifClient, now_ns: Callable[[], int], ranges: Ranges) -> None:
        self.client, self._now_ns, self._ranges = client, now_ns, ranges

    def read_clock(self) -> tuple[ClockOffset, int]:
        """The camera's clock, and how long the answer took in ns."""
        sent = self._now_ns()
        seconds = self.client.clock_seconds()
        received = self._now_ns()
        return bounds(sent, received, seconds), received - sent

    def connect(self, profile: str, fetch: Callable[[OnvifClient, str], str]) -> Learnt:
        """Learns what there is to know. fetch: where the pictures of a profile are."""
        client = self.client
        services = client.connect()
        if not services.media or not services.ptz:
            raise RefusedError(f'the camera has no {"media" if not services.media else "PTZ"} service; use a PTZ camera')
        chosen = choose_profile(client.profiles(), profile)
        # What a camera claims may be wrong, and what it refuses here it may do all the same.
        node = _if_told(lambda: client.node(chosen.node))
        presets = _if_told(lambda: client.presets(chosen.token)) or ()
        tours = _if_told(lambda: client.stop_tours(chosen.token)) or 0
        information = _if_told(client.information) or DeviceInformation()
        absolute = node is None or node.absolute
        return Learnt(information, chosen, fetch(client, chosen.token), presets, absolute, tours)

    def turn(self, learnt: Learnt, goal: Goal, speed: float) -> None:
        """Begins a turn."""
        token = learnt.profile.token
        if not goal.preset:
            assert goal.position is not None
            self.client.go_to(token, self._ranges.vector(goal.position), speed)
            return
        try:
            self._turn_to_preset(learnt, goal.preset, speed)
        except (PresetMissingError, RefusedError) as error:
            if goal.position is None:
                raise RefusedError(f'{error}; set the preset in the camera, or give pan, tilt and zoom') from None
            self.client.go_to(token, self._ranges.vector(goal.position), speed)

    def _turn_to_preset(self, learnt: Learnt, name: str, speed: float) -> None:
        token = learnt.profile.token
        if learnt.presets:
            try:
                self.client.go_to_preset(token, find_preset(learnt.presets, name).token, speed)
                return
            except (PresetMissingError, RefusedError):
                # Tokens may have changed since, and presets may have been set.
                presets = self.client.presets(token)
                self.client.go_to_preset(token, find_preset(presets, name).token, speed)
                return
        # A camera that can't list its presets may know their tokens all the same.
        self.client.go_to_preset(token, name, speed)


def _if_told(ask: Callable[[], T]) -> T | None:
    """An answer, or None from a camera that does not give it."""
    try:
        return ask()
    except NotAuthorizedError:
        raise
    except (RefusedError, OnvifError):
        return None


def is_later(at_ns: int, than_ns: int, seconds: float) -> bool:
    """Whether an instant is later than another by so many seconds."""
    return at_ns - than_ns >= seconds * NANOSECONDS
