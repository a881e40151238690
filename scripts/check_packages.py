#!/usr/bin/env python3
# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that every package describes itself as ROS tools expect (package.xml format 3), and the same as its setup.py does."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
REQUIRED = ('name', 'version', 'description', 'maintainer', 'license')
#: The file that a package of a build type is built by.
BUILT_BY = {'ament_cmake': 'CMakeLists.txt', 'ament_python': 'setup.py'}


def main() -> int:
    manifests = sorted((ROOT / 'src').glob('**/package.xml'))
    faults = [f'{path.relative_to(ROOT)}: {fault}' for path in manifests for fault in faults_of(path)]
    names = Counter(name_of(path) for path in manifests)
    faults += [f'src: {count} packages are named {name}' for name, count in names.items() if count > 1]
    for fault in faults or [f'{len(manifests)} packages describe themselves well']:
        print(fault)
    return 1 if faults or not manifests else 0


def name_of(manifest: Path) -> str:
    found = re.search(r'<name>\s*(.*?)\s*</name>', manifest.read_text())
    return found[1] if found else str(manifest)


def faults_of(manifest: Path) -> Iterator[str]:
    """What is wrong with one package.xml and its neighbours."""
    try:
        package = ElementTree.parse(manifest).getroot()
    except ElementTree.ParseError as error:
        yield f'not well-formed: {error}'
        return
    if package.tag != 'package' or package.get('format') != '3':
        yield f'<package format="3"> is expected, found <{package.tag} format="{package.get("format")}">'
    for tag in REQUIRED:
        if not (package.findtext(tag) or '').strip():
            yield f'<{tag}> is missing or empty'
    if not all(maintainer.get('email') for maintainer in package.findall('maintainer')):
        yield '<maintainer> has no email'
    name = (package.findtext('name') or '').strip()
    if not re.fullmatch(r'[a-z][a-z0-9]*(_[a-z0-9]+)*', name):
        yield f'{name!r} is no name of a ROS package'
    build_type = package.findtext('export/build_type') or ''
    if build_type not in BUILT_BY:
        yield f'build type {build_type!r}; {" or ".join(BUILT_BY)} is expected'
    elif not (manifest.parent / BUILT_BY[build_type]).is_file():
        yield f'build type {build_type}, but there is no {BUILT_BY[build_type]}'
    elif build_type == 'ament_python':
        yield from faults_of_python_package(manifest.parent, name, (package.findtext('version') or '').strip())


def faults_of_python_package(folder: Path, name: str, version: str) -> Iterator[str]:
    setup = (folder / 'setup.py').read_text()
    for key, value in (('package_name = ', name), ('version=', version)):
        if f"{key}'{value}'" not in setup:
            yield f"setup.py has no {key}'{value}'"
    for needed in (Path('resource', name), Path(name, '__init__.py'), Path(name, 'py.typed')):
        if not (folder / needed).is_file():
            yield f'{needed} is missing'
    # Without these the executables are not where ROS looks for them.
    if '[install]' not in (folder / 'setup.cfg').read_text():
        yield 'setup.cfg does not say where scripts are installed'


if __name__ == '__main__':
    sys.exit(main())
