# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that the user can mend."""


class UserError(Exception):
    """Something the user gave can't be used. The message is one line that names the thing and the remedy."""

    exit_code = 2


class SiteError(UserError):
    """A site file can't be used. Each problem is one line: file, line or key path, what was found, what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__('\n'.join(problems))
        self.problems = tuple(problems)
