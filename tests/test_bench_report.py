# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks find comes into the report as it was found, and what is missing in it is named."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / 'benchmarks'
sys.path.insert(0, str(BENCHMARKS))

import soak  # noqa: E402
from report import charts, page  # noqa: E402
from report.catalogue import CATALOGUE, DATA, When  # noqa: E402
from report.figures import (  # noqa: E402
    Chart,
    ChartKind,
    Figure,
    Machine,
    Outcome,
    Series,
    at_least,
    at_most,
    machine,
    read_outcomes,
    write_outcome,
)
from whole_graph.timers import StageTimers, spent_between  # noqa: E402

from ptz_site import UserError  # noqa: E402

HERE = Machine('a CPU', 2, 8 << 30, 'an OS', '3.11', (('numpy', '2'),), 1.5)
BARS = Chart('Stages', 'stage', 'ms', (Series('ours', ('a', 'b & c'), (1.0, 2.0), (0.5, 1.5), (1.5, 2.5)),), ChartKind.BARS)
LINES = Chart('Growth', 'cameras', 's', (Series('plan', (1.0, 10.0, 100.0), (0.1, math.nan, 3.0)),), log_x=True)


def outcome(*figures: Figure, title: str = 'A title', quick: bool = False) -> Outcome:
    told = figures, (BARS, LINES), ('a <note>',)
    return Outcome(title, 'A sentence.', 'python benchmarks/a.py', HERE, 12.0, *told, '2026-01-02T03:04:05+00:00', quick)


def test_an_outcome_is_read_as_it_was_written(tmp_path):
    told = outcome(at_least('speed', 0.6, 0.5, 'x', compared='ffmpeg', compared_value=1.0), Figure('nothing', None))
    write_outcome('a', told, tmp_path)
    (found,) = read_outcomes(tmp_path).values()
    # NaN is not equal to itself.
    assert repr(found) == repr(told)
    (path,) = tmp_path.iterdir()
    assert path.name == 'a.outcome.json'
    (tmp_path / 'usual').touch()
    assert path.stat().st_mode == (tmp_path / 'usual').stat().st_mode, 'who may read other files may read this one'


def test_quick_outcomes_do_not_take_the_place_of_others(tmp_path):
    write_outcome('a', outcome(title='long'), tmp_path)
    write_outcome('a', outcome(title='short', quick=True), tmp_path)
    assert read_outcomes(tmp_path)['a'].title == 'long'
    assert read_outcomes(tmp_path, quick=True)['a'].title == 'short'


def test_a_damaged_outcome_is_named(tmp_path):
    (tmp_path / 'a.outcome.json').write_text('{"title": 3')
    with pytest.raises(UserError, match=r'a\.outcome\.json.*remove it'):
        read_outcomes(tmp_path)


@pytest.mark.parametrize(('value', 'reached'), [(0.5, True), (0.49, False), (None, None), (math.nan, None)])
def test_a_goal_that_was_not_measured_is_neither_reached_nor_missed(value, reached):
    assert at_least('speed', value, 0.5).reached is reached


def test_a_greatest_value_may_be_met_exactly():
    assert at_most('loss', 0.0, 0.0).reached is True
    assert at_most('loss', 1.0, 0.0).reached is False


def test_a_series_of_unequal_lengths_is_refused():
    with pytest.raises(ValueError, match='plan'):
        Series('plan', (1.0, 2.0), (1.0,))


def gathered(**more):
    full = {
        'a': outcome(at_least('missed <one>', 1.0, 2.0), at_least('reached one', 3.0, 2.0)),
        'own': outcome(title='Not in the list'),
    }
    quick = {'a': outcome(title='quick one', quick=True), 'b': outcome(title='Only quick', quick=True)}
    given = {'failed': {}} | more
    return page.gather(('a', 'b', 'c'), full, quick, given['failed'], 'make bench', HERE)


def test_full_runs_are_preferred_to_quick_ones_and_what_nobody_listed_is_shown_too():
    found = gathered()
    assert [one.title for one in found.outcomes.values()] == ['A title', 'Only quick', 'Not in the list']
    assert found.troubles == (('c', ''),)


def test_a_benchmark_that_failed_is_named_with_the_reason_and_what_was_known_before():
    found = dict(gathered(failed={'a': 'ended with exit code 1: no disk', 'c': 'is missing'}).troubles)
    assert found == {'a': 'ended with exit code 1: no disk; shown is what was measured 2026-01-02', 'c': 'is missing'}


def test_missed_goals_come_first():
    assert [goal.figure.reached for goal in gathered().goals] == [False, True]


def test_the_page_holds_everything_and_is_safe(tmp_path):
    path = page.write(gathered(failed={'c': 'ended with exit code 3: <b>'}), tmp_path)
    text = path.read_text()
    for wanted in (
        'missed &lt;one&gt;',
        'not reached',
        'Never measured',
        'a &lt;note&gt;',
        'exit code 3: &lt;b&gt;',
        'a CPU',
        'make bench',
    ):
        assert (wanted in text) is (wanted != 'Never measured')
    assert (
        'prefers-color-scheme: dark' in text and 'http://' not in text.replace('http://www.w3.org', '') and 'https://' not in text
    )
    facts = json.loads((tmp_path / 'report.json').read_text())
    assert facts['outcomes']['a']['figures'][0]['goal'] == 'at least 2' and facts['machine']['cpu'] == 'a CPU'


@pytest.mark.parametrize(
    'chart', [BARS, LINES, replace(BARS, stacked=True), Chart('Empty', 'x', 'y', ())], ids=lambda one: one.title
)
def test_charts_are_pictures_with_axes_that_say_what_they_are(chart):
    drawn = ElementTree.fromstring(charts.draw(chart))
    texts = [one.text for one in drawn.iter('text')]
    assert chart.x_label in texts and chart.y_label in texts
    numbers = [float(one.get(key)) for one in drawn.iter() for key in ('x', 'y', 'cx', 'cy') if one.get(key)]
    assert numbers and all(-1 <= value <= 720 for value in numbers)


def test_stacked_bars_stand_upon_each_other():
    chart = Chart('c', 'x', 'y', (Series('a', ('g',), (1.0,)), Series('b', ('g',), (3.0,))), ChartKind.BARS, stacked=True)
    first, second = (rect.attrib for rect in ElementTree.fromstring(charts.draw(chart)).iter('rect'))
    assert float(second['y']) + float(second['height']) == pytest.approx(float(first['y']), abs=0.2)
    assert float(second['height']) == pytest.approx(3 * float(first['height']), abs=0.5)


@pytest.mark.parametrize(
    ('value', 'text'), [(1234.5, '1,234'), (0.125, '0.125'), (12.34, '12.3'), (100.0, '100'), (0.0, '0'), (math.nan, '-')]
)
def test_numbers_for_people(value, text):
    assert charts.number(value) == text


def test_every_benchmark_in_the_list_is_there_and_says_why_it_is_not_run():
    for one in CATALOGUE:
        assert (BENCHMARKS / f'{one.name}.py').is_file() or one.name == 'worth'
        assert bool(one.why_not(False, {})) is (one.when in (When.BY_HAND, When.ON_DATA))
        assert bool(one.why_not(True, {DATA: '/data'})) is (one.when is not When.ALWAYS)


def test_a_name_that_no_benchmark_has_is_refused():
    found = subprocess.run([sys.executable, BENCHMARKS / 'run.py', 'nonsense'], capture_output=True, text=True, check=False)
    assert found.returncode == 2 and 'no benchmark nonsense' in found.stderr


def test_the_machine_is_described():
    assert machine().cores >= 1 and machine().memory > 1e8 and str(machine().cores) in machine().text


def test_time_in_a_stage_counts_once_although_another_is_in_it(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr('whole_graph.timers.time.thread_time', lambda: now[0])
    timers = StageTimers()
    with timers.time('look'):
        now[0] += 1.0
        with timers.time('detect'):
            now[0] += 5.0
        now[0] += 2.0
    assert dict(timers.seconds) == {'look': 3.0, 'detect': 5.0} and dict(timers.counts) == {'look': 1, 'detect': 1}


def test_what_was_spent_between_two_instants(tmp_path):
    lines = [{'at': float(at), 'cpu': 2.0 * at, 'seconds': {'look': 1.5 * at}, 'counts': {'look': at}} for at in range(10)]
    # The last line is cut off: its writer was killed.
    (tmp_path / 'a.jsonl').write_text('\n'.join(json.dumps(line) for line in lines) + '\n{"at": 10.0, "cp')
    found = spent_between(tmp_path / 'a.jsonl', 2.1, 6.9)
    assert (found.length, found.cpu, found.seconds, found.counts) == (5.0, 10.0, {'look': 7.5}, {'look': 5})
    assert found.rest == 2.5


def test_a_process_that_ends_while_it_is_watched_is_named():
    ended = subprocess.Popen([sys.executable, '-c', ''])
    ended.wait()
    with pytest.raises(SystemExit, match=r'stitcher ended \d+ s after'):
        soak.watch_processes({'stitcher': ended.pid}, 10.0)
