# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Where on the ground of each scene people were during a run: a plan of the scene with their density, as SVG."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ptz_site.heat import GroundGrid, Heat, SceneHeat

#: px of the plan's longer side, and around it.
_SIDE, _EDGE = 300, 14
#: px below the plan, for the scale.
_SCALE = 26
#: px for each cell of the density before it is drawn: cells must not be told apart.
_SMOOTH = 4
#: From few people to many, BGR: Okabe and Ito's yellow, orange and vermillion. How opaque it is says the same, on light and dark pages.
_COLOURS = ((66, 228, 240), (0, 159, 230), (0, 94, 213), (16, 24, 160))
#: Share of the greatest density from which on the colour is opaque.
_OPAQUE = 0.25

Polygon = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class HeatPlan:
    """A scene's plan. svg: the picture; people: how many were there at once on average, while a camera watched."""

    scene: str
    svg: str
    people: float


@dataclass(frozen=True)
class HeatPlans:
    """The plans of all scenes, in one scale of colours that ends with most (people on 100 m^2)."""

    plans: tuple[HeatPlan, ...]
    most: float

    @property
    def colours(self) -> str:
        """The scale's colours for CSS, from nobody to most."""
        stops = (index / 8 for index in range(9))
        return ', '.join('rgb({} {} {} / {:.2f})'.format(*_colour(stop)) for stop in stops)


def heat_plans(heats: Mapping[str, SceneHeat], polygons: Mapping[str, Polygon]) -> HeatPlans | None:
    """Plans of the scenes in which anybody was seen on the ground, and of the others beside them; None if nobody was."""
    found = {scene: heat.per_square_metre for scene, heat in heats.items()}
    insides = {scene: np.where(heats[scene].grid.inside, one, 0.0) for scene, one in found.items() if one is not None}
    most = max((float(one.max(initial=0.0)) for one in insides.values()), default=0.0)
    if most <= 0:
        return None
    plans = []
    for number, (scene, one) in enumerate(insides.items()):
        grid = heats[scene].grid
        plans.append(HeatPlan(scene, _svg(f'heat-{number}', grid, one / most, polygons[scene]), float(one.sum()) * grid.cell**2))
    return HeatPlans(tuple(plans), 100 * most)


def _svg(clip: str, grid: GroundGrid, shares: NDArray[np.float64] | Heat, polygon: Polygon) -> str:
    """North is up. clip: an id for the page; shares: of the greatest density, by cell."""
    wide, high = grid.x_edges[-1] - grid.left, grid.y_edges[-1] - grid.bottom
    scale = _SIDE / max(wide, high)
    width, height = wide * scale + 2 * _EDGE, high * scale + 2 * _EDGE
    left = (_SIDE + 2 * _EDGE - width) / 2 + _EDGE
    top = grid.bottom + high
    corners = ' '.join(f'{left + (x - grid.left) * scale:.1f},{_EDGE + (top - y) * scale:.1f}' for x, y in polygon)
    box = f'x="{left:.1f}" y="{_EDGE}" width="{wide * scale:.1f}" height="{high * scale:.1f}"'
    return ''.join(
        [
            f'<svg viewBox="0 0 {_SIDE + 2 * _EDGE} {height + _SCALE:.0f}" role="img" class="plan">',
            f'<defs><clipPath id="{clip}"><polygon points="{corners}"/></clipPath></defs>',
            f'<polygon points="{corners}" class="ground"/>',
            f'<image {box} preserveAspectRatio="none" clip-path="url(#{clip})" href="{_picture(shares)}"/>',
            f'<polygon points="{corners}" class="outline"/>',
            _scale_bar(left, height, scale, max(wide, high)),
            '</svg>',
        ]
    )


def _scale_bar(left: float, top: float, scale: float, longest: float) -> str:
    """A bar as long as a round number of metres, about a quarter of the plan."""
    tens = 10 ** math.floor(math.log10(longest / 4))
    metres = max(tens * step for step in (1, 2, 5) if tens * step <= longest / 4)
    right = left + metres * scale
    y = top + 4
    return (
        f'<path d="M{left:.1f} {y - 4:.1f}v8M{left:.1f} {y:.1f}H{right:.1f}M{right:.1f} {y - 4:.1f}v8" class="axis"/>'
        f'<text x="{right + 7:.1f}" y="{y + 4:.1f}" class="tick">{metres:g} m</text>'
    )


def _picture(shares: NDArray[np.float64] | Heat) -> str:
    """As a PNG; its first row is the grid's last, the farthest north."""
    rows, columns = shares.shape
    size = (columns * _SMOOTH, rows * _SMOOTH)
    smooth = np.clip(cv2.resize(np.asarray(shares[::-1], np.float32), size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    levels = np.array([_colour(level / 255) for level in range(256)])
    picture = np.rint(levels * (1, 1, 1, 255)).astype(np.uint8)[:, [2, 1, 0, 3]][np.rint(smooth * 255).astype(np.uint8)]
    return 'data:image/png;base64,' + base64.b64encode(cv2.imencode('.png', picture)[1].tobytes()).decode()


def _colour(share: float) -> tuple[int, int, int, float]:
    """Red, green, blue from 0 to 255, and opacity from 0 to 1."""
    stops = np.linspace(0, 1, len(_COLOURS))
    blue, green, red = (round(float(np.interp(share, stops, [colour[channel] for colour in _COLOURS]))) for channel in range(3))
    return red, green, blue, min(1.0, share / _OPAQUE)
