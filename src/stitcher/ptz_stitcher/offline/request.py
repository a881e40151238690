# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to have stitched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ptz_site import Site
from ptz_stitcher.retouch import RetouchSettings
from ptz_stitcher.segments import Cut


@dataclass(frozen=True)
class StitchRequest:
    """inputs: bags, folders of runs, videos. cut, retouch, file_minutes: None: as the site says. bag, video: what to write, if the site
    wants it too. file_minutes: new files begin after so long; 0: never.
    """

    inputs: tuple[Path, ...]
    out: Path
    cut: Cut | None = None
    site_path: Path | None = None
    site: Site | None = None
    bag: bool = True
    video: bool = True
    retouch: RetouchSettings | None = None
    file_minutes: float | None = None
