# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks at frames: a thread that always takes the newest one, or whoever brings one, which loses none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Item = TypeVar('Item')
Given = TypeVar('Given', contravariant=True)


class Worker(Protocol[Given]):
    """Who works at items. skipped: items that nobody worked at."""

    skipped: int

    def give(self, item: Given) -> None:
        """Gives an item."""

    @property
    def busy(self) -> bool:
        """Whether an item waits or is worked at. While it is not, nobody works until somebody gives an item."""

    def close(self) -> None:
        """Ends the work."""


class InTurn(Generic[Item]):
    """Implements Worker: works at every item at once, while who gives it waits."""

    def __init__(self, work: Callable[[Item], None], on_error: Callable[[Item, Exception], None]) -> None:
        self._work, self._on_error = work, on_error
        self.skipped = 0

    def give(self, item: Item) -> None:
        """Returns when it is done."""
        try:
            self._work(item)
        except Exception as error:
            self._on_error(item, error)

    @property
    def busy(self) -> bool:
        """Nothing ever waits."""
        return False

    def close(self) -> None:
        """Nothing is left to end."""


class LatestWorker(Generic[Item]):
    """Implements Worker: hands items to work() in a thread; never more than one waits. skipped: items that a newer one replaced.

    An exception of work() goes to on_error together with the item, and the thread goes on.
    """

    def __init__(self, work: Callable[[Item], None], on_error: Callable[[Item, Exception], None]) -> None:
        self._work, self._on_error = work, on_error
        self._condition = threading.Condition()
        self._waiting: Item | None = None
        self._working = self._ended = False
        self.skipped = 0
        self._thread = threading.Thread(target=self._run, name='worker', daemon=True)
        self._thread.start()

    def give(self, item: Item) -> None:
        """Gives an item; one that still waits is skipped and counted."""
        with self._condition:
            self.skipped += self._waiting is not None
            self._waiting = item
            self._condition.notify()

    @property
    def busy(self) -> bool:
        """Whether an item waits or is worked at. While it is not, nobody works until somebody gives an item."""
        with self._condition:
            return self._waiting is not None or self._working

    def close(self) -> None:
        """Ends the thread after the item that it is at."""
        with self._condition:
            self._ended = True
            self._condition.notify()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._waiting is None and not self._ended:
                    self._condition.wait()
                if self._ended:
                    return
                item, self._waiting, self._working = self._waiting, None, True
            assert item is not None
            try:
                self._work(item)
            except Exception as error:
                self._on_error(item, error)
            finally:
                with self._condition:
                    self._working = False
