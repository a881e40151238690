# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The graph is described once; the command and ros2 launch start the same."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import PATIENCE, wait_for
from recordings import headers

from collab_bringup.graph import GraphOptions, Part, region_graph
from collab_bringup.processes import node_command
from ptz_site import load_site

HAS_LAUNCH = importlib.util.find_spec('launch_ros') is not None


def test_each_camera_has_a_driver_and_perception_and_the_region_has_one_of_the_others(small_site: Path) -> None:
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), out='/tmp/out'))
    assert sorted(node.name for node in nodes) == [
        'coordinator',
        'driver_north',
        'driver_southeast',
        'driver_southwest',
        'perception_north',
        'perception_southeast',
        'perception_southwest',
        'region_perception',
        'stitcher',
    ]
    assert {node.namespace for node in nodes} == {'/yard'}
    assert all(node.parameters['site'] == str(small_site) for node in nodes)
    epochs = {node.parameters['simulation_epoch'] for node in nodes if node.part is Part.DRIVER}
    assert len(epochs) == 1


def test_without_an_output_folder_nothing_records(small_site: Path) -> None:
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site)))
    assert Part.STITCHER not in {node.part for node in nodes}


def test_a_replay_looks_again_and_sends_nothing(small_site: Path) -> None:
    parts = frozenset({Part.PERCEPTION, Part.STITCHER})
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), out='/tmp/out', parts=parts, upload=False))
    assert {node.parameters['upload'] for node in nodes if node.executable == 'perception'} == {False}
    assert {node.part for node in nodes} == parts


def test_nobody_skips_frames_of_a_replay_that_waits(small_site: Path) -> None:
    options = GraphOptions(str(small_site), out='/tmp/out', every_frame=True)
    nodes = region_graph(load_site(small_site), options)
    assert sum(node.parameters.get('every_frame', False) for node in nodes) == 4  # three cameras' perception, and the stitcher


def test_every_node_of_the_graph_is_installed(small_site: Path) -> None:
    for node in region_graph(load_site(small_site), GraphOptions(str(small_site), out='/tmp/out')):
        command = node_command(node)
        assert Path(command[0]).is_file(), command[0]
        assert f'__node:={node.name}' in command and '__ns:=/yard' in command


@pytest.mark.skipif(not HAS_LAUNCH, reason='launch_ros is not installed here; the graph description is tested instead')
@pytest.mark.parametrize('name', ['region', 'demo', 'replay'])
def test_launch_files_describe_the_same_graph(name: str, small_site: Path) -> None:
    from launch import LaunchContext
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    from collab_bringup.launching import shared_file

    description = get_launch_description_from_python_launch_file(shared_file('launch', f'{name}.launch.py'))
    context = LaunchContext()
    context.launch_configurations.update(
        {
            'site': str(small_site),
            'media': '',
            'out': '/tmp/out',
            'use_sim_time': 'false',
            'upload': 'false',
            'log_level': 'info',
            'bag': '/tmp/run',
            'rate': 'max',
            'loop': 'false',
        }
    )
    opaque = next(e for e in description.entities if type(e).__name__ == 'OpaqueFunction')
    actions = opaque.execute(context) or []
    parts = frozenset({Part.PERCEPTION, Part.STITCHER}) if name == 'replay' else frozenset(Part)
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), out='/tmp/out', parts=parts))
    assert len(actions) == len(nodes) + (name == 'replay')


@pytest.mark.skipif(not HAS_LAUNCH, reason='launch_ros is not installed here; the graph description is tested instead')
def test_ros2_launch_runs_a_region_and_ends_on_ctrl_c(ros_domain: int, small_site: Path, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    command = ['ros2', 'launch', 'collab_bringup', 'region.launch.py', f'site:={small_site}', f'out:={out}']
    launch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        bag = out / 'gate' / 'gate_0.mcap'
        wait_for(lambda: bag.is_file() and bag.stat().st_size > 200_000, PATIENCE, 'recording')
    finally:
        # As a terminal does: to the whole group.
        os.killpg(launch.pid, signal.SIGINT)
        output, _ = launch.communicate(timeout=PATIENCE)
    assert 'Traceback' not in output, output
    assert len(headers(out / 'gate')) > 0
