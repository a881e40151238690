# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The page of a run: one file that holds everything it shows."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import jinja2
import numpy as np

from ptz_node.stream_decoder import StreamDecoder, as_bgr
from ptz_stitcher.report import charts
from ptz_stitcher.report.heat import HeatPlans
from ptz_stitcher.report.measures import NANOSECONDS, RunMeasures
from ptz_stitcher.report.read import Picture
from ptz_stitcher.storage.names import names_of, parts_of
from ptz_stitcher.summary import RecordingSummary

_THUMBNAIL_WIDTH = 320
#: Pictures of one scene at the most; of longer runs they are chosen evenly.
MOST_PICTURES = 48
#: Which picture of a segment is shown: the last one so soon after its first.
_TIME_IN_NS = 800_000_000


@dataclass(frozen=True)
class Thumbnail:
    """One segment's picture. at: seconds since the rotation began."""

    camera: str
    slot: int
    at: float
    data_uri: str


def segment_pictures(pictures: Iterable[Picture], begin_ns: int) -> list[Thumbnail]:
    """One picture for each segment, shortly after its beginning; evenly chosen if there are very many."""
    chosen: list[Picture] = []
    first_ns = 0
    for picture in pictures:
        if not picture.stands_alone:
            continue
        if not chosen or chosen[-1].header.segment_key != picture.header.segment_key:
            chosen.append(picture)
            first_ns = picture.header.stamp_ns
        elif picture.header.stamp_ns - first_ns < _TIME_IN_NS:
            chosen[-1] = picture
    if len(chosen) > MOST_PICTURES:
        chosen = [chosen[round(i)] for i in np.linspace(0, len(chosen) - 1, MOST_PICTURES)]
    return [Thumbnail(p.header.camera, p.header.slot, (p.header.stamp_ns - begin_ns) / NANOSECONDS, _data_uri(p)) for p in chosen]


def render(
    region: str,
    run: RunMeasures,
    summary: RecordingSummary | None,
    pictures: dict[str, list[Thumbnail]],
    warnings: tuple[str, ...],
    out: Path,
    stays: str = '',
    heat: HeatPlans | None = None,
) -> str:
    """The whole page."""
    scene_colours = charts.colours([scene.scene for scene in run.scenes])
    camera_colours = charts.colours([camera.camera for camera in run.cameras])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader('ptz_stitcher.report'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters['ms'] = lambda ns: f'{ns / 1e6:.1f}'
    environment.filters['seconds'] = lambda ns: f'{ns / NANOSECONDS:.1f}'
    environment.filters['percent'] = lambda share: f'{100 * share:.1f}'
    return environment.get_template('report.html.j2').render(
        region=region,
        run=run,
        began=datetime.fromtimestamp(run.begin_ns / NANOSECONDS, UTC).strftime('%Y-%m-%d %H:%M:%S UTC'),
        length=(run.end_ns - run.begin_ns) / NANOSECONDS,
        cut=summary.cut if summary else 'unknown',
        kept={scene.scene: scene.frames for scene in summary.scenes} if summary else {},
        pictures=pictures,
        warnings=warnings,
        stays=stays,
        heat=heat,
        scene_colours=scene_colours,
        camera_colours=camera_colours,
        cameras_chart=charts.cameras_chart(run, scene_colours),
        scenes_chart=charts.scenes_chart(run, camera_colours),
        videos={scene.scene: _videos(out, scene.scene, region) for scene in run.scenes},
        bags={scene.scene: [f'{bag.name}/' for bag in parts_of(out, scene.scene, region)] for scene in run.scenes},
    )


def _videos(out: Path, scene: str, region: str) -> list[str]:
    """The video of a scene, or those of its cameras, of all its parts."""
    patterns = [pattern for name in names_of(out, scene, region) for pattern in (f'{name}.mp4', f'{name}.*.mp4')]
    return [video for pattern in patterns for video in sorted(path.name for path in out.glob(pattern))]


def _data_uri(shown: Picture) -> str:
    try:
        frame = StreamDecoder(shown.encoding).decode(shown.data, True)
    except ValueError:
        return ''
    if frame is None:
        return ''
    height = max(1, round(frame.height * _THUMBNAIL_WIDTH / frame.width))
    small = cv2.resize(as_bgr(frame), (_THUMBNAIL_WIDTH, height), interpolation=cv2.INTER_AREA)
    data = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
    return 'data:image/jpeg;base64,' + base64.b64encode(data).decode()
