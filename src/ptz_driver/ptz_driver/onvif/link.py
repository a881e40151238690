# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that talks to an ONVIF camera: connects, turns, asks for its status, and connects again.

Nobody waits for it but who asks it to: commands are taken at once, and what became of them is in the state.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from ptz_driver.arrival import PtzStatus
from ptz_driver.health import Fault
from ptz_driver.onvif.client import (
    AnswerError,
    CertificateError,
    NotAuthorizedError,
    OnvifClient,
    OnvifError,
    RefusedError,
    UnreachableError,
)
from ptz_driver.onvif.clock_offset import ClockOffset, narrowed, next_question_ns
from ptz_driver.onvif.retry import RetryPolicy
from ptz_driver.onvif.session import CameraSession, Goal, Learnt, is_later
from ptz_driver.onvif.spaces import Ranges
from ptz_driver.onvif.vigil import Vigil
from ptz_site import NANOSECONDS, Credentials, PtzPosition, UserError

T = TypeVar('T')

#: s between two GetStatus while the camera turns, and while it rests.
STATUS_PERIOD, REST_PERIOD = 0.2, 5.0
#: s after which the camera's clock is measured anew.
_CLOCK_PERIOD = 300.0
_MOST_QUESTIONS = 12
#: ns between two questions; and after so many without a fine answer, because the camera or this machine is slow for now.
_SOON_NS, _LATER_NS = NANOSECONDS // 4, 5 * NANOSECONDS
#: s between two requests for keyframes.
_KEYFRAME_PERIOD = 0.3
#: s that an interest in the status lasts.
_INTEREST = 0.3
_CALL_TIMEOUT = 10.0
#: s after which a camera may refuse the right password, because its digest says when it was made.
_DIGEST_LIFE = 2.0
_HOUR = 3600.0


@dataclass(frozen=True)
class LinkOptions:
    """What the site says of a camera. profile: empty: any that turns. status: whether to ask the camera where it is."""

    profile: str
    ranges: Ranges
    status: bool
    tolerance: float
    manual_pause: float


@dataclass(frozen=True)
class LinkState:
    """What is known now; a copy. status: the newest since the last command, at the middle of its question and answer."""

    learnt: Learnt | None = None
    fault: Fault = Fault.NONE
    text: str = ''
    status: PtzStatus | None = None
    resting: PtzPosition | None = None
    offset: ClockOffset | None = None
    manual_seconds: float = 0.0
    moves_last_hour: int = 0
    connections: int = 0


@dataclass(frozen=True)
class _Order:
    goal: Goal
    speed: float
    at_ns: int


class CameraLink:
    """All methods may be called from any thread. make_client: a client for the credentials that the second argument gives now."""

    def __init__(
        self,
        options: LinkOptions,
        make_client: Callable[[Credentials], OnvifClient],
        credentials: Callable[[], Credentials],
        fetch: Callable[[OnvifClient, str], str],
        now_ns: Callable[[], int],
    ) -> None:
        self._options, self._now_ns = options, now_ns
        self._make_client, self._credentials, self._fetch = make_client, credentials, fetch
        self._condition = threading.Condition()
        self._state = LinkState()
        self._retry = RetryPolicy()
        self._vigil = Vigil(max(2 * options.tolerance, 0.01), options.manual_pause)
        self._session: CameraSession | None = None
        self._tried = Credentials()
        self._order: _Order | None = None
        self._calls: deque[tuple[Callable[[OnvifClient, Learnt], Any], Future[Any]]] = deque()
        self._keyframe = False
        self._interest_until_ns = 0
        self._asked_ns = self._keyframe_ns = self._clock_ns = self._clock_due_ns = 0
        self._delay_ns = self._questions = 0
        self._moves: deque[int] = deque()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name='onvif', daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def end(self) -> None:
        """Ends it, within the time limit of a call."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join(timeout=4.0)

    def state(self) -> LinkState:
        """What is known now."""
        now = self._now_ns()
        with self._condition:
            while self._moves and is_later(now, self._moves[0], _HOUR):
                self._moves.popleft()
            return replace(self._state, manual_seconds=self._vigil.seconds_left(now), moves_last_hour=len(self._moves))

    def turn(self, goal: Goal, speed: float, at_ns: int) -> None:
        """Turns as soon as possible; a newer command takes the place of one that was not sent yet."""
        with self._condition:
            self._order = _Order(goal, speed, at_ns)
            self._state = replace(self._state, status=None)
            if self._state.learnt is not None:
                # What was refused before says nothing about this one.
                self._state = replace(self._state, fault=Fault.NONE, text='')
            self._vigil.commanded()
            self._condition.notify_all()

    def watch(self) -> None:
        """Somebody wants to know the status; to be called again and again for as long as that is so."""
        with self._condition:
            before, self._interest_until_ns = self._interest_until_ns, self._now_ns() + round(_INTEREST * NANOSECONDS)
            if before < self._now_ns():
                self._condition.notify_all()

    def want_keyframe(self) -> None:
        """Asks for a picture that can be decoded without an earlier one."""
        with self._condition:
            self._keyframe = True
            self._condition.notify_all()

    def call(self, function: Callable[[OnvifClient, Learnt], T]) -> T:
        """Has something asked, and waits for the answer. Raises OnvifError."""
        future: Future[T] = Future()
        with self._condition:
            self._calls.append((function, future))
            self._condition.notify_all()
        try:
            return future.result(_CALL_TIMEOUT)
        except FutureTimeoutError:
            future.cancel()
            raise UnreachableError('the camera is busy, or not connected') from None

    # The thread

    def _run(self) -> None:
        while not self._ended:
            task = self._next_task()
            if task is None:
                continue
            try:
                task()
            except OnvifError as error:
                self._failed(error)
            except Exception as error:
                # Whatever a camera answers: a thread that ends would leave it without anybody.
                self._failed(AnswerError(f"an answer of the camera can't be dealt with ({type(error).__name__})"))

    def _next_task(self) -> Callable[[], None] | None:
        """What is due, the most urgent first; waits if nothing is."""
        with self._condition:
            now = self._now_ns()
            if self._session is None or self._state.learnt is None:
                credentials = self._known_credentials()
                if credentials is not None and self._retry.may_try(now, credentials):
                    return partial(self._connect, credentials)
                self._condition.wait(0.1)
                return None
            due: list[tuple[bool, Callable[[], None]]] = [
                (self._order is not None, self._turn),
                (self._keyframe and is_later(now, self._keyframe_ns, _KEYFRAME_PERIOD), self._ask_keyframe),
                (self._is_status_due(now), self._ask_status),
                (bool(self._calls), self._answer_call),
                (now >= self._clock_due_ns, self._ask_clock),
            ]
            for is_due, task in due:
                if is_due:
                    return task
            self._condition.wait(0.02 if self._keyframe or now < self._interest_until_ns else 0.1)
            return None

    def _is_status_due(self, now: int) -> bool:
        if not self._options.status:
            return False
        return is_later(now, self._asked_ns, STATUS_PERIOD if now < self._interest_until_ns else REST_PERIOD)

    def _known_credentials(self) -> Credentials | None:
        """None while they can't be read; somebody may be about to write the file."""
        try:
            return self._credentials()
        except UserError as error:
            self._set(fault=Fault.REFUSED, text=str(error))
            return None

    def _connect(self, credentials: Credentials) -> None:
        self._tried = credentials
        session = CameraSession(self._make_client(credentials), self._now_ns, self._options.ranges)
        # Without a password first: its digest needs the camera's time.
        offset, self._delay_ns = session.read_clock()
        session.client.set_clock_offset(offset.seconds)
        begin = self._now_ns()
        try:
            learnt = session.connect(self._options.profile, self._fetch)
        except NotAuthorizedError:
            answer, self._delay_ns = session.read_clock()
            if offset.agrees(answer) and not is_later(self._now_ns(), begin, _DIGEST_LIFE):
                raise
            # That was the clock, set meanwhile, or a digest that had grown old, and says nothing of the password.
            offset = answer
            session.client.set_clock_offset(offset.seconds)
            learnt = session.connect(self._options.profile, self._fetch)
        with self._condition:
            self._session = session
            self._retry.succeeded()
            now = self._now_ns()
            self._clock_ns = self._clock_due_ns = now
            connections = self._state.connections + 1
            self._state = replace(
                self._state, learnt=learnt, offset=offset, fault=Fault.NONE, text='', connections=connections, status=None
            )
            self._vigil.commanded()

    def _turn(self) -> None:
        with self._condition:
            order, session, learnt = self._order, self._session, self._state.learnt
        assert order is not None and session is not None and learnt is not None
        self._authorized(lambda: session.turn(learnt, order.goal, order.speed))
        with self._condition:
            if self._order is order:
                self._order = None
            self._moves.append(self._now_ns())
            self._state = replace(self._state, fault=Fault.NONE, text='', status=None, resting=None)
            # The camera needs a moment until it says that it moves.
            self._asked_ns = self._now_ns()
            self._keyframe = True

    def _ask_keyframe(self) -> None:
        learnt, session = self._connected()
        with self._condition:
            self._keyframe, self._keyframe_ns = False, self._now_ns()
        try:
            self._authorized(lambda: session.client.synchronize(learnt.profile.token))
        except NotAuthorizedError:
            raise
        except RefusedError:
            return  # It can't; keyframes come when they come.

    def _ask_status(self) -> None:
        learnt, session = self._connected()
        sent = self._asked_ns = self._now_ns()
        found = self._authorized(lambda: session.client.status(learnt.profile.token))
        at = (sent + self._now_ns()) // 2
        position = None if found.position is None else self._options.ranges.position(found.position)
        with self._condition:
            if self._order is not None:
                return  # Said before the next turn began: it would look as if that one was over already.
            watched = sent < self._interest_until_ns
            self._state = replace(self._state, status=PtzStatus(at, position, found.moving), resting=position)
            if position is not None and not watched and self._vigil.look(position, at):
                text = f'somebody else moves the camera; it is left alone for {self._options.manual_pause:g} s'
                self._state = replace(self._state, fault=Fault.MANUAL, text=text)
            elif self._state.fault is Fault.MANUAL and not self._vigil.seconds_left(at):
                self._state = replace(self._state, fault=Fault.NONE, text='')

    def _answer_call(self) -> None:
        learnt, session = self._connected()
        with self._condition:
            function, future = self._calls.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self._authorized(lambda: function(session.client, learnt)))
        except OnvifError as error:
            future.set_exception(error)
            if not isinstance(error, RefusedError):
                raise

    def _ask_clock(self) -> None:
        """Measures the clock, in several questions; when it is known well, not for a while."""
        _learnt, session = self._connected()
        answer, self._delay_ns = session.read_clock()
        with self._condition:
            now = self._now_ns()
            renew = is_later(now, self._clock_ns, _CLOCK_PERIOD)
            if renew:
                self._clock_ns = now
            offset = answer if renew else narrowed(self._state.offset, answer)
            self._state = replace(self._state, offset=offset)
            self._questions = 1 if renew else self._questions + 1
            pause_ns = _SOON_NS if self._questions < _MOST_QUESTIONS else _LATER_NS
            soon = next_question_ns(offset, now + pause_ns, self._delay_ns // 2)
            self._clock_due_ns = self._clock_ns + round(_CLOCK_PERIOD * NANOSECONDS) if offset.is_fine else soon
        session.client.set_clock_offset(offset.seconds)

    def _connected(self) -> tuple[Learnt, CameraSession]:
        with self._condition:
            assert self._state.learnt is not None and self._session is not None
            return self._state.learnt, self._session

    def _authorized(self, ask: Callable[[], T]) -> T:
        """Asks; if the password is refused, once more after a look at the camera's clock, which may have been set."""
        try:
            return ask()
        except NotAuthorizedError:
            _learnt, session = self._connected()
            offset, self._delay_ns = session.read_clock()
            session.client.set_clock_offset(offset.seconds)
            with self._condition:
                self._state = replace(self._state, offset=offset)
            return ask()

    def _failed(self, error: OnvifError) -> None:
        now = self._now_ns()
        with self._condition:
            if isinstance(error, NotAuthorizedError):
                self._retry.refused(self._tried)
                text = (
                    'user or password refused; it is not tried again until the password is changed, so that no account is locked'
                )
                self._lost(Fault.REFUSED, text)
            elif isinstance(error, RefusedError) and self._state.learnt is not None:
                # The camera is there, and won't do this one thing.
                self._order = None
                self._set(fault=Fault.REFUSED, text=str(error))
            else:
                self._retry.failed(now)
                fault = Fault.UNREACHABLE if isinstance(error, UnreachableError) else Fault.REFUSED
                remedy = '' if fault is Fault.REFUSED and not isinstance(error, CertificateError) else _remedy(error)
                self._lost(fault, f'{error}{remedy}')

    def _lost(self, fault: Fault, text: str) -> None:
        self._session = self._order = None
        self._set(learnt=None, status=None, fault=fault, text=text)
        for _function, future in self._calls:
            if not future.cancelled():
                future.set_exception(UnreachableError(text))
        self._calls.clear()

    def _set(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)


def _remedy(error: OnvifError) -> str:
    if isinstance(error, CertificateError):
        return '; give ca_file, or set https: false'
    return '; check its address, port and network'
