# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks one after the other, and makes the report of all of them: out/bench/report.html and report.json.

    python benchmarks/run.py [--quick] [NAME ...]

One that fails does not stop the others; the report names it, and the exit code is 1. Goals that are not reached are no failure.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

from report import page
from report.catalogue import CATALOGUE, Benchmark
from report.figures import FOLDER, ROOT, machine, read_outcomes
from rich.console import Console

from ptz_site import UserError


def main() -> int:
    """Runs what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*', metavar='NAME', help='only these; default: all that can run')
    parser.add_argument('--quick', action='store_true', help='small inputs, and only those that are quick then')
    parser.add_argument('--report-only', action='store_true', help='run nothing; make the report of what was measured before')
    arguments = parser.parse_args()
    known = [one.name for one in CATALOGUE]
    if unknown := set(arguments.names) - set(known):
        parser.error(f'no benchmark {", ".join(sorted(unknown))}; there are {", ".join(known)}')
    console, here, failed, left = Console(highlight=False, soft_wrap=True), machine(), {}, []
    for one in () if arguments.report_only else CATALOGUE:
        if arguments.names and one.name not in arguments.names:
            continue
        if reason := '' if arguments.names else one.why_not(arguments.quick, os.environ):
            left.append(f'{one.name} {reason}')
        elif trouble := run(one, arguments.quick, console):
            failed[one.name] = trouble
    return conclude(arguments.quick, failed, left, console, page.Report({}, (), command(arguments), here))


def command(arguments: argparse.Namespace) -> str:
    """What somebody types for this report."""
    if arguments.names or arguments.report_only:
        return ' '.join(['python benchmarks/run.py', *sys.argv[1:]])
    return 'make bench-quick' if arguments.quick else 'make bench'


def run(one: Benchmark, quick: bool, console: Console) -> str:
    """Runs one; returns why it failed, empty if it did not."""
    script = ROOT / 'benchmarks' / f'{one.name}.py'
    if not script.is_file():
        return f'{script.relative_to(ROOT)} is missing'
    console.rule(one.name)
    before = read_outcomes(quick=quick).get(one.name)
    began = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([sys.executable, script, *(one.quick if quick else ())], cwd=ROOT, stderr=errors)
        try:
            code = process.wait(one.limit)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            return f'was ended after {one.limit:.0f} s'
        errors.seek(0)
        said = errors.read().decode(errors='replace').strip()
    console.print(f'{one.name}: {time.monotonic() - began:.0f} s')
    if code:
        console.print(said, markup=False)
        last = said.splitlines()[-1] if said else 'it said nothing'
        return f'ended with exit code {code}: {last}'
    if read_outcomes(quick=quick).get(one.name) == before:
        return 'ended well, but said nothing of what it found'
    return ''


def conclude(quick: bool, failed: dict[str, str], left: list[str], console: Console, empty: page.Report) -> int:
    """Makes the report, and says where it is."""
    order = [one.name for one in CATALOGUE]
    report = page.gather(order, read_outcomes(), read_outcomes(quick=True), failed, empty.command, empty.machine, was_quick=quick)
    path = page.write(report, FOLDER)
    console.rule('report')
    for text in left:
        console.print(f'not run: {text}', markup=False)
    for name, reason in failed.items():
        console.print(f'failed: {name} {reason}', markup=False)
    counts = [sum(goal.figure.reached is wanted for goal in report.goals) for wanted in (True, False, None)]
    console.print(
        f'goals: {counts[0]} reached, {counts[1]} not reached, {counts[2]} not judged; look at {path.relative_to(ROOT)}'
    )
    return 1 if failed else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
