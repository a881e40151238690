# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What each thing of the world covers in a picture: for the air between them, and for who is hidden behind what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ptz_sim import figures, pen, structures
from ptz_sim.figures import Figure
from ptz_sim.layout import Layout, Structure, Tree
from ptz_sim.shapes import Array
from ptz_sim.trees import fill_tree
from ptz_sim.vehicles import Vehicle
from ptz_site.geometry import Projection

if TYPE_CHECKING:
    from cv2.typing import MatLike

Thing = Structure | Tree | Vehicle | Figure


def painting_order(layout: Layout, vehicles: Sequence[Vehicle], people: Sequence[Figure], centre: Array) -> list[Thing]:
    """All that stands inside the hedges, the farthest from the camera first: what comes later hides what came before."""
    keyed: list[tuple[float, Thing]] = [
        (structures.distance(built.block, centre), built) for built in (*layout.buildings, *layout.furniture)
    ]
    keyed += [(math.hypot(tree.x - centre[0], tree.y - centre[1]), tree) for tree in layout.trees]
    keyed += [(structures.distance(vehicle.block, centre), vehicle) for vehicle in vehicles]
    for figure in people:
        walker = figure.body.walker
        keyed.append((math.hypot(walker.x - centre[0], walker.y - centre[1]), figure))
    return [thing for _, thing in sorted(keyed, key=lambda pair: -pair[0])]


def fill(mask: MatLike, thing: Thing, view: Projection, value: float, bare: bool) -> None:
    """Fills what a thing covers with a value; bare: trees have no leaves. The mask has one channel of any type."""
    if isinstance(thing, Figure):
        fill_figure(mask, thing, value)
    elif isinstance(thing, Vehicle):
        fill_outlines(mask, vehicle_outlines(thing, view), value)
    elif isinstance(thing, Tree):
        fill_tree(mask, thing, view, value, bare)
    else:
        structures.fill_structure(mask, thing, view, value)


def fill_figure(mask: MatLike, figure: Figure, value: float, corner: Array | None = None, scale: float = 1.0) -> None:
    """Fills a person; corner: the pixel of the picture that is the mask's first, scale: the mask's pixels for each of the picture's."""
    pixels = figure.pixels if corner is None else (figure.pixels - corner) * scale
    sizes = figure.sizes * scale
    rings = pen.rings(pixels, sizes)
    for rows in figures.silhouette_parts(figure.body.walker.look.pack is not None):
        outline = cv2.convexHull(rings[rows].reshape(-1, 2))
        cv2.fillConvexPoly(mask, np.rint(outline * 16).astype(np.int32), value, cv2.LINE_8, 4)


def fill_outlines(mask: MatLike, outlines: Sequence[Array], value: float) -> None:
    """Fills convex outlines (n, 2)."""
    for outline in outlines:
        cv2.fillConvexPoly(mask, np.rint(np.clip(outline, -1e6, 1e6) * 16).astype(np.int32), value, cv2.LINE_8, 4)


def vehicle_outlines(vehicle: Vehicle, view: Projection) -> list[Array]:
    """The outlines (n, 2) of body and cabin in pixels; none if any of it is behind the camera."""
    outlines = []
    body, cabin = structures.vehicle_parts(vehicle)
    for part, base in ((body, 0.02), (cabin, cabin.base)):
        foot = part.corners()
        top = np.full(4, part.base + part.height)
        corners = np.vstack((np.column_stack((foot, np.full(4, base))), np.column_stack((foot, top))))
        pixels, depths = view.project(corners)
        if depths.min() < 0.8:
            return []
        outlines.append(np.asarray(cv2.convexHull(pixels.astype(np.float32))[:, 0, :], float))
    return outlines
