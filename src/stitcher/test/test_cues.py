# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of cues: they cover every picture, in order, and a killed process leaves those that were written."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import cues, played

from ptz_site import Mark, Phase
from ptz_stitcher.cues import Cue, CueTrack, Shown
from ptz_stitcher.recording import RecordingError
from ptz_stitcher.recording.webvtt import CueFile
from ptz_stitcher.target_memory import TargetMemory

MS = 1_000_000
PERIOD_NS = 100 * MS
SHOWN = st.builds(
    Shown,
    st.sampled_from(('north', 'south')),
    st.integers(0, 2),
    st.sampled_from((Phase.TURNING, Phase.IN_POSITION)),
    st.sampled_from((Mark.NONE, Mark.NONE, Mark.NONE, Mark.ARRIVED, Mark.SWITCH_START | Mark.ARRIVED)),
    st.sampled_from(((), ('anna',))),
)
STEPS = st.lists(st.tuples(st.sampled_from((60, 100, 100, 140, 900, 5000)), st.lists(SHOWN, min_size=1, max_size=2)), min_size=1)


@settings(max_examples=200)
@given(STEPS)
def test_every_picture_lies_in_the_cue_that_tells_of_it(steps: list[tuple[int, list[Shown]]]) -> None:
    track, made, pictures = CueTrack(PERIOD_NS), [], []
    stamp = 0
    for step, shown in steps:
        stamp += step * MS
        pictures.append((stamp, tuple(shown)))
        cue = track.take(stamp, tuple(shown))
        made += [cue] if cue is not None else []
    last = track.finish()
    assert last is not None
    made.append(last)
    for before, after in itertools.pairwise(made):
        assert before.start_ns < before.end_ns <= after.start_ns
    for stamp, shown in pictures:
        (cue,) = [cue for cue in made if cue.start_ns <= stamp < cue.end_ns]
        assert [(one.camera, one.slot, one.phase, one.targets) for one in shown] == [
            (one.camera, one.slot, one.phase, one.targets) for one in cue.shown
        ]
        # A cue has the marks of its first picture, and no other picture in it has any.
        assert (cue.shown == shown) == (cue.start_ns == stamp) or not any(one.marks for one in (*shown, *cue.shown))
        assert cue.end_ns - cue.start_ns <= 7_100 * MS


def test_a_cue_can_not_be_ended_by_a_name() -> None:
    text = Cue(0, 1, (Shown('north', 0, Phase.IN_POSITION, Mark.NONE, ('a --> b\n\nc',)),)).text('gate')
    assert '-->' not in text
    assert '\n' not in text
    assert json.loads(text)['targets'] == ['a --> b\n\nc']


def test_cues_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / 'gate.vtt').write_text('precious')
    with pytest.raises(RecordingError, match='exists already'):
        CueFile(tmp_path / 'gate.vtt', 'gate', '')
    assert (tmp_path / 'gate.vtt').read_text() == 'precious'


def test_targets_are_those_of_the_picture_before() -> None:
    memory = TargetMemory()
    memory.take('north', 10_000 * MS, ('anna',))
    memory.take('north', 10_500 * MS, ())
    assert [memory.at('north', stamp * MS) for stamp in (9_900, 10_000, 10_400, 10_500)] == [(), ('anna',), ('anna',), ()]
    assert memory.at('south', 10_000 * MS) == ()
    memory.take('north', 11_000 * MS, ('anna',))
    assert memory.at('north', 14_000 * MS) == (), 'what was said long ago tells nothing'


KILLED = """
import sys
from pathlib import Path
from encoded_cameras import jpeg
from sequences import segment, writer
sequence = writer(Path(sys.argv[1]), pictures=True, bag=True)
for slot in range(1000):
    for frame in segment('north', slot, lambda k: jpeg('north', k % 40), first=20 * slot):
        sequence.take(frame)
    print(slot, flush=True)
"""


def test_after_kill_9_cues_pictures_and_video_agree(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, '-c', KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parent)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 5:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    told = cues(tmp_path / 'gate.vtt')
    shown = played(tmp_path / 'gate.mp4')
    assert told[-1][1] > 7.0
    assert shown[-1][0] > 8.0
    lines = [json.loads(line) for line in (tmp_path / 'gate.pictures' / 'index.jsonl').read_text().splitlines()]
    assert lines
    for line in lines:
        assert (tmp_path / 'gate.pictures' / line['file']).read_bytes().endswith(b'\xff\xd9')
