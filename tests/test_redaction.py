# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Hidden people and marks of targets, on a recorded region: nobody is seen in any frame of the video, judged by the simulator's truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from recordings import read_bag
from redacted_region import RECORDED, Shown, likeness, people, record_tracks, recorded_tracks, region, shown, true_tracks

from collab_bringup.cli import main
from ptz_sim.truth import WalkerTruth
from ptz_stitcher.offline import Stitched, StitchRequest, stitch
from ptz_stitcher.report.read import is_redacted
from ptz_stitcher.retouch import Redact, RetouchSettings
from ptz_stitcher.segments import Cut

#: Of somebody's details; what is only encoded anew keeps more than 0.9 of them, what is hidden 0.2 by chance.
SEEN = 0.4
TARGET = 3
EVERYBODY = RetouchSettings(Redact.EVERYBODY)


def stitched(out: Path, settings: RetouchSettings | None, *tracks: Path, cut: Cut = Cut.ARRIVED, bag: bool = False) -> Stitched:
    found = stitch(StitchRequest((RECORDED / 'region', *tracks), out, cut, bag=bag, retouch=settings), lambda done, total: None)
    assert not found.problems
    assert not found.failures
    return found


def compared(clear: Path, other: Path) -> Iterator[tuple[Shown, Shown]]:
    """Each picture beside what became of it."""
    for scene in region().site.scenes:
        yield from zip(shown(clear, scene), shown(other, scene), strict=True)


def seen(clear: Path, other: Path) -> list[tuple[WalkerTruth, str]]:
    """Who is to be seen in a video, and where."""
    return [
        (one, f'{before.scene}: walker {one.walker} at {one.box} in frame {before.header.sequence} of {before.header.camera}')
        for before, after in compared(clear, other)
        for one in before.people
        if one.completeness > 0.3 and likeness(before.picture, after.picture, one.box) > SEEN
    ]


def count(clear: Path) -> int:
    """Everybody who is there to be seen."""
    return sum(
        one.completeness > 0.3 for scene in region().site.scenes for before in shown(clear, scene) for one in before.people
    )


@pytest.fixture(scope='module')
def clear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The videos without anything hidden."""
    out = tmp_path_factory.mktemp('clear') / 'out'
    stitched(out, RetouchSettings())
    return out


@pytest.fixture(scope='module')
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a perception says that looks at 2.5 frames/s and misses nobody."""
    return record_tracks(tmp_path_factory.mktemp('truth') / 'bag', true_tracks(2, TARGET))


def test_people_are_seen_without_redaction(clear: Path) -> None:
    assert len(seen(clear, clear)) == count(clear) > 300


def test_nobody_is_seen_in_any_frame(tmp_path: Path, clear: Path, truth: Path) -> None:
    found = stitched(tmp_path / 'out', EVERYBODY, truth)
    assert [where for _, where in seen(clear, tmp_path / 'out')] == []
    assert sum(scene.wholly_hidden for scene in found.summary.scenes) == 0, 'it was looked at all the time'
    # And the scenes are: the middle of what is left has its details.
    alike = [likeness(before.picture, after.picture, (320, 180, 640, 360)) for before, after in compared(clear, tmp_path / 'out')]
    assert float(np.median(alike)) > 0.5


def test_whom_perception_sees_nobody_sees(tmp_path: Path, clear: Path) -> None:
    """With what the region's own perception said of it, which comes late, jitters, and loses people."""
    tracks = record_tracks(tmp_path / 'tracks', recorded_tracks())
    stitched(tmp_path / 'out', EVERYBODY, tracks)
    left = seen(clear, tmp_path / 'out')
    # One who stands behind a box, of whom it has no track at all.
    assert [where for one, where in left if one.occluded < 0.3] == []
    assert len(left) < 0.05 * count(clear)


def test_the_target_is_seen_with_its_mark_and_others_are_not(tmp_path: Path, clear: Path, truth: Path) -> None:
    stitched(tmp_path / 'out', RetouchSettings(Redact.OTHERS, draw_targets=True), truth)
    left = seen(clear, tmp_path / 'out')
    assert {one.walker for one, _ in left} == {TARGET}
    assert len(left) > 10
    marked = 0
    for before, after in compared(clear, tmp_path / 'out'):
        magenta = (after.picture.astype(int) - before.picture)[..., 0] > 60
        marked += bool(magenta.sum() > 20)
        for one in before.people:
            if magenta.sum() > 20 and one.walker == TARGET:
                x, y, width, height = one.box
                rows, columns = np.nonzero(magenta)
                assert abs(np.median(columns) - x) < width / 2 + 6
                assert y - height < np.median(rows) < y + height
    assert marked > 10


def test_marks_alone_hide_nothing(tmp_path: Path, clear: Path, truth: Path) -> None:
    stitched(tmp_path / 'out', RetouchSettings(draw_targets=True), truth)
    # The name stands over who is behind the target.
    assert len(seen(clear, tmp_path / 'out')) > 0.95 * count(clear)


def test_what_nobody_looked_at_is_hidden_as_a_whole(tmp_path: Path, truth: Path) -> None:
    stitched(tmp_path / 'turning', RetouchSettings(), cut=Cut.SWITCH_START)
    found = stitched(tmp_path / 'out', EVERYBODY, truth, cut=Cut.SWITCH_START)
    turning = [(a, b) for a, b in compared(tmp_path / 'turning', tmp_path / 'out') if a.header.phase != 2]
    assert len(turning) > 10
    for before, after in turning:
        assert likeness(before.picture, after.picture, (320, 180, 640, 360)) < 0.2
    assert sum(scene.wholly_hidden for scene in found.summary.scenes) == len(turning)
    # Nor is anything shown where no tracks are at all.
    found = stitched(tmp_path / 'blind', EVERYBODY)
    assert all(scene.wholly_hidden == scene.frames for scene in found.summary.scenes)
    assert any('are hidden as a whole' in note for note in found.notes)


def test_without_redaction_files_are_as_they_were_and_bags_always_are(tmp_path: Path, truth: Path) -> None:
    for name, settings in (('plain', None), ('none', RetouchSettings()), ('everybody', EVERYBODY)):
        stitched(tmp_path / name, settings, truth, bag=True)
    for scene in region().site.scenes:
        for ending in ('.mp4', '.vtt'):
            plain, none = ((tmp_path / name / f'{scene}{ending}').read_bytes() for name in ('plain', 'none'))
            assert plain == none
        bags = [tmp_path / name / scene for name in ('plain', 'none', 'everybody')]
        messages = [read_bag(bag, '/image/compressed') for bag in bags]
        assert all([m.data.tobytes() for _, m in one] == [m.data.tobytes() for _, m in messages[0]] for one in messages)
        # The report does not show what the video hides.
        assert [is_redacted(bag) for bag in bags] == [False, False, True]


def test_the_command_asks_for_it_and_the_site_file_does(tmp_path: Path, truth: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = yaml.safe_load((RECORDED / 'site.yaml').read_text())
    site['stitcher'] = {'redact': 'everybody', 'pictures': True}
    path = tmp_path / 'site.yaml'
    path.write_text(yaml.safe_dump(site))
    arguments = ['stitch', str(RECORDED / 'region'), str(truth), '--site', str(path)]
    assert main([*arguments, '--out', str(tmp_path / 'hidden')]) == 0
    assert 'bags hold the clear pictures; --no-bags leaves them out' in capsys.readouterr().out
    assert main([*arguments, '--redact', 'none', '--out', str(tmp_path / 'clear')]) == 0
    assert 'clear pictures' not in capsys.readouterr().out
    pictures = sorted((tmp_path / 'clear' / 'gate.pictures').glob('*.jpg'))
    assert len(pictures) > 30
    for clear in pictures:
        before, after = (cv2.imread(str(tmp_path / name / 'gate.pictures' / clear.name)) for name in ('clear', 'hidden'))
        _, camera, _ = clear.stem.split('_')
        for one in people(camera, 'gate', int(clear.stem.split('_')[0])):
            assert one.completeness < 0.3 or likeness(before, after, one.box) < SEEN
    report = (tmp_path / 'hidden' / 'report.html').read_text()
    assert 'data:image/jpeg' not in report
    assert 'data:image/jpeg' in (tmp_path / 'clear' / 'report.html').read_text()


def test_check_says_what_it_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = yaml.safe_load((RECORDED / 'site.yaml').read_text())
    site['stitcher'] = {'redact': 'others', 'draw_targets': True}
    path = tmp_path / 'site.yaml'
    path.write_text(yaml.safe_dump(site))
    assert main(['check', str(path)]) == 0
    said = capsys.readouterr().out
    assert 'stitcher.redact: others, draw_targets: each picture is decoded and encoded for it' in said
    assert 'bags keep the clear pictures' in said
