# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of benchmarks as SVG, in the style of the reports of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from ptz_stitcher.report.charts import PALETTE
from report.figures import Chart, ChartKind, Series

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 68, 16, 14, 50
_TICKS = 5


@dataclass(frozen=True)
class Axis:
    """From values to pixels. begin, end: px of low and high; logarithmic: then low is above 0."""

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False
    #: Whether only whole numbers are marked.
    whole: bool = False

    def at(self, value: float) -> float:
        """Px of a value."""
        low, high, value = (math.log(one) if self.logarithmic else one for one in (self.low, self.high, value))
        return self.begin + (self.end - self.begin) * (value - low) / ((high - low) or 1.0)

    def ticks(self) -> list[float]:
        """Round values on it."""
        if self.logarithmic:
            exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            return [10.0**one for one in exponents if self.low <= 10.0**one <= self.high * 1.0001]
        step = max(round_step((self.high - self.low) / _TICKS), 1.0 if self.whole else 0.0)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten: the smallest that is not below a rough one."""
    if rough <= 0:
        return 1.0
    ten = 10.0 ** math.floor(math.log10(rough))
    return next(step * ten for step in (1, 2, 5, 10) if step * ten >= rough * 0.999)


def number(value: float) -> str:
    """For people: three digits, thousands apart."""
    if math.isnan(value):
        return '-'
    if abs(value) >= 1000:
        return f'{value:,.0f}'
    text = f'{value:.3g}'
    return f'{float(text):f}'.rstrip('0').rstrip('.') if 'e' in text and abs(value) > 1e-9 else text


def draw(chart: Chart) -> str:
    """The whole picture, axes and series; the legend stands beside it, see legend()."""
    values = [one for series in chart.series for one in (*_tops(chart, series), *series.low, *series.high) if not math.isnan(one)]
    vertical = Axis(min(0.0, *values, 0.0), _headroom(max([*values, 1e-9])), _HEIGHT - _BOTTOM, _TOP)
    body = _bars(chart, vertical) if chart.kind is ChartKind.BARS else _lines(chart, vertical)
    return ''.join(
        [
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="chart" aria-label="{escape(chart.title)}">',
            *_grid(vertical),
            *body,
            f'<text x="14" y="{(_HEIGHT - _BOTTOM + _TOP) / 2}" class="tick" text-anchor="middle" '
            f'transform="rotate(-90 14 {(_HEIGHT - _BOTTOM + _TOP) / 2})">{escape(chart.y_label)}</text>',
            f'<text x="{(_WIDTH + _LEFT - _RIGHT) / 2}" y="{_HEIGHT - 8}" class="tick" text-anchor="middle">{escape(chart.x_label)}</text>',
            '</svg>',
        ]
    )


def legend(chart: Chart) -> list[tuple[str, str]]:
    """Name and colour of each series."""
    return [(series.name, _colour(index)) for index, series in enumerate(chart.series)]


def _colour(index: int) -> str:
    return PALETTE[index % len(PALETTE)]


def _headroom(most: float) -> float:
    step = round_step(most / _TICKS)
    return step * math.ceil(most / step - 1e-9)


def _tops(chart: Chart, series: Series) -> tuple[float, ...]:
    """Heights that must fit: of stacked bars the sums, which the last series has."""
    if not chart.stacked:
        return series.y
    groups = _groups(chart)
    return tuple(sum(_value(one, group) for one in chart.series) for group in groups)


def _grid(vertical: Axis) -> Iterator[str]:
    for tick in vertical.ticks():
        y = vertical.at(tick)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        yield f'<text x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end" class="tick">{number(tick)}</text>'
    y = vertical.at(0.0)
    yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="axis"/>'


def _lines(chart: Chart, vertical: Axis) -> Iterator[str]:
    xs = [float(x) for series in chart.series for x in series.x]
    low, high = min(xs, default=0.0), max(xs, default=1.0)
    logarithmic = chart.log_x and low > 0
    axis = Axis(
        low, high if high > low else low + 1.0, _LEFT + 10, _WIDTH - _RIGHT - 10, logarithmic, all(x.is_integer() for x in xs)
    )
    for tick in axis.ticks():
        x = axis.at(tick)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM + 4}" class="axis"/>'
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle" class="tick">{number(tick)}</text>'
    for index, series in enumerate(chart.series):
        yield from _line(series, _colour(index), axis, vertical)


def _line(series: Series, colour: str, axis: Axis, vertical: Axis) -> Iterator[str]:
    shown = [(float(x), y) for x, y in zip(series.x, series.y, strict=True) if not math.isnan(y)]
    points = ' '.join(f'{axis.at(x):.1f},{vertical.at(y):.1f}' for x, y in shown)
    if series.low and series.high:
        edge = [(float(x), high) for x, high in zip(series.x, series.high, strict=True)]
        edge += [(float(x), low) for x, low in zip(reversed(series.x), reversed(series.low), strict=True)]
        area = ' '.join(f'{axis.at(x):.1f},{vertical.at(y):.1f}' for x, y in edge if not math.isnan(y))
        yield f'<polygon points="{area}" fill="{colour}" fill-opacity="0.15"/>'
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
    if len(shown) > 40:
        return
    for x, y in shown:
        title = f'<title>{escape(series.name)}: {number(y)} at {number(x)}</title>'
        yield f'<circle cx="{axis.at(x):.1f}" cy="{vertical.at(y):.1f}" r="3.5" fill="{colour}">{title}</circle>'


def _groups(chart: Chart) -> list[str]:
    return list(dict.fromkeys(str(x) for series in chart.series for x in series.x))


def _value(series: Series, group: str) -> float:
    found = [y for x, y in zip(series.x, series.y, strict=True) if str(x) == group and not math.isnan(y)]
    return found[0] if found else 0.0


def _bars(chart: Chart, vertical: Axis) -> Iterator[str]:
    groups = _groups(chart)
    pitch = (_WIDTH - _LEFT - _RIGHT) / max(1, len(groups))
    beside = 1 if chart.stacked else len(chart.series)
    width = min(54.0, 0.8 * pitch / beside)
    for place, group in enumerate(groups):
        middle = _LEFT + pitch * (place + 0.5)
        yield from _group_name(group, middle, pitch)
        base = 0.0
        for index, series in enumerate(chart.series):
            value = _value(series, group)
            left = middle - width / 2 if chart.stacked else middle + (index - beside / 2) * width
            top, bottom = sorted((vertical.at(base + value), vertical.at(base)))
            title = f'<title>{escape(series.name)}, {escape(group)}: {number(value)}</title>'
            box = f'x="{left:.1f}" y="{top:.1f}" width="{max(1.0, width - 2):.1f}" height="{bottom - top:.1f}"'
            yield f'<rect {box} fill="{_colour(index)}">{title}</rect>'
            yield from _whisker(series, group, left + width / 2 - 1, vertical)
            base += value if chart.stacked else 0.0


def _whisker(series: Series, group: str, x: float, vertical: Axis) -> Iterator[str]:
    if not (series.low and series.high) or group not in map(str, series.x):
        return
    index = [str(one) for one in series.x].index(group)
    low, high = series.low[index], series.high[index]
    if not (math.isnan(low) or math.isnan(high)):
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{vertical.at(low):.1f}" y2="{vertical.at(high):.1f}" class="whisker"/>'


def _group_name(group: str, middle: float, pitch: float) -> Iterator[str]:
    """Under its bars, in as many as two lines."""
    for line, text in enumerate(_wrapped(group, max(6, int(pitch / 6.2)))):
        yield f'<text x="{middle:.1f}" y="{_HEIGHT - _BOTTOM + 15 + 12 * line}" text-anchor="middle" class="tick">{escape(text)}</text>'


def _wrapped(text: str, width: int) -> Sequence[str]:
    if len(text) <= width:
        return (text,)
    cut = text.rfind(' ', 0, width + 1)
    cut = cut if cut > 0 else width
    rest = text[cut:].strip()
    return (text[:cut], rest if len(rest) <= width else rest[: max(1, width - 1)] + '…')
