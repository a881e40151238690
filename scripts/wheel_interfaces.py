# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Interface packages that ROS distributions have and PyPI lacks: written for an environment of wheels, built with the workspace.

Of each, only what is used is here: of tf2_msgs TFMessage, of nav_msgs OccupancyGrid. Names and fields are upstream's, so the type hashes
are too, and nodes of a distribution understand them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def _package(name: str, version: str, uses: Sequence[str], messages: Mapping[str, str]) -> dict[str, str]:
    """The files of an interface package; messages by name, without .msg."""
    depends = '\n'.join(f'  <depend>{package}</depend>' for package in uses)
    found = '\n'.join(f'find_package({package} REQUIRED)' for package in uses)
    files = ' '.join(f'msg/{message}.msg' for message in messages)
    manifest = f"""\
<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>{version}</version>
  <description>The part of {name} that ptz_collab uses, where ROS comes from wheels.</description>
  <maintainer email="maintainers@ptz-collab.example">ptz_collab maintainers</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
{depends}
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export>
    <build_type>ament_cmake</build_type>
  </export>
</package>
"""
    build = f"""\
cmake_minimum_required(VERSION 3.20)
project({name})
find_package(ament_cmake REQUIRED)
{found}
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${{PROJECT_NAME}} {files} DEPENDENCIES {' '.join(uses)})
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
    return {
        'package.xml': manifest,
        'CMakeLists.txt': build,
        **{f'msg/{message}.msg': text for message, text in messages.items()},
    }


_MAP_META_DATA = """\
builtin_interfaces/Time map_load_time
float32 resolution
uint32 width
uint32 height
geometry_msgs/Pose origin
"""
_OCCUPANCY_GRID = """\
std_msgs/Header header
MapMetaData info
int8[] data
"""

#: Packages, their files and what those hold.
PACKAGES = {
    'nav_msgs': _package(
        'nav_msgs',
        '5.3.6',
        ('builtin_interfaces', 'geometry_msgs', 'std_msgs'),
        {'MapMetaData': _MAP_META_DATA, 'OccupancyGrid': _OCCUPANCY_GRID},
    ),
    'tf2_msgs': _package(
        'tf2_msgs', '0.36.0', ('geometry_msgs',), {'TFMessage': 'geometry_msgs/TransformStamped[] transforms\n'}
    ),
}


def write(folder: Path) -> None:
    """Writes the packages into a folder. Files that are right already stay, so that they are not built again."""
    for package, files in PACKAGES.items():
        for name, text in files.items():
            path = folder / package / name
            if not path.is_file() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
