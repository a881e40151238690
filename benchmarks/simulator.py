# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What the simulator costs, and what the embedded people detector makes of its pictures: python benchmarks/simulator.py SITE"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from report.figures import Figure, Stopwatch, write_outcome
from rich.console import Console
from rich.table import Table

from ptz_node.images import encode_jpeg
from ptz_perception.detections import Detections
from ptz_perception.detectors import make_detector
from ptz_perception.detectors.base import Detector
from ptz_sim.camera import SimulatedPtz
from ptz_sim.truth import WalkerTruth, truth
from ptz_site import Site, load_site

S = 1_000_000_000


@dataclass
class Tally:
    """Processor seconds, and people found and missed."""

    render: list[float]
    encode: list[float]
    detect: list[float]
    found: int = 0
    missed: int = 0
    wrong: int = 0


def main() -> None:
    """Measures a site's cameras and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('site', nargs='?', default='config/demo.yaml')
    parser.add_argument('--pictures', type=int, default=12, help='of each camera')
    parser.add_argument('--quick', action='store_true', help='three pictures of each camera')
    arguments = parser.parse_args()
    watch, pictures = Stopwatch(), 3 if arguments.quick else arguments.pictures
    cv2.setNumThreads(1)
    site = load_site(arguments.site)
    detector = make_detector(site.perception, Path(arguments.site).parent)
    tally = Tally([], [], [])
    for camera in site.cameras:
        measure(site, detector, camera, pictures, tally)
    table = Table(title='Simulator, one core, processor time', title_justify='left')
    for heading in ('figure', 'median', '99 %'):
        table.add_column(heading)
    for name, values in (('render, ms', tally.render), ('encode JPEG, ms', tally.encode), ('detect, ms', tally.detect)):
        table.add_row(name, f'{np.median(values) * 1000:.1f}', f'{np.percentile(values, 99) * 1000:.1f}')
    share = tally.found / max(1, tally.found + tally.missed)
    table.add_row(
        f'clear people of 100 px or more that {detector.name} finds', f'{share:.0%} of {tally.found + tally.missed}', ''
    )
    table.add_row('false detections for each picture', f'{tally.wrong / len(tally.detect):.2f}', '')
    Console().print(table)
    spent = {'render': tally.render, 'encode as JPEG': tally.encode, 'detect': tally.detect}
    figures = [Figure(f'{name} a picture, median', float(np.median(values)) * 1000, 'ms') for name, values in spent.items()]
    seen = tally.found + tally.missed
    figures.append(Figure(f'clear people of 100 px or more that {detector.name} finds, of {seen}', 100 * share, '%'))
    figures.append(Figure('false detections in a picture', tally.wrong / len(tally.detect)))
    summary = 'What simulated cameras cost a core, and what the demo detector makes of their pictures.'
    write_outcome('simulator', watch.outcome('Simulator', summary, figures, quick=arguments.quick))


def measure(site: Site, detector: Detector, name: str, pictures: int, tally: Tally) -> None:
    """Adds one camera's pictures, which go through the scenes."""
    camera, settings = SimulatedPtz(site, name, 0), site.cameras[name]
    for number in range(pictures):
        position = site.preset(name, list(site.scenes)[number % len(site.scenes)])
        view = settings.projection(position) if position else None
        if position is None or view is None:
            continue
        at = (20 + 25 * number) * S
        camera.go_to(position, at - 10 * S)
        # The first picture of a scene fills caches that all later ones use.
        camera.capture(at - S // 10)
        clock = [time.process_time()]
        picture = camera.capture(at)
        clock.append(time.process_time())
        encode_jpeg(picture, settings.jpeg_quality)
        clock.append(time.process_time())
        found = detector.detect(picture)
        clock.append(time.process_time())
        for values, spent in zip((tally.render, tally.encode, tally.detect), np.diff(clock), strict=True):
            values.append(float(spent))
        compare(found, truth(camera.world, view, settings.resolution, at / S), tally)


def compare(found: Detections, people: tuple[WalkerTruth, ...], tally: Tally) -> None:
    """Counts who was found: a box whose middle is near a person's."""
    clear = [p for p in people if p.completeness > 0.95 and p.occluded < 0.2 and p.box[3] >= 100]
    hits = [any(near(box, person) for box in found.boxes) for person in clear]
    tally.found += sum(hits)
    tally.missed += len(hits) - sum(hits)
    tally.wrong += sum(not any(near(box, person) for person in people) for box in found.boxes)


def near(box: np.ndarray, person: WalkerTruth) -> bool:
    """Whether a box is about where a person is."""
    x, y, _, height = person.box
    return abs(box[0] - x) < 0.3 * height and abs(box[1] - y) < 0.35 * height


if __name__ == '__main__':
    main()
