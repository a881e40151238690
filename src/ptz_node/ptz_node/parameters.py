# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters that several nodes have: the site file, the media folder, the camera."""

from dataclasses import dataclass

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node

from ptz_site import Site, UserError, load_site


@dataclass(frozen=True)
class SiteParameters:
    """Where the site came from, and the site itself."""

    path: str
    media: str
    site: Site


def describe(text: str, *, read_only: bool = True, low: float | None = None, high: float | None = None) -> ParameterDescriptor:
    """A parameter's descriptor: what it is for, whether it is fixed after the start, and its range."""
    descriptor = ParameterDescriptor(description=text, read_only=read_only)
    if low is not None and high is not None:
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return descriptor


def declare_site(node: Node) -> SiteParameters:
    """Declares 'site' and 'media' and reads the site file. Raises UserError if it can't be used."""
    path = node.declare_parameter('site', '', describe('Path of the site file.')).value
    media = node.declare_parameter(
        'media', '', describe("Folder of the videos of recorded cameras; empty: the site file's.")
    ).value
    if not path:
        raise UserError(f'{node.get_name()}: parameter site is empty; give the path of a site file')
    return SiteParameters(path, media, load_site(path, media or None))


def declare_camera(node: Node, site: Site) -> str:
    """Declares 'camera' and checks that the site has it. Raises UserError otherwise."""
    camera = str(node.declare_parameter('camera', '', describe('Camera id of the site file.')).value)
    if camera not in site.cameras:
        raise UserError(f'{node.get_name()}: parameter camera is {camera!r}; the site has {", ".join(site.cameras)}')
    return camera
