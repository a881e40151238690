# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that the user can mend, and the reasons of those that come from the network."""

import ssl


class UserError(Exception):
    """Something the user gave can't be used. The message is one line that names the thing and the remedy."""

    exit_code = 2


class SiteError(UserError):
    """A site file can't be used. Each problem is one line: file, line or key path, what was found, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__('\n'.join(problems))
        self.problems = tuple(problems)


def network_reason(error: BaseException, timed_out: str) -> str:
    """Why a call over the network failed, in a few words, from an error that libraries have wrapped several times.

    timed_out: what is said of a time limit.
    """
    # Bounded, because contexts may go round in a circle.
    for _ in range(20):
        inner = error.__cause__ or error.__context__ or next((a for a in error.args if isinstance(a, BaseException)), None)
        inner = inner or getattr(error, 'reason', None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    if isinstance(error, ssl.SSLCertVerificationError):
        return f'certificate: {error.verify_message}'
    if isinstance(error, ssl.SSLError):
        return str(error.reason or 'TLS failed').replace('_', ' ').lower()
    text = str(getattr(error, 'strerror', None) or error) or type(error).__name__
    return timed_out if 'timed out' in text else text
