# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What recordings are taken apart into: the same things that the live stitcher receives over topics."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from ptz_site import Plan
from ptz_stitcher.retouch import Look
from ptz_stitcher.segments import FrameHeader
from ptz_stitcher.sequence_writer import Frame


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """A picture with its header. at_ns: its place among the events of all inputs, as in all events."""

    at_ns: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class HeaderEvent:
    """The header of a picture that is elsewhere, or nowhere any more; message: serialized."""

    at_ns: int
    header: FrameHeader
    message: bytes


@dataclass(frozen=True, slots=True)
class StateEvent:
    """A camera's state; message: serialized."""

    at_ns: int
    camera: str
    stamp_ns: int
    message: bytes


@dataclass(frozen=True, slots=True)
class TracksEvent:
    """What was tracked in a frame of a scene; message: serialized."""

    at_ns: int
    camera: str
    stamp_ns: int
    message: bytes
    scene: str
    look: Look


@dataclass(frozen=True, slots=True)
class PlanEvent:
    """A plan revision; message: serialized."""

    at_ns: int
    plan: Plan
    message: bytes


Event = FrameEvent | HeaderEvent | StateEvent | TracksEvent | PlanEvent


class Notebook(Protocol):
    """Takes what somebody should know of an input; each is one line that names it."""

    def problem(self, text: str) -> None:
        """Something could not be read, or not wholly."""

    def note(self, text: str) -> None:
        """Nothing is wrong, but the result may not be what was expected."""

    def read(self, size: int) -> None:
        """So many more bytes of the inputs are done."""


class Source(Protocol):
    """An input that can be read. size: bytes. region: empty if it does not say."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def regions(self) -> frozenset[str]:
        """The regions that it is of; none if it does not say."""

    @property
    def has_plans(self) -> bool:
        """Whether it says when the rotation was."""

    @property
    def slowest_period_ns(self) -> int:
        """Between two frames of its slowest camera; 0: it does not say."""

    def events(self, region: str, notebook: Notebook) -> Generator[Event, None, None]:
        """What is in it about a region, about in the order of time. Ends early, with a problem, where it can't be read any more."""
