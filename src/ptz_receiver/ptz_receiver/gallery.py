# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The page for people: the newest pictures, who is in them, and filters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from ptz_receiver.index import PackageIndex, Page, Stored
from ptz_receiver.query import parse_query
from ptz_site.frame_package import FramePackage, Observation

#: Pictures on one page.
_ON_PAGE = 24
_FILTERS = ('since', 'until', 'region', 'camera', 'scene', 'target', 'object')


@dataclass(frozen=True)
class Figure:
    """Somebody in a picture. corner: px, upper left; turn: degrees, clockwise, around the centre.

    kind: target, best or other. more: where more pictures of the same one are; empty: nobody knows who it is.
    """

    kind: str
    name: str
    best: bool
    more: str
    facts: str
    corner: tuple[float, float]
    size: tuple[float, float]
    centre: tuple[float, float]
    turn: float


@dataclass(frozen=True)
class Card:
    """A picture on the page."""

    package: FramePackage
    time: str
    exposure: str
    kilobytes: float
    figures: tuple[Figure, ...]


class Gallery:
    """Makes the page from the index."""

    def __init__(self, index: PackageIndex) -> None:
        self._index = index
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader('ptz_receiver'),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._template = environment.get_template('gallery.html.j2')

    def router(self) -> APIRouter:
        """The path."""
        router = APIRouter()
        router.add_api_route('/', self.page, methods=['GET'], response_class=HTMLResponse)
        return router

    def page(self, request: Request) -> HTMLResponse:
        """The page that is asked for; with a sentence in place of pictures where a filter can't be read."""
        chosen = dict(request.query_params)
        try:
            found, fault = self._index.search(parse_query(chosen, _ON_PAGE)), ''
        except ValueError as error:
            found, fault = Page((), None), str(error)
        text = self._template.render(
            cards=[card(stored) for stored in found.packages],
            fault=fault,
            chosen={name: chosen.get(name, '') for name in _FILTERS},
            filtered=any(chosen.get(name) for name in _FILTERS),
            later='after' in chosen,
            names=self._index.names(),
            newest=link(chosen, None),
            older=link(chosen, str(found.following)) if found.following else '',
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
        return HTMLResponse(text, status, headers={'Cache-Control': 'no-store'})


def link(chosen: Mapping[str, str], after: str | None) -> str:
    """The page with the same filters, from a cursor on; None: from the newest on."""
    kept = {name: value for name, value in chosen.items() if name in _FILTERS and value}
    return '/?' + urlencode({**kept, **({'after': after} if after else {})})


def card(stored: Stored) -> Card:
    """What the page shows of a package. The chosen ones come first."""
    package = FramePackage.model_validate_json(stored.document)
    seconds, rest = divmod(package.stamp_ns, 1_000_000_000)
    figures = sorted((figure(one) for one in package.observations), key=lambda one: ('target', 'best', 'other').index(one.kind))
    return Card(
        package=package,
        time=f'{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}',
        exposure=exposure(package),
        kilobytes=package.picture_bytes / 1000,
        figures=tuple(figures),
    )


def figure(seen: Observation) -> Figure:
    """What the page shows of somebody in a picture."""
    box = seen.box
    facts = [f'{seen.class_name} {seen.score:.2f}', f'track {seen.track_id}', f'{box.width:.0f} x {box.height:.0f} px']
    if seen.ground is not None:
        facts.append(f'at {seen.ground.x:.1f}, {seen.ground.y:.1f} m')
    if seen.heading is not None:
        facts.append(f'heading {math.degrees(seen.heading):.0f}°')
    if seen.predicted:
        facts.append('predicted')
    more = ''
    if seen.target or seen.object_id:
        more = link({'target': seen.target} if seen.target else {'object': seen.object_id}, None)
    return Figure(
        kind='target' if seen.target else 'best' if seen.best else 'other',
        name=seen.target or seen.object_id or seen.class_name or 'somebody',
        best=seen.best,
        more=more,
        facts=', '.join(facts),
        corner=(box.x - box.width / 2, box.y - box.height / 2),
        size=(box.width, box.height),
        centre=(box.x, box.y),
        turn=math.degrees(box.angle),
    )


def exposure(package: FramePackage) -> str:
    """How the picture was exposed, in words."""
    words: list[str] = [] if package.exposure.mode == 'unknown' else [package.exposure.mode]
    if package.exposure.time is not None:
        words.append(f'1/{1 / package.exposure.time:.0f} s' if package.exposure.time < 1 else f'{package.exposure.time:.1f} s')
    if package.exposure.gain is not None:
        words.append(f'{package.exposure.gain:.0f} dB')
    return ', '.join(words)
