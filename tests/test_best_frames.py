# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What arrives at a receiver of the demo's region: everybody once or twice, nearly nothing else, and what was chosen."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest
from demo_run import DemoRun
from faults import span
from recordings import read_bag
from target_region import looks_at_walkers, shown_walker

from ptz_node.convert import time_to_ns
from ptz_site.frame_package import FramePackage, package_id

#: All of them wait for one run.
pytestmark = pytest.mark.timeout(1800)

S = 1_000_000_000


def recorded(demo_run: DemoRun) -> list[FramePackage]:
    """The packages of frames that are in the bags as well: before and after the rotation nothing is recorded."""
    begin, end = span(demo_run.folder)
    found = [package for package in demo_run.packages if begin + S < package.stamp_ns < end - 2 * S]
    assert found
    return found


def test_everybody_who_was_in_view_for_some_seconds_has_a_best_frame(demo_run: DemoRun) -> None:
    # In pictures that were looked at; a busy machine looks seldom. What three seconds are enough for is for the benchmark.
    needed = {walker for walker, looks in looks_at_walkers(demo_run).items() if looks >= 6.0 * demo_run.site.perception.rate}
    assert needed
    shown = {shown_walker(demo_run, package, one) for package in demo_run.packages for one in package.observations if one.best}
    assert needed <= shown


def test_nearly_nothing_is_sent(demo_run: DemoRun) -> None:
    begin, end = span(demo_run.folder)
    # What the cameras should film; a busy machine films less. The figure of longer runs is for the benchmark.
    filmed = sum(camera.rate for camera in demo_run.site.cameras.values()) * (end - begin) / S
    assert 0 < len(demo_run.packages) < filmed / 20


def test_what_was_chosen_is_there_or_waits(demo_run: DemoRun) -> None:
    there = [package.id for package in demo_run.packages]
    assert len(set(demo_run.chosen)) == len(demo_run.chosen), 'no frame is chosen twice'
    assert Counter(there) + Counter(demo_run.waiting - set(there)) == Counter(demo_run.chosen)
    assert len(demo_run.waiting) < len(demo_run.chosen), 'those may wait that were chosen at the end; others were waited for'


def test_pictures_are_as_they_were_captured_and_packages_say_what_their_headers_say(demo_run: DemoRun) -> None:
    frames = {}
    for scene in demo_run.site.scenes:
        presets = [message for _, message in read_bag(demo_run.folder / scene, '/preset_header')]
        pictures = [bytes(message.data) for _, message in read_bag(demo_run.folder / scene, '/image/compressed')]
        for preset, picture in zip(presets, pictures, strict=True):
            frames[package_id('demo', preset.camera, preset.session, preset.sequence)] = (preset, picture)
    for package in recorded(demo_run):
        preset, picture = frames[package.id]
        assert demo_run.pictures[package.id] == picture
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (package.height, package.width, 3)
        assert (package.camera, package.scene, package.slot) == (preset.camera, preset.scene, preset.slot)
        assert package.stamp_ns == time_to_ns(preset.header.stamp)
        assert package.position.zoom == pytest.approx(preset.zoom) and package.position.pan == pytest.approx(preset.pan)
        assert package.encoded_by == 'camera'


def test_targets_are_named_in_packages_as_in_tracks(demo_run: DemoRun) -> None:
    named = {
        (array.preset.camera, array.preset.sequence, track.track_id): track.target
        for _, array in read_bag(demo_run.folder / 'region', '/tracks')
        for track in array.tracks
    }
    compared = 0
    for package in recorded(demo_run):
        for one in package.observations:
            assert named[package.camera, package.sequence, one.track_id] == one.target
            compared += 1
    assert compared > len(recorded(demo_run))
