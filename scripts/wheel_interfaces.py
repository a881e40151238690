# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Interface packages that ROS distributions have and PyPI lacks: written for an environment of wheels, built with the workspace.

Of tf2_msgs this is TFMessage alone, because nothing else is used; upstream has TF2Error.msg, LookupTransform.action and FrameGraph.srv
as well. Name and fields are upstream's, so the type hash is too, and nodes of a distribution understand it.
"""

from __future__ import annotations

from pathlib import Path

#: Packages, their files and what those hold.
PACKAGES = {
    'tf2_msgs': {
        'package.xml': """\
<?xml version="1.0"?>
<package format="3">
  <name>tf2_msgs</name>
  <version>0.36.0</version>
  <description>The part of tf2_msgs that ptz_collab uses, where ROS comes from wheels.</description>
  <maintainer email="maintainers@ptz-collab.example">ptz_collab maintainers</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export>
    <build_type>ament_cmake</build_type>
  </export>
</package>
""",
        'CMakeLists.txt': """\
cmake_minimum_required(VERSION 3.20)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} msg/TFMessage.msg DEPENDENCIES geometry_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
""",
        'msg/TFMessage.msg': 'geometry_msgs/TransformStamped[] transforms\n',
    },
}


def write(folder: Path) -> None:
    """Writes the packages into a folder. Files that are right already stay, so that they are not built again."""
    for package, files in PACKAGES.items():
        for name, text in files.items():
            path = folder / package / name
            if not path.is_file() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
