# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated camera tells the network that it is there (WS-Discovery)."""

from __future__ import annotations

from wsdiscovery import QName, Scope
from wsdiscovery.publishing import ThreadedWSPublishing

_TYPE = QName('http://www.onvif.org/ver10/network/wsdl', 'NetworkVideoTransmitter')


class Announcement:
    """Answers probes until it ends."""

    def __init__(self, name: str, address: str) -> None:
        self._publisher = ThreadedWSPublishing()
        self._publisher.start()
        scopes = [Scope(f'onvif://www.onvif.org/{text}') for text in (f'name/{name}', 'type/ptz', 'hardware/simulated')]
        self._publisher.publishService(types=[_TYPE], scopes=scopes, xAddrs=[address])

    def end(self) -> None:
        """Says good-bye."""
        self._publisher.stop()
