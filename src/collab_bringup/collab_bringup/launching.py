# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The graph as ordinary ROS 2 launch actions. Needs launch and launch_ros, so only launch files import it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from collab_bringup.graph import GraphOptions, NodeSpec, Part, region_graph
from ptz_site import load_site


def shared_file(*parts: str) -> str:
    """A file that this package installs."""
    return str(Path(get_package_share_directory('collab_bringup'), *parts))


def region_launch(
    site: str | None = None, parts: frozenset[Part] = frozenset(Part), replay: bool = False
) -> Callable[[], LaunchDescription]:
    """A generate_launch_description for a region; site: the default of the argument `site`."""

    def generate_launch_description() -> LaunchDescription:
        return LaunchDescription([*_arguments(site, replay), OpaqueFunction(function=nodes), _rviz()])

    def nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
        specs = _graph(context, parts, replay)
        started = [launch_node(spec, _value(context, 'log_level')) for spec in specs]
        return [*started, _player(context, specs)] if replay else started

    return generate_launch_description


def launch_node(spec: NodeSpec, log_level: str) -> Node:
    """One node of the graph as a launch action."""
    return Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=[dict(spec.parameters)],
        arguments=['--ros-args', '--log-level', log_level],
        output='screen',
        respawn=spec.respawn,
        respawn_delay=2.0,
        # Recordings are closed on SIGINT; that may take some seconds.
        sigterm_timeout='20',
    )


def _value(context: LaunchContext, name: str) -> str:
    return str(context.perform_substitution(LaunchConfiguration(name)))


def _graph(context: LaunchContext, parts: frozenset[Part], replay: bool) -> tuple[NodeSpec, ...]:
    site_path, media = _value(context, 'site'), _value(context, 'media')
    use_sim_time = _value(context, 'use_sim_time').lower() == 'true'
    options = GraphOptions(
        site_path=site_path,
        media=media,
        out=_value(context, 'out'),
        use_sim_time=use_sim_time,
        upload=_value(context, 'upload').lower() == 'true',
        autostart=True,
        # On /clock the world begins with the clock; else now, the same for all cameras.
        simulation_epoch_ns=0 if use_sim_time else time.time_ns(),
        every_frame=replay and _value(context, 'rate') == 'max',
        parts=parts,
    )
    return region_graph(load_site(site_path, media or None), options)


def _arguments(site: str | None, replay: bool) -> list[DeclareLaunchArgument]:
    arguments = [
        DeclareLaunchArgument('site', default_value=site, description='Path of the site file.')
        if site
        else DeclareLaunchArgument('site', description='Path of the site file.'),
        DeclareLaunchArgument('media', default_value='', description='Folder of the videos of recorded cameras.'),
        DeclareLaunchArgument('out', default_value='', description='Folder for recordings; empty: nothing is recorded.'),
        DeclareLaunchArgument(
            'use_sim_time', default_value=str(replay).lower(), choices=['true', 'false'], description='Run on /clock.'
        ),
        DeclareLaunchArgument(
            'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error', 'fatal'], description='Of the nodes.'
        ),
        DeclareLaunchArgument(
            'upload',
            default_value=str(not replay).lower(),
            choices=['true', 'false'],
            description='Send best frames, if the site says where to.',
        ),
        DeclareLaunchArgument('rviz', default_value='false', choices=['true', 'false'], description='Start rviz2.'),
    ]
    if replay:
        what = 'Folder of a run of ptz-collab up, or bag of ros2 bag record with the frames and the plan.'
        arguments.append(DeclareLaunchArgument('bag', description=what))
        what = 'How much faster than it was; max: as fast as frames are looked at and recorded, and nothing is left out.'
        arguments.append(DeclareLaunchArgument('rate', default_value='1.0', description=what))
        what = 'Replay again and again; otherwise everything ends after the recording.'
        arguments.append(DeclareLaunchArgument('loop', default_value='false', choices=['true', 'false'], description=what))
    return arguments


def _rviz() -> Node:
    return Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', shared_file('rviz', 'region.rviz')],
        condition=IfCondition(LaunchConfiguration('rviz')),
    )


def _player(context: LaunchContext, specs: Sequence[NodeSpec]) -> ExecuteProcess:
    """The replay, which begins when all nodes read; when it is over the recordings are closed."""
    command = ['ptz-collab', 'replay', _value(context, 'bag'), '--rate', _value(context, 'rate'), '--without-perception']
    command += ['--loop'] if _value(context, 'loop') == 'true' else []
    command += ['--wait-for', *(f'{spec.namespace}/{spec.name}' for spec in specs)] if specs else []
    return ExecuteProcess(cmd=command, output='screen', on_exit=Shutdown(reason='the replay is over'))
