# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""An RTSP server that is not ours: GStreamer's, run by the system's python. Arguments: encoding, user, password."""

# ruff: noqa: E402, T201  (gi wants its versions before its imports; the port is told on the standard output)
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer

encoding, user, password = sys.argv[1:4]
ENCODERS = {
    'h264': 'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! rtph264pay name=pay0 pt=96',
    # Parameter sets only in the description, as some cameras do.
    'h264-bare': 'x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 ! video/x-h264,stream-format=avc '
    '! rtph264pay name=pay0 pt=96 config-interval=0',
}
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service('0')
auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtspServer.RTSPAuth.get_supported_methods(auth))
token = GstRtspServer.RTSPToken()
token.set_string('media.factory.role', 'user')
auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
server.set_auth(auth)
factory = GstRtspServer.RTSPMediaFactory()
caps = 'video/x-raw,width=320,height=180,framerate=10/1'
factory.set_launch(f'( videotestsrc is-live=true pattern=ball ! {caps} ! {ENCODERS[encoding]} )')
factory.set_shared(True)
permissions = GstRtspServer.RTSPPermissions()
permissions.add_permission_for_role('user', 'media.factory.access', True)
permissions.add_permission_for_role('user', 'media.factory.construct', True)
factory.set_permissions(permissions)
server.get_mount_points().add_factory('/stream', factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
