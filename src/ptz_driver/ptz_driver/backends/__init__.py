# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of cameras that the driver can drive."""

from __future__ import annotations

from ptz_driver.backends.base import CameraBackend, Clock
from ptz_site import OnvifCamera, RecordedCamera, Site, media_path


def make_backend(site: Site, camera: str, site_path: str, media: str, epoch_ns: int, clock: Clock) -> CameraBackend:
    """The backend that the site names for a camera."""
    settings = site.cameras[camera]
    # Imported only where needed: a camera over a recording does not need the simulator, nor the other way round.
    if isinstance(settings, RecordedCamera):
        from ptz_driver.backends.recorded import RecordedBackend

        return RecordedBackend(site, camera, media_path(site_path, media or None, settings.video), epoch_ns, clock)
    if isinstance(settings, OnvifCamera):
        from ptz_driver.backends.onvif import OnvifBackend

        return OnvifBackend(site, camera, site_path, clock)
    from ptz_driver.backends.simulated import SimulatedBackend

    return SimulatedBackend(site, camera, epoch_ns, clock)
