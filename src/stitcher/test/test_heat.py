# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of the plans that show where people were."""

from __future__ import annotations

import base64
import json
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from ptz_site.heat import SceneHeat
from ptz_stitcher.report.heat import heat_plans
from ptz_stitcher.summary import RecordingSummary, SceneSummary, read_summary

YARD = [(0.0, 0.0), (20.0, 0.0), (20.0, 10.0), (0.0, 10.0)]
CORNER = [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)]
SURE = np.diag([0.01, 0.01])


def heat(polygon, *places) -> SceneHeat:
    made = SceneHeat(polygon, math.inf)
    for number in range(10):
        made.take('north', number * 200_000_000, np.array(places).reshape(-1, 2), [SURE] * len(places))
    return made


def opacity(svg: str) -> np.ndarray:
    """Of the picture in a plan, 0 to 255."""
    data = base64.b64decode(re.search(r'base64,([^"]+)"', svg)[1])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[:, :, 3]


def test_somebody_is_drawn_where_he_stood_with_north_up():
    plans = heat_plans({'yard': heat(YARD, (15.0, 2.5))}, {'yard': YARD})
    [plan] = plans.plans
    seen = opacity(plan.svg)
    rows, columns = np.nonzero(seen > 250)
    assert columns.mean() / seen.shape[1] == pytest.approx(15 / 20, abs=0.03)
    assert rows.mean() / seen.shape[0] == pytest.approx(1 - 2.5 / 10, abs=0.05)
    assert seen[0, 0] == 0
    assert plan.people == pytest.approx(1.0, abs=0.01)
    assert '5 m</text>' in plan.svg


def test_all_scenes_have_one_scale_and_who_is_outside_does_not_count():
    heats = {'yard': heat(YARD, (15.0, 2.5), (15.0, 2.5)), 'corner': heat(CORNER, (2.0, 2.0), (9.0, 9.0)), 'empty': heat(YARD)}
    plans = heat_plans(heats, {'yard': YARD, 'corner': CORNER, 'empty': YARD})
    people = {plan.scene: plan.people for plan in plans.plans}
    assert people == pytest.approx({'yard': 2.0, 'corner': 1.0, 'empty': 0.0}, abs=0.02)
    assert plans.most == pytest.approx(100 * heats['yard'].per_square_metre.max())
    ids = re.findall(r'clipPath id="([^"]+)"', ''.join(plan.svg for plan in plans.plans))
    assert len(set(ids)) == 3
    assert plans.colours.startswith('rgb(240 228 66 / 0.00)')


def test_without_anybody_there_is_no_plan():
    assert heat_plans({'yard': heat(YARD)}, {'yard': YARD}) is None
    assert heat_plans({'yard': SceneHeat(YARD, math.inf)}, {'yard': YARD}) is None
    assert heat_plans({}, {}) is None


def test_the_summary_keeps_the_polygon_and_reads_older_ones(tmp_path: Path):
    scene = SceneSummary('yard', 1, 1, 0, 0, (), tuple(YARD))
    summary = RecordingSummary('demo', 'site.yaml', 'arrived', (scene,), {}, {}, 0, ())
    summary.write(tmp_path / 'summary.json')
    assert read_summary(tmp_path / 'summary.json') == summary
    data = json.loads((tmp_path / 'summary.json').read_text())
    for key in ('polygon', 'before_keyframe', 'marks'):
        del data['scenes'][0][key]
    (tmp_path / 'summary.json').write_text(json.dumps(data))
    assert read_summary(tmp_path / 'summary.json').scenes[0].polygon == ()
