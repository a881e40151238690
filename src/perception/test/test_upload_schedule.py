# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of what is sent next, and of what answers mean. Without threads and clocks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ptz_perception.upload.answers import explain, judge, retry_after
from ptz_perception.upload.schedule import Kind, Outcome, Pacing, Progress, Send, Verdict, Wait, Waiting, after, decide

S = 1_000_000_000
PACING = Pacing(send_period=10.0, first_pause=1.0, longest_pause=60.0)
NOW = datetime(2030, 1, 31, 8, 0, 0, tzinfo=UTC)
SENT, AWAY, FAILED = Outcome(Verdict.SENT), Outcome(Verdict.AWAY, 'gone'), Outcome(Verdict.FAILED, 'bad')


def later(progress: Progress, kind: Kind, outcome: Outcome, begun: float, took: float = 0.0, jitter: float = 0.0) -> Progress:
    return after(progress, kind, outcome, PACING, round(begun * S), round((begun + took) * S), jitter=jitter)


@pytest.mark.parametrize(
    ('waiting', 'progress', 'now', 'expected'),
    [
        (Waiting(), Progress(), 0, Wait(None)),
        (Waiting(), Progress(due_ns=9 * S), 0, Wait(None)),
        (Waiting(queued=1), Progress(), 0, Send(Kind.QUEUED)),
        (Waiting(immediate=1, queued=1, stuck=1), Progress(), 0, Send(Kind.IMMEDIATE)),
        (Waiting(immediate=1, queued=1), Progress(due_ns=9 * S), 5, Wait(4.0)),
        (Waiting(immediate=1, queued=1), Progress(queued_due_ns=9 * S), 5, Send(Kind.IMMEDIATE)),
        (Waiting(queued=1), Progress(queued_due_ns=9 * S), 5, Wait(4.0)),
        (Waiting(queued=1), Progress(queued_due_ns=9 * S), 9, Send(Kind.QUEUED)),
        (Waiting(queued=1, stuck=1), Progress(stuck_due_ns=9 * S), 5, Send(Kind.QUEUED)),
        (Waiting(queued=1, stuck=1), Progress(stuck_due_ns=9 * S), 9, Send(Kind.STUCK)),
        (Waiting(stuck=1), Progress(stuck_due_ns=9 * S, queued_due_ns=7 * S), 5, Wait(4.0)),
        (Waiting(stuck=1), Progress(stuck_due_ns=3 * S, queued_due_ns=7 * S), 5, Wait(2.0)),
    ],
)
def test_what_is_sent_next(waiting: Waiting, progress: Progress, now: int, expected: Send | Wait) -> None:
    assert decide(waiting, progress, now * S) == expected


def test_pauses_grow_up_to_the_longest_and_end_with_the_first_success() -> None:
    progress, now, pauses = Progress(), 0.0, []
    for _ in range(9):
        progress = later(progress, Kind.QUEUED, AWAY, now)
        pauses.append(progress.due_ns / S - now)
        now = progress.due_ns / S
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    progress = later(progress, Kind.QUEUED, SENT, now)
    assert progress.due_ns <= now * S and later(progress, Kind.QUEUED, AWAY, now).due_ns == (now + 1) * S


def test_pauses_are_jittered_and_are_as_long_as_the_receiver_asks_but_not_for_ever() -> None:
    assert later(Progress(), Kind.QUEUED, AWAY, 0.0, jitter=1.0).due_ns == S // 2
    assert later(Progress(), Kind.QUEUED, Outcome(Verdict.AWAY, '', 7.0), 0.0, jitter=0.5).due_ns == 7 * S
    assert later(Progress(failures=6), Kind.QUEUED, Outcome(Verdict.AWAY, '', 7.0), 0.0).due_ns == 60 * S
    assert later(Progress(), Kind.QUEUED, Outcome(Verdict.AWAY, '', 1e9), 0.0).due_ns == 3600 * S


def test_the_period_goes_from_begin_to_begin_and_refused_ones_count() -> None:
    assert later(Progress(), Kind.QUEUED, SENT, 100.0, took=4.0).queued_due_ns == 110 * S
    assert later(Progress(), Kind.QUEUED, Outcome(Verdict.REFUSED, 'no'), 100.0).queued_due_ns == 110 * S
    assert later(Progress(), Kind.IMMEDIATE, SENT, 100.0).queued_due_ns == 0


def test_a_stuck_one_that_fails_holds_up_only_stuck_ones() -> None:
    progress = later(later(Progress(), Kind.STUCK, FAILED, 0.0), Kind.STUCK, FAILED, 20.0)
    assert (progress.due_ns, progress.stuck_due_ns) == (0, 22 * S)
    assert decide(Waiting(immediate=1, stuck=1), progress, 20 * S) == Send(Kind.IMMEDIATE)
    assert later(progress, Kind.STUCK, AWAY, 30.0).due_ns == 31 * S, 'then nothing can be sent'
    assert later(progress, Kind.STUCK, SENT, 30.0).stuck_failures == 0


@given(st.data())
def test_everything_is_sent_in_the_end_queued_ones_no_faster_than_the_period(data: st.DataObject) -> None:
    waiting = {kind: data.draw(st.integers(0, 6)) for kind in Kind}
    outcomes = data.draw(st.lists(st.sampled_from([AWAY, FAILED, Outcome(Verdict.WRONG_TOKEN, 'who?', 3.0)]), max_size=12))
    progress, now, begins = Progress(), 5 * S, []
    for _ in range(60):
        decision = decide(Waiting(*(waiting[kind] for kind in Kind)), progress, now)
        if isinstance(decision, Wait):
            if decision.seconds is None:
                break
            assert 0 < decision.seconds <= 60
            now += round(decision.seconds * S)
            continue
        assert waiting[decision.kind] > 0 and now >= progress.due_ns
        outcome = outcomes.pop() if outcomes else SENT
        if decision.kind is not Kind.IMMEDIATE:
            begins.append(now)
        took = data.draw(st.integers(0, 3 * S))
        progress = after(progress, decision.kind, outcome, PACING, now, now + took, jitter=data.draw(st.floats(0, 1)))
        now += took
        waiting[decision.kind] -= outcome is SENT
    assert not any(waiting.values())
    assert all(second - first >= 10 * S for first, second in itertools.pairwise(begins))


@pytest.mark.parametrize(
    ('status', 'body', 'verdict', 'said'),
    [
        (200, b'{"id": "a-1", "more": 1}', Verdict.SENT, ''),
        (201, b'{"id": "a-1"}', Verdict.SENT, ''),
        (201, b'{"id": "a-2"}', Verdict.FAILED, "not with the package's id"),
        (200, b'', Verdict.FAILED, "not with the package's id"),
        (200, b'<html>Welcome!</html>', Verdict.FAILED, 'is it a receiver'),
        (200, b'["a-1"]', Verdict.FAILED, 'id'),
        (200, b'"a-1"', Verdict.FAILED, 'id'),
        (200, b'{"id": 1}', Verdict.FAILED, 'id'),
        (200, b'\xff\xfe\x00', Verdict.FAILED, 'id'),
        (200, b'[' * 60000, Verdict.FAILED, 'id'),
        (202, b'{"id": "a-1"}', Verdict.FAILED, 'status 202'),
        (204, b'', Verdict.FAILED, 'status 204'),
        (302, b'', Verdict.AWAY, 'redirects to https://elsewhere.example; give its own address'),
        (400, b'{"detail": "no\nbox"}', Verdict.FAILED, 'did not understand the request (status 400): {"detail": "no box"}'),
        (401, b'', Verdict.WRONG_TOKEN, 'wrong token'),
        (403, b'', Verdict.WRONG_TOKEN, 'wrong token'),
        (404, b'', Verdict.AWAY, 'no receiver at this url'),
        (408, b'', Verdict.AWAY, '408'),
        (409, b'', Verdict.REFUSED, 'another picture'),
        (413, b'', Verdict.REFUSED, 'too large'),
        (415, b'', Verdict.REFUSED, 'media type'),
        (422, b'x' * 999, Verdict.REFUSED, 'x...'),
        (429, b'', Verdict.AWAY, '429'),
        (500, b'\x1b[31mred', Verdict.FAILED, '500): [31mred'),
        (503, b'', Verdict.AWAY, '503'),
        (507, b'disk full', Verdict.AWAY, 'disk full'),
    ],
)
def test_what_answers_mean(status: int, body: bytes, verdict: Verdict, said: str) -> None:
    outcome = judge(
        status, {'Location': 'https://user:pass@elsewhere.example/x?key=1', 'Retry-After': '9'}, body, 'a-1', NOW, 'secret'
    )
    assert outcome.verdict is verdict
    assert said in outcome.sentence and len(outcome.sentence) < 300
    assert outcome.retry_after == (9.0 if status >= 500 or status in (408, 429) else outcome.retry_after)


@pytest.mark.parametrize('before', [0, 190, 195, 198, 200, 790, 799])
@pytest.mark.parametrize('filling', ['x', ' '])
def test_a_token_that_an_answer_repeats_is_not_told_also_where_it_is_cut(before: int, filling: str) -> None:
    text = filling * before + 's3cret-token-of-32-letters'
    headers = {'Location': f'/{text}'}
    said = [judge(status, headers, text.encode(), 'a-1', NOW, 's3cret-token-of-32-letters').sentence for status in (422, 302)]
    said.append(explain(requests.ConnectionError(text), 's3cret-token-of-32-letters', established=True).sentence)
    assert not any('s3' in sentence for sentence in said)
    assert all(len(sentence) < 300 for sentence in said)


@pytest.mark.parametrize(
    ('value', 'expected'),
    [
        ('120', 120.0), (' 0 ', 0.0), ('Thu, 31 Jan 2030 08:01:30 GMT', 90.0), ('Thu, 31 Jan 2030 07:00:00 GMT', 0.0),
        ('', None), ('-5', None), ('soon', None), ('1.5', None), ('9' * 5000, 999999999.0), ('²', None), ('Thu, 99 Foo 2030', None),
    ],
)  # fmt: skip
def test_retry_after(value: str, expected: float | None) -> None:
    assert retry_after(value, NOW) == expected


def test_broken_connections_are_told_from_none() -> None:
    assert explain(requests.ConnectionError('refused'), 'secret', established=False).verdict is Verdict.AWAY
    assert explain(requests.ConnectionError('reset'), 'secret', established=True).verdict is Verdict.FAILED
    assert explain(TimeoutError('no answer within 3 s'), 'secret', established=True).sentence.endswith(
        'in time (no answer within 3 s)'
    )
