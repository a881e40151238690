# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""SOAP 1.2 as ONVIF devices speak it: requests taken apart, answers put together, WS-UsernameToken checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from ptz_site import NANOSECONDS

_NAMESPACES = {
    's': 'http://www.w3.org/2003/05/soap-envelope',
    'wsse': 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
    'wsu': 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd',
}
#: s that a token's time may be off the camera's clock; who asks may be stopped for a moment by a busy machine.
_TOKEN_LIFE = 15.0
_XMLNS = {
    'tt': 'http://www.onvif.org/ver10/schema',
    'tds': 'http://www.onvif.org/ver10/device/wsdl',
    'trt': 'http://www.onvif.org/ver10/media/wsdl',
    'tptz': 'http://www.onvif.org/ver20/ptz/wsdl',
    'timg': 'http://www.onvif.org/ver20/imaging/wsdl',
    'ter': 'http://www.onvif.org/ver10/error',
}


@dataclass(frozen=True)
class Request:
    """An operation with its parameters, and who asks."""

    operation: str
    body: etree._Element
    token: etree._Element | None

    def text(self, path: str, default: str = '') -> str:
        """The text of the first element on a path of local names, as 'Preset/Name'."""
        element = self.element(path)
        return default if element is None or element.text is None else element.text.strip()

    def element(self, path: str) -> etree._Element | None:
        """The first element on a path."""
        found = self.body.xpath('/'.join(f"*[local-name()='{name}']" for name in path.split('/')))
        return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None

    def number(self, path: str, attribute: str) -> float | None:
        """The number in an attribute of an element."""
        element = self.element(path)
        value = None if element is None else element.get(attribute)
        return None if value is None else float(value)


def parse(data: bytes) -> Request:
    """Takes a request apart. Raises ValueError."""
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise ValueError(f'not XML: {error}') from None
    body = root.find('s:Body', _NAMESPACES)
    if body is None or len(body) != 1:
        raise ValueError('no SOAP envelope with one operation')
    token = root.find('s:Header/wsse:Security/wsse:UsernameToken', _NAMESPACES)
    return Request(etree.QName(body[0]).localname, body[0], token)


def is_authentic(token: etree._Element, user: str, password: str, clock_ns: int) -> bool:
    """Whether a token proves that its sender knows the password (WS-Security UsernameToken Profile 1.0, 3.1), and is fresh."""
    digest = token.findtext('wsse:Password', '', _NAMESPACES)
    created = token.findtext('wsu:Created', '', _NAMESPACES)
    try:
        nonce = base64.b64decode(token.findtext('wsse:Nonce', '', _NAMESPACES))
        at_ns = datetime.fromisoformat(created).timestamp() * NANOSECONDS
    except ValueError:
        return False
    right = base64.b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    named = token.findtext('wsse:Username', '', _NAMESPACES) == user
    return named and hmac.compare_digest(digest, right) and abs(at_ns - clock_ns) <= _TOKEN_LIFE * NANOSECONDS


def nonce(token: etree._Element) -> str:
    """What makes a token good for one use."""
    return token.findtext('wsse:Nonce', '', _NAMESPACES)


def answer(content: str, vendor: bool = False) -> bytes:
    """An envelope around what an operation returns."""
    return _envelope(content, vendor)


def fault(code: str, text: str, sender: bool = True, vendor: bool = False) -> bytes:
    """A SOAP fault with ONVIF's subcode."""
    side = 'Sender' if sender else 'Receiver'
    content = (
        f'<s:Fault><s:Code><s:Value>s:{side}</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>'
        f'<s:Reason><s:Text xml:lang="en">{escape(text)}</s:Text></s:Reason></s:Fault>'
    )
    return _envelope(content, vendor)


def _envelope(content: str, vendor: bool) -> bytes:
    names = ' '.join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _XMLNS.items())
    text = f'<s:Envelope xmlns:s="{_NAMESPACES["s"]}" {names}><s:Header/><s:Body>{content}</s:Body></s:Envelope>'
    if vendor:
        for prefix, other in (('s', 'SOAP-ENV'), ('tt', 'ns1'), ('tptz', 'ns7')):
            text = text.replace(f'<{prefix}:', f'<{other}:').replace(f'</{prefix}:', f'</{other}:')
            text = text.replace(f'xmlns:{prefix}=', f'xmlns:{other}=').replace(f'>{prefix}:', f'>{other}:')
    return ('<?xml version="1.0" encoding="UTF-8"?>' + text).encode()
