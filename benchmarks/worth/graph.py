# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the model is right about the product: the demo's region over DDS for a minute, against the model of the same region and time.

What is compared is where cameras looked, and what that showed of people by the simulator's truth (ptz_sim.truth) and by the model's views.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from report.figures import Figure, at_least, at_most

from worth.baselines import Watching
from worth.measures import seen_by
from worth.region import slot_zero, watch  # it also puts tests/ on the path
from worth.views import CLEAR_HEIGHT, CLEAR_HIDDEN, CLEAR_SHARE, FRONTAL, Flags, Views, views_of

from conftest import PATIENCE, ended, own_domain, start_command, wait_for  # isort: skip
from faults import node_pid  # isort: skip
from recordings import Header, headers  # isort: skip
from target_region import IN_POSITION, Run, simulation_epoch_ns, write_site  # isort: skip

from ptz_node.convert import time_to_ns
from ptz_sim.world import World
from ptz_site import NANOSECONDS, Site, load_site

SECONDS = 50.0
#: s between looks; s after slot 0 when they begin; s that a header may be old.
STEP, AFTER, FRESH = 0.2, 5.0, 0.4
#: Largest difference of shares between model and graph; least share of time that cameras are on the same scene.
LIMIT, SAME = 0.05, 0.9


def confirmed() -> list[Figure]:
    """Runs the region, and compares."""
    with tempfile.TemporaryDirectory() as folder:
        run = filmed(Path(folder))
        zero_ns = slot_zero_ns(run)
        shown = headers(run.folder / 'region')
    # The model knows nothing of the run but the site and when slot 0 began.
    lead = slot_zero(run.site) + AFTER
    begin_ns = zero_ns + round((AFTER + 0.05) * NANOSECONDS)
    last_ns = max(header.stamp_ns for header in shown)
    stamps = np.arange(begin_ns, last_ns, round(STEP * NANOSECONDS))
    views = views_of(run.site, run.world, (stamps - run.epoch_ns) / NANOSECONDS)
    model = watch(run.site, views, (), lead).watching
    graph = watched(run.site, shown, stamps)
    there = views.scene >= 0
    by_model, by_truth = seen_by(views, model), seen_by_truth(run, views, graph, stamps)
    figures = [
        at_least(
            'model against graph: share of time that cameras are on the same scene',
            same(model, graph),
            SAME,
            note='a driver notices that it has arrived a moment after the turn has ended; the model does so at once',
        )
    ]
    for name, facing in (('in clear view', np.ones_like(views.frontal)), ('seen frontally', views.frontal)):
        predicted, found = (float((seen & facing).any(axis=2)[there].mean()) for seen in (by_model, by_truth))
        text = f"model against graph: difference of the share of people's time on scenes {name}"
        note = f'graph {found:.3f}, model {predicted:.3f}, {len(stamps) * STEP:.0f} s of the demo region'
        figures.append(at_most(text, abs(predicted - found), LIMIT, note=note))
    return figures


def filmed(folder: Path) -> Run:
    """Runs the demo's region, without looking for anybody."""
    path = write_site(folder)
    content = yaml.safe_load(path.read_text())
    content['perception'] = {'enabled': False}
    content['stitcher']['cut'] = 'switch_start'
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    site = load_site(path)
    words = ('up', path, '--duration', SECONDS, '--out', folder / 'run')
    with own_domain(), ended(start_command(*words, cwd=folder)) as command:
        wait_for(lambda: node_pid('driver_north', os.environ['ROS_DOMAIN_ID']) is not None, PATIENCE, 'it starts')
        epoch_ns = simulation_epoch_ns()
        code, output = command.finish(timeout=SECONDS + 180)
        if code:
            raise RuntimeError(f'the region did not run: {output}')
    return Run(folder / 'run', site, World.of_site(site), epoch_ns)


def slot_zero_ns(run: Run) -> int:
    """When slot 0 began."""
    first = min(run.plans(), key=lambda plan: plan.revision)
    return time_to_ns(first.slot_start)


def watched(site: Site, shown: Sequence[Header], stamps: np.ndarray) -> Watching:
    """Where the cameras looked, by the newest header of each at each instant."""
    scenes = {name: s for s, name in enumerate(site.scenes)}
    rest, sent = (np.full((len(stamps), len(site.cameras)), -1, np.int8) for _ in range(2))
    for c, camera in enumerate(site.cameras):
        mine = sorted((header for header in shown if header.camera == camera), key=lambda header: header.stamp_ns)
        times = np.array([header.stamp_ns for header in mine])
        newest = np.searchsorted(times, stamps, side='right') - 1
        for k, at in enumerate(newest):
            if at >= 0 and stamps[k] - times[at] <= FRESH * NANOSECONDS:
                sent[k, c] = scenes.get(mine[at].scene, -1)
                rest[k, c] = sent[k, c] if mine[at].phase == IN_POSITION else -1
    return Watching(rest, sent)


def same(model: Watching, graph: Watching) -> float:
    """Share of steps and cameras with the same scene; a camera that turns in both is on none in both."""
    return float((model.at_rest == graph.at_rest).mean())


def seen_by_truth(run: Run, views: Views, watching: Watching, stamps: np.ndarray) -> Flags:
    """(T, W, C): whom cameras saw clearly where they looked, by the simulator's truth. It also confirms who faced them."""
    found = np.zeros(views.side.shape, bool)
    cameras, scenes = tuple(run.site.cameras), tuple(run.site.scenes)
    for k, c in zip(*np.nonzero(watching.at_rest >= 0), strict=True):
        for one in run.seen(cameras[c], scenes[watching.at_rest[k, c]], int(stamps[k])):
            clear = one.completeness > CLEAR_SHARE and one.occluded < CLEAR_HIDDEN and one.box[3] >= CLEAR_HEIGHT
            if (one.facing <= FRONTAL) != bool(views.frontal[k, one.walker, c]):
                raise RuntimeError(f'walker {one.walker} faces {cameras[c]} by {one.facing:.3f} rad, not so in the model')
            found[k, one.walker, c] = clear
    return found
