# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The one description of a region's node graph: which node, name, namespace and parameters.

Launch files turn it into launch_ros actions, `ptz-collab up` into processes; so the two can't drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ptz_site import Site

ParameterValue = bool | int | float | str


class Part(Enum):
    """What a node does in the graph."""

    DRIVER = 'driver'
    COORDINATOR = 'coordinator'
    PERCEPTION = 'perception'
    STITCHER = 'stitcher'


@dataclass(frozen=True)
class NodeSpec:
    """One node, which is one process."""

    part: Part
    package: str
    executable: str
    name: str
    namespace: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    #: Started again when it dies.
    respawn: bool = False


@dataclass(frozen=True)
class GraphOptions:
    """What the user chooses beside the site."""

    site_path: str
    media: str = ''
    out: str = ''
    use_sim_time: bool = False
    autostart: bool = False
    upload: bool = True
    simulation_epoch_ns: int = 0
    #: Nobody skips frames: for replays that wait for their readers.
    every_frame: bool = False
    parts: frozenset[Part] = frozenset(Part)


def region_graph(site: Site, options: GraphOptions) -> tuple[NodeSpec, ...]:
    """The nodes of a region: for each camera a driver and a perception node, one coordinator, one stitcher, one for who is who."""
    common: dict[str, ParameterValue] = {
        'site': options.site_path,
        'media': options.media,
        'use_sim_time': options.use_sim_time,
    }
    namespace = f'/{site.region.name}'
    nodes = [
        NodeSpec(
            Part.STITCHER,
            'ptz_stitcher',
            'stitcher',
            'stitcher',
            namespace,
            {**common, 'out': options.out, 'every_frame': options.every_frame},
            respawn=True,
        ),
        NodeSpec(
            Part.COORDINATOR,
            'collab_coordinator',
            'coordinator',
            'coordinator',
            namespace,
            {**common, 'autostart': options.autostart},
            respawn=True,
        ),
    ]
    for camera in site.cameras:
        nodes.append(
            NodeSpec(
                Part.DRIVER,
                'ptz_driver',
                'driver',
                f'driver_{camera}',
                namespace,
                {**common, 'camera': camera, 'simulation_epoch': options.simulation_epoch_ns},
                respawn=True,
            )
        )
        if site.perception.enabled:
            nodes.append(
                NodeSpec(
                    Part.PERCEPTION,
                    'ptz_perception',
                    'perception',
                    f'perception_{camera}',
                    namespace,
                    {**common, 'camera': camera, 'upload': options.upload, 'every_frame': options.every_frame},
                    respawn=True,
                )
            )
    if site.perception.enabled:
        nodes.append(
            NodeSpec(Part.PERCEPTION, 'ptz_perception', 'region_perception', 'region_perception', namespace, common, respawn=True)
        )
    wanted = options.parts if options.out else options.parts - {Part.STITCHER}
    return tuple(node for node in nodes if node.part in wanted)
