# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Takes packages, keeps them, and sends them in a thread of its own."""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ptz_perception.upload.database import QueueError
from ptz_perception.upload.package_queue import Limits, PackageQueue, Put, Rank, WaitingPackage
from ptz_perception.upload.receiver import Receiver
from ptz_perception.upload.schedule import (
    TRIES_UNTIL_STUCK,
    Kind,
    Outcome,
    Pacing,
    Progress,
    Verdict,
    Wait,
    Waiting,
    after,
    decide,
)
from ptz_site import NANOSECONDS, Site
from ptz_site.frame_package import FramePackage

#: s until the disk, which failed, is tried again.
_DISK_PAUSE = 2.0
#: s that close() leaves to the package that is being sent, and s until it leaves the thread to itself.
_GRACE, _END = 1.0, 1.0
#: Packages that were sent and can't be removed; with more of them nothing is sent until the disk works again.
_MOST_SETTLING = 500
#: s that a start waits for the process before it, which may still be about to end.
_WAIT_FOR_QUEUE = 5.0


class Sender(Protocol):
    """What sends a package; Receiver does."""

    def send(self, package: WaitingPackage) -> Outcome:
        """Sends it, and raises nothing."""

    def close(self) -> None:
        """Ends a call that is on. From another thread."""


@dataclass(frozen=True)
class UploadStatus:
    """How the uploading goes, for the diagnostics.

    waiting, waiting_bytes, refused_kept and stuck are on disk now; the other numbers count since the start. sent_bytes: with the documents.
    refused: the receiver does not want them. dropped: went for want of room. not_kept: the disk did not take them. failing_since_ns: ns
    since 1970; None: the last try went well, or there was none. last_error, last_refusal: the newest ones, as a sentence; empty: none.
    disk_error: why the last write failed; empty: it went well. moved_aside: a damaged queue, where it is now. oldest_age: s that the
    oldest one waits.
    """

    waiting: int
    waiting_bytes: int
    sent: int
    sent_bytes: int
    refused: int
    refused_kept: int
    dropped: int
    not_kept: int
    stuck: int
    failing_since_ns: int | None
    last_error: str
    last_refusal: str
    disk_error: str
    moved_aside: Path | None
    oldest_age: float


@dataclass
class _Counts:
    sent: int = 0
    sent_bytes: int = 0
    refused: int = 0
    not_kept: int = 0
    failing_since_ns: int | None = None
    last_error: str = ''
    last_refusal: str = ''
    disk_error: str = ''


class Uploader:
    """Sends what is in a queue: immediate packages at once, the others one at each send_period.

    A package is removed when the receiver has said that it has it, and then only; whatever else happens, it is sent again. So the
    receiver may get one twice, and knows it by its id.
    """

    def __init__(self, queue: PackageQueue, sender: Sender, pacing: Pacing, chance: random.Random | None = None) -> None:
        self._queue, self._sender, self._pacing = queue, sender, pacing
        self._chance = chance or random.Random()
        self._progress = Progress()
        self._counts = _Counts()
        self._lock = threading.Lock()
        # Of the thread alone. settling: dealt with, but not on disk yet; the value is why it was refused, empty for sent ones.
        self._settling: dict[str, str] = {}
        self._tries: dict[str, int] = {}
        self._stuck: dict[str, None] = {}
        self._condition = threading.Condition()
        self._woken = self._ended = False
        self._thread = threading.Thread(target=self._run, name='upload', daemon=True)
        self._thread.start()

    def put(self, package: FramePackage, picture: bytes) -> Put:
        """Keeps a package and has it sent. Takes as long as the disk does, never as long as the network. Raises nothing."""
        try:
            result = self._queue.put(package, picture)
        except QueueError as error:
            self._disk(str(error))
            with self._lock:
                self._counts.not_kept += 1
            return Put.DISK_ERROR
        self._disk('')
        self._wake()
        return result

    def status(self) -> UploadStatus:
        """How it goes. Waits neither for the disk nor for the network."""
        backlog = self._queue.backlog
        age = 0.0 if backlog.oldest_ns is None else max(0.0, (time.time_ns() - backlog.oldest_ns) / NANOSECONDS)
        with self._lock:
            counts = self._counts
            return UploadStatus(
                waiting=backlog.waiting,
                waiting_bytes=backlog.bytes,
                sent=counts.sent,
                sent_bytes=counts.sent_bytes,
                refused=counts.refused,
                refused_kept=backlog.refused,
                dropped=self._queue.dropped,
                not_kept=counts.not_kept,
                stuck=len(self._stuck),
                failing_since_ns=counts.failing_since_ns,
                last_error=counts.last_error,
                last_refusal=counts.last_refusal,
                disk_error=counts.disk_error,
                moved_aside=self._queue.moved_aside,
                oldest_age=age,
            )

    def close(self) -> None:
        """Ends the thread and closes the queue, within about two seconds even while a call is on. What waits is for later."""
        with self._condition:
            self._ended = True
            self._condition.notify()
        self._thread.join(_GRACE)
        self._sender.close()
        self._thread.join(_END)
        self._queue.close()

    # In the thread

    def _run(self) -> None:
        while True:
            with self._condition:
                if self._ended:
                    break
                self._woken = False
            try:
                seconds = self._step()
            except Exception as error:
                # Whatever it is, pictures go on to be kept, and it is said.
                self._failed(f'uploading failed: {error!r}')
                seconds = _DISK_PAUSE
            with self._condition:
                self._condition.wait_for(lambda: self._woken or self._ended, seconds)
        # What was sent last would be sent again at the next start.
        self._settle()

    def _step(self) -> float | None:
        """Does one thing. Returns s until there may be something to do again; None: until a package comes."""
        try:
            settled = self._settle()
            decision = decide(self._waiting(), self._progress, time.monotonic_ns())
            if isinstance(decision, Wait):
                return decision.seconds if settled else min(_DISK_PAUSE, decision.seconds or _DISK_PAUSE)
            if len(self._settling) >= _MOST_SETTLING:
                return _DISK_PAUSE
            package = self._choose(decision.kind)
        except QueueError as error:
            self._disk(str(error))
            return _DISK_PAUSE
        if package is not None:
            self._try(package, decision.kind)
        return 0.0

    def _try(self, package: WaitingPackage, kind: Kind) -> None:
        begun_ns = time.monotonic_ns()
        outcome = self._sender.send(package)
        self._progress = after(
            self._progress, kind, outcome, self._pacing, begun_ns, time.monotonic_ns(), jitter=self._chance.random()
        )
        match outcome.verdict:
            case Verdict.SENT:
                self._settling[package.id] = ''
                self._went_well(sent_bytes=len(package.document.encode()) + len(package.picture))
            case Verdict.REFUSED:
                self._settling[package.id] = outcome.sentence
                self._went_well(refusal=f'{package.id} was refused: {outcome.sentence}')
            case Verdict.FAILED:
                self._pass_over(package.id)
                self._failed(outcome.sentence)
            case Verdict.AWAY | Verdict.WRONG_TOKEN:
                self._failed(outcome.sentence)

    def _pass_over(self, package_id: str) -> None:
        self._tries[package_id] = self._tries.get(package_id, 0) + 1
        if self._tries[package_id] >= TRIES_UNTIL_STUCK:
            # At the end, so that stuck ones take turns.
            self._stuck.pop(package_id, None)
            self._stuck[package_id] = None

    def _went_well(self, sent_bytes: int = 0, refusal: str = '') -> None:
        with self._lock:
            self._counts.failing_since_ns = None
            if refusal:
                self._counts.refused += 1
                self._counts.last_refusal = refusal
            else:
                self._counts.sent += 1
                self._counts.sent_bytes += sent_bytes

    def _failed(self, sentence: str) -> None:
        with self._lock:
            self._counts.last_error = sentence
            if self._counts.failing_since_ns is None:
                self._counts.failing_since_ns = time.time_ns()

    def _settle(self) -> bool:
        """Removes what was sent and puts aside what was refused. False: the disk does not do it now."""
        for package_id, reason in list(self._settling.items()):
            try:
                if reason:
                    self._queue.refuse(package_id, reason)
                else:
                    self._queue.done(package_id)
            except QueueError as error:
                self._disk(str(error))
                return False
            self._disk('')
            del self._settling[package_id]
            self._tries.pop(package_id, None)
            self._stuck.pop(package_id, None)
        return True

    def _waiting(self) -> Waiting:
        backlog = self._queue.look()
        set_apart = self._tries.keys() | self._settling.keys()
        if not set_apart:
            return Waiting(backlog.immediate, backlog.queued)
        # They may have gone meanwhile, for want of room.
        ranks = self._queue.ranks(set_apart)
        self._tries = {package_id: tries for package_id, tries in self._tries.items() if package_id in ranks}
        self._stuck = {package_id: None for package_id in self._stuck if package_id in ranks}
        passed_over = [ranks[package_id] for package_id in self._without() if package_id in ranks]
        return Waiting(
            immediate=max(0, backlog.immediate - passed_over.count(Rank.IMMEDIATE)),
            queued=max(0, backlog.queued - passed_over.count(Rank.QUEUED)),
            stuck=len(self._stuck.keys() - self._settling.keys()),
        )

    def _without(self) -> set[str]:
        return self._stuck.keys() | self._settling.keys()

    def _choose(self, kind: Kind) -> WaitingPackage | None:
        if kind is Kind.STUCK:
            return self._queue.get(next(package_id for package_id in self._stuck if package_id not in self._settling))
        return self._queue.oldest(Rank.IMMEDIATE if kind is Kind.IMMEDIATE else Rank.QUEUED, self._without())

    def _disk(self, error: str) -> None:
        with self._lock:
            self._counts.disk_error = error

    def _wake(self) -> None:
        with self._condition:
            self._woken = True
            self._condition.notify()


def make_uploader(site: Site, camera: str, folder: Path) -> Uploader | None:
    """The uploader of a camera; None if the site uploads nothing. folder: of the site file. Raises UserError."""
    settings = site.perception.upload
    if settings is None:
        return None
    receiver = Receiver(settings, folder)
    path = queue_folder(site, folder) / f'{camera}.sqlite'
    queue = PackageQueue(path, Limits(settings.max_bytes, settings.max_count), _WAIT_FOR_QUEUE)
    return Uploader(queue, receiver, Pacing(settings.send_period))


def queue_folder(site: Site, folder: Path) -> Path:
    """Where a site's packages wait: as it says, relative to folder, or in the user's ROS folder."""
    settings = site.perception.upload
    if settings is not None and settings.folder:
        return folder / Path(settings.folder).expanduser()
    home = Path(os.environ.get('ROS_HOME') or Path.home() / '.ros')
    return home / 'ptz_collab' / site.region.name / 'upload'
