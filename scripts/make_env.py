#!/usr/bin/env python3
# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the environment that everything runs in: virtual environment, pinned packages, built workspace.

Prefers a sourced ROS distribution; without one, ROS 2 Jazzy comes from PyPI. Idempotent, quick when nothing changed, and what an
interrupted run left is put right by the next one. Needs only the standard library. Exit code 2: something is missing on this
machine, or a step failed; it says what.

With the argument `train`, also what trainings of models use; with TORCH_INDEX (a URL) from there, for a build that fits the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.machinery
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import wheel_interfaces

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / '.venv'
VENV_PYTHON = VENV / 'bin' / 'python'
REQUIREMENTS = ROOT / 'requirements'
#: The interpreter itself, also when this runs inside the environment that it makes.
PYTHON = getattr(sys, '_base_executable', sys.executable)
PYTHON_NAME = f'python3.{sys.version_info.minor}'
HEADERS = VENV / 'headers'
#: Interface packages that PyPI lacks; without a distribution only.
INTERFACES = VENV / 'interfaces'
#: Downloads package $0 in folder $1 and unpacks it into $2; with lists of its own where the machine has none.
FETCH_HEADERS = """
cd "$1"
apt-get -qq -o Dir::Cache="$1" download "$0" 2>first.log || {
  mkdir -p lists/partial
  apt-get -qq -o Dir::Cache="$1" -o Dir::State::Lists="$1/lists" update
  apt-get -qq -o Dir::Cache="$1" -o Dir::State::Lists="$1/lists" download "$0"
}
dpkg-deb -x "$0"*.deb "$2"
"""
#: Written last, so that they tell of finished work only.
STAMP_VENV = VENV / '.ptz_collab_environment'
STAMP_TRAIN = VENV / '.ptz_collab_training'
STAMP_BUILD = ROOT / 'install' / '.ptz_collab_build'
OLDEST_PYTHON = (3, 11)
TRIED_PYTHONS = ('python3.13', 'python3.12', 'python3.11')
DISTRIBUTIONS = ('jazzy', 'kilted', 'lyrical', 'rolling')
#: Pip packages that must stay at the versions that a ROS distribution is built with: module, pip's name, Debian's name.
FROM_DISTRIBUTION = (
    ('numpy', 'numpy', 'python3-numpy'),
    ('cv2', 'opencv-python-headless', 'python3-opencv'),
    ('yaml', 'pyyaml', 'python3-yaml'),
    ('setuptools', 'setuptools', 'python3-setuptools'),
    ('colcon_core', 'colcon-common-extensions', 'python3-colcon-common-extensions'),
)
#: A change of what these hold needs a new build; edits of other files do not, because the build links them.
BUILD_INPUTS = ('package.xml', 'setup.py', 'setup.cfg', 'CMakeLists.txt')
INTERFACE_FILES = ('.msg', '.srv', '.action')
#: How much of a failed step's output is worth a look.
SHOWN_LINES, SHOWN_COLUMNS = 25, 300


class SetupError(Exception):
    """The environment can't be made; the message is for the user."""


def main() -> int:
    try:
        use_newer_python()
        distribution = sourced_distribution()
        check_machine(distribution)
        with alone():
            if read(STAMP_VENV) != venv_fingerprint(distribution) or not VENV_PYTHON.exists():
                make_venv(distribution)
            if read(STAMP_BUILD) != build_fingerprint(distribution):
                build(distribution)
            if sys.argv[1:] == ['train'] and read(STAMP_TRAIN) != train_fingerprint():
                add_training(distribution)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('\ninterrupted; run make again to finish', file=sys.stderr)
        return 130
    return 0


# What there is on this machine


def use_newer_python() -> None:
    """Where python3 is too old and a newer one stands beside it, goes on with that."""
    if sys.version_info >= OLDEST_PYTHON or sourced_distribution():
        return
    for name in TRIED_PYTHONS:
        path = shutil.which(name)
        # Asked, because version managers put commands of versions on the PATH that are not there.
        if path and not subprocess.run([path, '-c', 'import ensurepip, venv'], stderr=subprocess.DEVNULL, check=False).returncode:
            os.execv(path, [path, *sys.argv])


def sourced_distribution() -> str:
    """The name of the ROS distribution that is sourced, empty if none is."""
    return os.environ.get('ROS_DISTRO', '') if os.environ.get('AMENT_PREFIX_PATH') else ''


def check_machine(distribution: str) -> None:
    """Raises SetupError that names everything that is missing at once."""
    missing = [*missing_python(), *missing_tools()]
    missing += missing_of_distribution(distribution) if distribution else missing_for_wheels()
    if missing:
        raise SetupError('ptz_collab needs, and this machine lacks:\n' + '\n'.join(f'  - {line}' for line in missing))


def missing_python() -> Iterator[str]:
    if sys.version_info < OLDEST_PYTHON:
        oldest = '.'.join(map(str, OLDEST_PYTHON))
        yield f'python {oldest} or newer (found {platform.python_version()}): install one, then make PYTHON=python{oldest}'
        return
    if importlib.util.find_spec('venv') is None or importlib.util.find_spec('ensurepip') is None:
        yield f'the venv module of {PYTHON}: apt install {PYTHON_NAME}-venv'
    if not has_headers() and not can_fetch_headers():
        yield f'the C headers of {PYTHON} (Python.h): apt install {PYTHON_NAME}-dev'


def has_headers() -> bool:
    return Path(sysconfig.get_path('include'), 'Python.h').is_file()


def can_fetch_headers() -> bool:
    """Whether the headers can be had without installing them: for the python of Debian and Ubuntu, from its package."""
    return PYTHON.startswith('/usr/bin/') and all(shutil.which(tool) for tool in ('apt-get', 'dpkg-deb'))


def missing_tools() -> Iterator[str]:
    for tool in ('cmake', 'make'):
        if shutil.which(tool) is None:
            yield f'{tool}: apt install {tool}'
    # The interfaces are generated in C and C++, and CMake looks for both.
    for variable, names, what in (('CC', ('cc', 'gcc', 'clang'), 'C'), ('CXX', ('c++', 'g++', 'clang++'), 'C++')):
        wanted = os.environ.get(variable, '').split()[:1]
        if not any(shutil.which(compiler) for compiler in wanted or names):
            yield f'a {what} compiler: apt install g++'


def missing_of_distribution(distribution: str) -> Iterator[str]:
    """What a sourced ROS distribution lacks; also that it is not one that will do."""
    if distribution not in DISTRIBUTIONS:
        yield (
            f'ROS 2 jazzy or newer ({distribution} is sourced): source a newer one, or none (then ROS 2 jazzy comes from PyPI)'
        )
        return
    rclpy = importlib.util.find_spec('rclpy')
    folders = [Path(folder) for folder in (rclpy.submodule_search_locations or ())] if rclpy else []
    if not folders:
        yield f'rclpy for {PYTHON} ({distribution} is sourced): apt install ros-{distribution}-rclpy'
    elif not any(
        (folder / f'_rclpy_pybind11{suffix}').exists() for folder in folders for suffix in importlib.machinery.EXTENSION_SUFFIXES
    ):
        yield (
            f'the python that rclpy of {distribution} is built for ({PYTHON}, {platform.python_version()}, is another): '
            'make PYTHON=/usr/bin/python3'
        )
    prefixes = [Path(prefix) for prefix in os.environ['AMENT_PREFIX_PATH'].split(':')]
    for package in sorted({'rosidl_default_generators', *ros_packages()} - {'rclpy', 'rmw_fastrtps_cpp'}):
        if not any((prefix / 'share' / package / 'package.xml').is_file() for prefix in prefixes):
            yield f'the ROS package {package}: apt install ros-{distribution}-{package.replace("_", "-")}'
    for module, _, debian in FROM_DISTRIBUTION:
        if importlib.util.find_spec(module) is None:
            yield f'the python module {module}: apt install {debian}'


def ros_packages() -> list[str]:
    """The ROS packages that the wheels' list names by distribution, as a distribution names them."""
    lines = read(REQUIREMENTS / 'ros-wheels.txt').splitlines()
    return [line.split('==')[0][len('ros-jazzy-') :].replace('-', '_') for line in lines if line.startswith('ros-jazzy-')]


def missing_for_wheels() -> Iterator[str]:
    machine, library = platform.machine(), platform.libc_ver()[0]
    if sys.platform != 'linux' or machine != 'x86_64' or library != 'glibc':
        yield (
            f'a sourced ROS distribution (jazzy or newer): PyPI has ROS only for Linux on x86_64 with glibc, '
            f'this is {sys.platform} on {machine} with {library or "another C library"}'
        )


# The virtual environment


def make_venv(distribution: str) -> None:
    """Makes .venv anew with everything pinned. What was built with an older one goes, because it names that one's files."""
    announce(distribution)
    for made in (VENV, ROOT / 'build', ROOT / 'install', ROOT / 'log'):
        remove(made)
    shared = ['--system-site-packages'] if distribution else []
    step('virtual environment', [PYTHON, '-m', 'venv', *shared, str(VENV)])
    files = ('runtime.txt', 'dev.txt') if distribution else ('ros-wheels.txt', 'runtime.txt', 'dev.txt')
    install('packages', files, distribution)
    if not has_headers():
        fetch_headers()
    if not distribution:
        relocate(VENV)
    STAMP_VENV.write_text(venv_fingerprint(distribution))


def add_training(distribution: str) -> None:
    """Adds what trainings use."""
    index = os.environ.get('TORCH_INDEX')
    install('PyTorch', ('train.txt',), distribution, ['--extra-index-url', index] if index else [])
    STAMP_TRAIN.write_text(train_fingerprint())


def install(what: str, files: tuple[str, ...], distribution: str, options: Iterable[str] = ()) -> None:
    """Installs the requirements in some files, at the versions that were tried."""
    pip = [str(VENV_PYTHON), '-m', 'pip', 'install', '--disable-pip-version-check', '--progress-bar', 'off', *options]
    with tempfile.NamedTemporaryFile('w', prefix='ptz_collab_', suffix='.txt') as constraints:
        constraints.write('\n'.join(pins('constraints.txt', distribution=distribution)))
        constraints.flush()
        # As a variable it holds for the isolated builds of source packages too.
        env = {**environment(distribution), 'PIP_CONSTRAINT': constraints.name}
        more = '; they come from PyPI, or from where pip is told to look, which must be reachable'
        step(what, [*pip, *pins(*files, distribution=distribution)], env, more)


def announce(distribution: str) -> None:
    if distribution:
        print(f'ROS 2 {distribution} is sourced; its packages are used', flush=True)
        return
    print('no ROS distribution is sourced; ROS 2 Jazzy comes from PyPI', flush=True)
    installed = [name for name in DISTRIBUTIONS if Path('/opt/ros', name, 'setup.sh').is_file()]
    if installed:
        print(f'(to use the one that is installed: . /opt/ros/{installed[0]}/setup.sh)', flush=True)


def pins(*files: str, distribution: str) -> list[str]:
    """The requirements in some files, without those that a ROS distribution brings."""
    left_out = {name for _, name, _ in FROM_DISTRIBUTION} if distribution else set()
    lines = (line.partition('#')[0].strip() for file in files for line in (REQUIREMENTS / file).read_text().splitlines())
    wanted = [line for line in lines if line and re.split(r'[=<>;\[]', line)[0].strip().lower() not in left_out]
    return [*wanted, f'numpy=={installed_version("numpy")}'] if distribution and 'constraints.txt' in files else wanted


def installed_version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def include_folder() -> Path:
    """The folder of Python.h."""
    return Path(sysconfig.get_path('include')) if has_headers() else HEADERS / 'usr' / 'include' / PYTHON_NAME


def fetch_headers() -> None:
    """Unpacks the package of python's headers into the environment, which needs no root; the machine stays as it is."""
    package = f'lib{PYTHON_NAME}-dev'
    with tempfile.TemporaryDirectory(prefix='ptz_collab_') as folder:
        step(
            f"python's headers (from {package}, unpacked into .venv)", ['sh', '-ec', FETCH_HEADERS, package, folder, str(HEADERS)]
        )
    # Debian's own pyconfig.h points to the one of the architecture by a path of the compiler's.
    own = HEADERS / 'usr' / 'include' / str(sysconfig.get_config_var('MULTIARCH')) / PYTHON_NAME / 'pyconfig.h'
    if own.is_file():
        own.replace(include_folder() / 'pyconfig.h')


def relocate(venv: Path) -> None:
    """Makes the wheels' CMake files name this environment's include folders instead of those of the machine that built them."""
    (site_packages,) = venv.glob('lib/python3*/site-packages')
    for file in venv.glob('share/*/cmake/*.cmake'):
        text = file.read_text()
        moved = re.sub(r'/opt/python/[^/;"]+/include/python[\d.]+', str(include_folder()), text)
        moved = re.sub(r'/opt/python/[^/;"]+/lib/python[\d.]+/site-packages', str(site_packages), moved)
        if moved != text:
            # A new file, renamed: installers may have hard-linked the old one to their cache.
            fresh = file.with_suffix('.relocated')
            fresh.write_text(moved)
            fresh.replace(file)


# The workspace


def build(distribution: str) -> None:
    """Builds the workspace with colcon into build/ and install/."""
    STAMP_BUILD.unlink(missing_ok=True)
    if not distribution:
        wheel_interfaces.write(INTERFACES)
    remove_leftovers()
    # By this python and not by colcon's own, because the nodes run by the python that built them.
    command = [str(VENV_PYTHON), '-m', 'colcon', 'build', '--symlink-install']
    command += [] if distribution else ['--base-paths', 'src', str(INTERFACES)]
    command += ['--event-handlers', 'console_start_end-', 'console_direct-', 'console_cohesion-', 'desktop_notification-']
    command += ['--cmake-args', '-DBUILD_TESTING=OFF', f'-DPython3_EXECUTABLE={VENV_PYTHON}', '--no-warn-unused-cli']
    command += [] if has_headers() else [f'-DPython3_INCLUDE_DIR={include_folder()}']
    new = not (ROOT / 'install' / 'ptz_collab_msgs').exists()
    what = 'workspace (the messages take most of a minute)' if new else 'workspace'
    step(what, command, environment(distribution), more='; all of its output is below log/latest_build')
    STAMP_BUILD.write_text(build_fingerprint(distribution))


def remove_leftovers() -> None:
    """Takes packages and files that are no longer there out of the built ones; colcon leaves them, and stumbles over the files."""
    manifests = [*(file for file in sources() if file.name == 'package.xml'), *INTERFACES.glob('*/package.xml')]
    names = {match for file in manifests for match in re.findall(r'<name>(.+?)</name>', read(file))}
    for installed in (ROOT / 'install').glob('*/share/colcon-core/packages/*'):
        if installed.name not in names:
            remove(ROOT / 'install' / installed.name)
            remove(ROOT / 'build' / installed.name)
    # Links to files that are gone, and links to those links.
    links = [path for made in ('build', 'install') for path in (ROOT / made).rglob('*') if path.is_symlink()]
    for link in links:
        if not link.exists():
            link.unlink()


def environment(distribution: str) -> dict[str, str]:
    """The environment variables of a step: what the user has, without what an already sourced env.sh brought."""
    env = {key: value for key, value in os.environ.items() if key not in ('_ROS_WHEELS_BOOTSTRAP_COMPLETE', 'COLCON_PREFIX_PATH')}
    env['PATH'] = os.pathsep.join([str(VENV / 'bin'), env.get('PATH', os.defpath)])
    env['VIRTUAL_ENV'] = str(VENV)
    env['COLCON_LOG_LEVEL'] = 'error'
    for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'PYTHONPATH', 'LD_LIBRARY_PATH'):
        others = [part for part in env.get(name, '').split(os.pathsep) if part and not Path(part).is_relative_to(ROOT)]
        env[name] = os.pathsep.join(others)
    if not distribution:
        env.pop('PYTHONPATH')
        env['AMENT_PREFIX_PATH'] = env['CMAKE_PREFIX_PATH'] = str(VENV)
    return {key: value for key, value in env.items() if value or key not in ('PYTHONPATH', 'LD_LIBRARY_PATH')}


# Running, and knowing what changed


def step(what: str, command: list[str], env: dict[str, str] | None = None, more: str = '') -> None:
    """Runs one step quietly, says how long it takes. Raises SetupError with what tells of its output if it fails."""
    terminal = sys.stdout.isatty()
    begin = time.monotonic()
    print(f'{what} ...', end='', flush=True)
    with tempfile.TemporaryFile('w+', errors='replace') as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)
                if terminal:
                    print(f'\r{what} ... {time.monotonic() - begin:.0f} s', end='', flush=True)
        except KeyboardInterrupt:
            # The terminal has told the step as well.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            raise
        print(f'\r{what} ... {time.monotonic() - begin:.0f} s' if terminal else f' {time.monotonic() - begin:.0f} s', flush=True)
        if process.returncode:
            output.seek(0)
            raise SetupError(f'{telling_end(output.read())}\n{what}: failed with exit code {process.returncode}{more}')


def telling_end(output: str) -> str:
    """The part of a failed step's output that tells why."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if re.search(r'error\b', line, re.IGNORECASE)]
    begin = max(len(lines) - SHOWN_LINES, 0)
    if errors and errors[0] < begin:
        begin = max(errors[0] - 2, 0)
    return '\n'.join(line[:SHOWN_COLUMNS] for line in lines[begin : begin + SHOWN_LINES])


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Waits until nobody else makes this environment."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('another make is at work here; waiting for it', flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def venv_fingerprint(distribution: str) -> str:
    """Changes when the virtual environment must be made anew."""
    files = [*(REQUIREMENTS / f'{name}.txt' for name in ('constraints', 'dev', 'ros-wheels', 'runtime')), Path(__file__)]
    return fingerprint([sys.version, os.path.realpath(PYTHON), str(ROOT), distribution], files, [])


def train_fingerprint() -> str:
    """Changes when what trainings use must be installed again."""
    return fingerprint([], [REQUIREMENTS / 'train.txt', REQUIREMENTS / 'constraints.txt'], [])


def build_fingerprint(distribution: str) -> str:
    """Changes when the workspace must be built again: with what describes the packages, and with the list of their files."""
    files = list(sources())
    contents = [file for file in files if file.name in BUILD_INPUTS or file.suffix in INTERFACE_FILES]
    contents += [] if distribution else [Path(wheel_interfaces.__file__)]
    return fingerprint([read(STAMP_VENV), distribution], contents, files)


def sources() -> Iterator[Path]:
    """All files of the packages that may be installed, in order."""
    for folder, folders, files in os.walk(ROOT / 'src'):
        folders[:] = sorted(name for name in folders if name not in ('test', '__pycache__') and not name.startswith('.'))
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith('.') and not name.endswith('~'))


def fingerprint(words: Iterable[str], contents: Iterable[Path], names: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b'\0')
    for path in contents:
        digest.update(str(path).encode() + b'\0' + path.read_bytes() + b'\0')
    for path in names:
        digest.update(str(path).encode() + b'\0')
    return digest.hexdigest()


def read(path: Path) -> str:
    """The text of a file, empty if there is none."""
    try:
        return path.read_text()
    except OSError:
        return ''


def remove(folder: Path) -> None:
    """Removes a folder that was made here, or a link in its place."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


if __name__ == '__main__':
    sys.exit(main())
