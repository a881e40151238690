# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Finds ONVIF cameras on the network by WS-Discovery."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from urllib.parse import unquote

from wsdiscovery import QName
from wsdiscovery.discovery import ThreadedWSDiscovery

_TYPE = QName('http://www.onvif.org/ver10/network/wsdl', 'NetworkVideoTransmitter')
_SCOPE = 'onvif://www.onvif.org/'


@dataclass(frozen=True, order=True)
class FoundCamera:
    """A camera that answered: where its ONVIF is, and what it says of itself."""

    address: str
    name: str
    hardware: str
    can_turn: bool


def find_cameras(seconds: float) -> tuple[FoundCamera, ...]:
    """The cameras that answer within some seconds, by address. Raises OSError without a network."""
    searching = ThreadedWSDiscovery()
    searching.start()
    try:
        found = searching.searchServices(types=[_TYPE], timeout=seconds)
        return tuple(sorted({_camera(service.getXAddrs(), service.getScopes()) for service in found}))
    finally:
        # The library's threads may find their sockets closed already.
        with contextlib.suppress(Exception):
            searching.stop()


def _camera(addresses: list[str], scopes: list[object]) -> FoundCamera:
    words: dict[str, list[str]] = {}
    for scope in scopes:
        kind, _, value = str(scope).removeprefix(_SCOPE).partition('/')
        words.setdefault(kind.lower(), []).append(unquote(value))
    http = next((address for address in addresses if address.startswith('http')), addresses[0] if addresses else '')
    turns = any(value.lower() == 'ptz' for value in words.get('type', []))
    return FoundCamera(http, ' '.join(words.get('name', [])), ' '.join(words.get('hardware', [])), turns)
