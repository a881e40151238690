# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Timetables as SVG: who watched what when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ptz_stitcher.report.measures import NANOSECONDS, RunMeasures, Span

#: Okabe and Ito's colours, which colour-blind people tell apart: https://jfly.uni-koeln.de/color/
PALETTE = ('#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#7f7f7f')
_WIDTH = 1100
_LEFT = 110
_ROW = 34
_BAR = 24
_AXIS = 34


@dataclass(frozen=True)
class _Scale:
    begin_ns: int
    end_ns: int

    def x(self, at_ns: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * (at_ns - self.begin_ns) / max(1, self.end_ns - self.begin_ns)


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}


def cameras_chart(run: RunMeasures, scene_colours: Mapping[str, str]) -> str:
    """A row for each camera, coloured by scene; turning is hatched."""
    rows = [camera.camera for camera in run.cameras]
    return _chart(
        run, rows, lambda span: span.camera, lambda span: scene_colours.get(span.scene, '#999'), lambda span: span.scene
    )


def scenes_chart(run: RunMeasures, camera_colours: Mapping[str, str]) -> str:
    """A row for each scene, coloured by the camera that watches it; turning is hatched."""
    rows = [scene.scene for scene in run.scenes]
    return _chart(
        run, rows, lambda span: span.scene, lambda span: camera_colours.get(span.camera, '#999'), lambda span: span.camera
    )


def _chart(
    run: RunMeasures,
    rows: Sequence[str],
    row_of: Callable[[Span], str],
    colour_of: Callable[[Span], str],
    label_of: Callable[[Span], str],
) -> str:
    scale = _Scale(run.begin_ns, run.end_ns)
    height = _ROW * len(rows) + _AXIS
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" class="chart">',
        '<defs><pattern id="turning" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="3" height="6" fill="#fff" fill-opacity="0.75"/></pattern></defs>',
    ]
    for number, row in enumerate(rows):
        top = number * _ROW
        parts.append(f'<text x="{_LEFT - 8}" y="{top + _BAR / 2 + 5}" text-anchor="end" class="row">{escape(row)}</text>')
        mine = [span for span in run.spans if row_of(span) == row]
        parts += [_bar(span, scale, top, colour_of(span), label_of(span), _lane(span, mine)) for span in mine]
    parts += _axis(run, scale, height)
    return ''.join([*parts, '</svg>'])


def _lane(span: Span, others: Sequence[Span]) -> tuple[int, int]:
    """Which of how many lanes of the row: cameras that watch one scene at once stand above each other."""
    together = sorted(
        {o.camera for o in others if o.begin_ns < span.end_ns - NANOSECONDS // 2 and span.begin_ns < o.end_ns - NANOSECONDS // 2}
    )
    return (together.index(span.camera), len(together)) if span.camera in together else (0, 1)


def _bar(span: Span, scale: _Scale, top: float, colour: str, label: str, lane: tuple[int, int]) -> str:
    left, right = scale.x(span.begin_ns), scale.x(span.end_ns)
    height = _BAR / lane[1]
    top += lane[0] * height
    seconds = (span.end_ns - span.begin_ns) / NANOSECONDS
    title = f'{span.camera} on {span.scene or "nothing"}, slot {span.slot}, {seconds:.1f} s'
    box = f'y="{top}" height="{height}"'
    bar = f'<g><title>{escape(title)}</title><rect x="{left:.1f}" width="{max(0.5, right - left):.1f}" {box} fill="{colour}"/>'
    arrived = span.end_ns if span.arrived_ns is None else span.arrived_ns
    turned = scale.x(min(arrived, span.end_ns)) - left
    if turned > 0.4:
        bar += f'<rect x="{left:.1f}" width="{turned:.1f}" {box} fill="url(#turning)"/>'
    if right - left - max(0.0, turned) > 8 * len(label) and height > 14:
        bar += f'<text x="{left + max(0.0, turned) + 5:.1f}" y="{top + height / 2 + 4}" class="bar">{escape(label)}</text>'
    return bar + '</g>'


def _axis(run: RunMeasures, scale: _Scale, height: int) -> list[str]:
    bottom = height - _AXIS + 2
    seconds = (run.end_ns - run.begin_ns) / NANOSECONDS
    step = next(s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 86400, 10**9) if seconds / s <= 14)
    parts = [f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{bottom}" y2="{bottom}" class="axis"/>']
    for tick in range(0, int(seconds) + 1, step):
        x = scale.x(run.begin_ns + tick * NANOSECONDS)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}" class="axis"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle" class="tick">{tick}</text>')
    parts.append(
        f'<text x="{_WIDTH - 10}" y="{bottom + 31}" text-anchor="end" class="tick">seconds since the rotation began</text>'
    )
    return parts
