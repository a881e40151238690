#!/usr/bin/env python3
# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the environment that everything runs in: virtual environment, pinned packages, built workspace.

Prefers a sourced ROS distribution; without one, ROS 2 Jazzy comes from PyPI. Idempotent, and quick when nothing changed. Needs only
the standard library. Exit code 2: something is missing on this machine, and it says what.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / '.venv'
#: The interpreter itself, also when this runs inside the environment that it makes.
PYTHON = getattr(sys, '_base_executable', sys.executable)
STAMP_VENV = VENV / '.ptz_collab_environment'
STAMP_BUILD = ROOT / 'install' / '.ptz_collab_build'
OLDEST_PYTHON = (3, 11)
DISTRIBUTIONS = ('jazzy', 'kilted', 'lyrical', 'rolling')
#: Pip packages that a ROS distribution brings itself, or that must stay at its versions.
FROM_DISTRIBUTION = ('numpy', 'opencv-python-headless', 'pyyaml', 'setuptools')
#: What a change of needs a new build; edits of Python files do not, because the build links them.
BUILD_INPUTS = ('package.xml', 'setup.py', 'setup.cfg', 'CMakeLists.txt', '*.msg', '*.srv', '*.action')
LISTED_INPUTS = ('*.py', '*.yaml', '*.rviz', '*.j2', '*.onnx')


class SetupError(Exception):
    """The environment can't be made; the message is for the user."""


def main() -> int:
    try:
        distribution = sourced_distribution()
        check_tools(distribution)
        if read(STAMP_VENV) != venv_fingerprint(distribution):
            make_venv(distribution)
        if read(STAMP_BUILD) != build_fingerprint(distribution):
            build(distribution)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('interrupted; run make again to finish', file=sys.stderr)
        return 130
    return 0


def sourced_distribution() -> str:
    """The name of the ROS distribution that is sourced, empty if none is. Raises SetupError if it is too old."""
    name = os.environ.get('ROS_DISTRO', '')
    if not name or importlib.util.find_spec('rclpy') is None:
        return ''
    if name not in DISTRIBUTIONS:
        raise SetupError(f'ROS 2 {name} is sourced, but jazzy or newer is needed; open a shell without it, or source a newer one')
    return name


def check_tools(distribution: str) -> None:
    """Raises SetupError that names everything that is missing at once."""
    missing: list[str] = []
    if sys.version_info < OLDEST_PYTHON:
        found = '.'.join(map(str, sys.version_info[:3]))
        missing.append(
            f'python3 {".".join(map(str, OLDEST_PYTHON))} or newer (found {found}): apt install python3.11, then make PYTHON=python3.11'
        )
    if importlib.util.find_spec('venv') is None or importlib.util.find_spec('ensurepip') is None:
        missing.append('the venv module of python3: apt install python3-venv')
    for tool, package in (('cmake', 'cmake'), ('make', 'make')):
        if shutil.which(tool) is None:
            missing.append(f'{tool}: apt install {package}')
    if not any(shutil.which(compiler) for compiler in (os.environ.get('CXX', 'c++'), 'g++', 'clang++')):
        missing.append('a C++ compiler: apt install g++')
    if not (Path(sysconfig.get_path('include')) / 'Python.h').is_file():
        missing.append('the headers of python3: apt install python3-dev')
    if distribution and shutil.which('colcon') is None:
        missing.append('colcon: apt install python3-colcon-common-extensions')
    if missing:
        raise SetupError('ptz_collab needs, and this machine lacks:\n' + '\n'.join(f'  - {line}' for line in missing))


def make_venv(distribution: str) -> None:
    """Makes .venv anew with everything pinned."""
    say(
        f'ROS 2 {distribution} is sourced; its packages are used'
        if distribution
        else 'no ROS distribution is sourced; ROS 2 Jazzy comes from PyPI'
    )
    shutil.rmtree(VENV, ignore_errors=True)
    STAMP_BUILD.unlink(missing_ok=True)
    shared = ['--system-site-packages'] if distribution else []
    step('virtual environment', [PYTHON, '-m', 'venv', *shared, str(VENV)])
    step(
        'packages',
        [
            str(VENV / 'bin' / 'python'),
            '-m',
            'pip',
            'install',
            '--disable-pip-version-check',
            '--progress-bar',
            'off',
            *requirements(distribution),
        ],
    )
    if not distribution:
        relocate(VENV)
    STAMP_VENV.write_text(venv_fingerprint(distribution))


def requirements(distribution: str) -> list[str]:
    """Arguments for pip: files where all is pinned, single requirements where the distribution brings some."""
    folder = ROOT / 'requirements'
    if not distribution:
        files = ('ros-wheels.txt', 'runtime.txt', 'dev.txt')
        return ['-c', str(folder / 'constraints.txt'), *(word for file in files for word in ('-r', str(folder / file)))]
    lines = [
        line.split('#')[0].strip() for file in ('runtime.txt', 'dev.txt') for line in (folder / file).read_text().splitlines()
    ]
    return [line for line in lines if line and re.split(r'[=<>;]', line)[0] not in FROM_DISTRIBUTION]


def relocate(venv: Path) -> None:
    """Makes the wheels' CMake files name this environment's include folders instead of those of the machine that built them."""
    (site_packages,) = venv.glob('lib/python3*/site-packages')
    for file in venv.glob('share/*/cmake/*.cmake'):
        text = file.read_text()
        moved = re.sub(r'/opt/python/[^/;"]+/include/python[\d.]+', sysconfig.get_path('include'), text)
        moved = re.sub(r'/opt/python/[^/;"]+/lib/python[\d.]+/site-packages', str(site_packages), moved)
        if moved != text:
            # A new file, renamed: installers may have hard-linked the old one to their cache.
            fresh = file.with_suffix('.relocated')
            fresh.write_text(moved)
            fresh.replace(file)


def build(distribution: str) -> None:
    """Builds the workspace with colcon into build/ and install/."""
    command = [
        'colcon',
        'build',
        '--symlink-install',
        '--event-handlers',
        'console_direct-',
        'console_cohesion-',
        'desktop_notification-',
    ]
    command += ['--cmake-args', '-DBUILD_TESTING=OFF', f'-DPython3_EXECUTABLE={VENV / "bin" / "python"}', '--no-warn-unused-cli']
    step('workspace (the messages take most of a minute)', command, environment(distribution))
    STAMP_BUILD.write_text(build_fingerprint(distribution))


def environment(distribution: str) -> dict[str, str]:
    """The environment variables of a build."""
    env = {key: value for key, value in os.environ.items() if key not in ('PYTHONPATH', '_ROS_WHEELS_BOOTSTRAP_COMPLETE')}
    env['PATH'] = f'{VENV / "bin"}:{env["PATH"]}'
    env['VIRTUAL_ENV'] = str(VENV)
    if distribution:
        env['PYTHONPATH'] = os.environ.get('PYTHONPATH', '')
    else:
        env['AMENT_PREFIX_PATH'] = env['CMAKE_PREFIX_PATH'] = str(VENV)
        # Importing setuptools must not pick the distribution's own distutils.
        env.pop('COLCON_PREFIX_PATH', None)
    return env


def step(what: str, command: list[str], env: dict[str, str] | None = None) -> None:
    """Runs one step quietly, says how long it took. Raises SetupError with the end of its output if it fails."""
    print(f'{what} ...', end='', flush=True)
    begin = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', check=False
    )
    print(f' {time.monotonic() - begin:.0f} s', flush=True)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip() and not line.startswith('WARNING: Location')]
        raise SetupError(
            '\n'.join([*lines[-40:], f'{what}: failed with exit code {done.returncode}; the end of its output is above'])
        )


def say(text: str) -> None:
    print(text, flush=True)


def venv_fingerprint(distribution: str) -> str:
    """Changes when the virtual environment must be made anew."""
    files = [*sorted((ROOT / 'requirements').glob('*.txt')), Path(__file__)]
    return fingerprint([sys.version, os.path.realpath(PYTHON), str(ROOT), distribution], files, [])


def build_fingerprint(distribution: str) -> str:
    """Changes when the workspace must be built again."""
    source = ROOT / 'src'
    contents = sorted(path for pattern in BUILD_INPUTS for path in source.rglob(pattern))
    listed = sorted(path for pattern in LISTED_INPUTS for path in source.rglob(pattern) if '/test/' not in str(path))
    return fingerprint([read(STAMP_VENV), distribution], contents, listed)


def fingerprint(words: Iterable[str], contents: Iterable[Path], names: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b'\0')
    for path in contents:
        digest.update(str(path).encode() + b'\0' + path.read_bytes())
    for path in names:
        digest.update(str(path).encode() + b'\0')
    return digest.hexdigest()


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ''


if __name__ == '__main__':
    sys.exit(main())
