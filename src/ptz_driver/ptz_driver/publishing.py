# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The driver's messages and publishers."""

from __future__ import annotations

import contextlib
import math
from array import array

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage
from std_msgs.msg import Header

from ptz_collab_msgs.msg import PresetFrame, PresetHeader
from ptz_driver.backends.base import CapturedFrame
from ptz_driver.control import FrameContext
from ptz_node import names
from ptz_node.convert import time_from_ns
from ptz_node.images import to_compressed_msg
from ptz_node.qos import FRAMES_OUT
from ptz_node.stream_decoder import StreamDecoder, as_bgr
from ptz_site import CameraPose, Mark, PtzPosition, RecordedCamera, Site
from ptz_site.geometry import intrinsics, rotation, window_projection
from ptz_site.schema import BaseCamera
from ptz_site.stream_marks import StreamMark, jpeg, nal


class FramePublisher:
    """Publishes each frame on the camera's topic and on its scene's; standard types only while somebody listens."""

    def __init__(self, node: Node, site: Site, camera: str, session: int) -> None:
        self._site, self._camera, self._session = site, camera, session
        self._frame_id = names.optical_frame(site.region.name, camera)
        self._frames = node.create_publisher(PresetFrame, names.camera_frames(camera), FRAMES_OUT)
        # Made at the start, so that discovery is over when the first frame comes.
        self._scenes = {
            scene: node.create_publisher(PresetFrame, names.scene_frames(scene), FRAMES_OUT) for scene in site.reach(camera)
        }
        self._images = node.create_publisher(CompressedImage, names.camera_image(camera), FRAMES_OUT)
        self._infos = node.create_publisher(CameraInfo, names.camera_info(camera), FRAMES_OUT)
        self._decoder: StreamDecoder | None = None
        self.published = 0

    def publish(self, frame: CapturedFrame, context: FrameContext) -> None:
        """Publishes one frame."""
        self.published += 1
        header = Header(stamp=time_from_ns(frame.stamp_ns), frame_id=self._frame_id)
        message = PresetFrame(
            header=header,
            preset=self._preset_header(header, frame, context),
            encoding=frame.encoding,
            keyframe=frame.keyframe,
            width=frame.width,
            height=frame.height,
        )
        # An array is taken as it is; anything else is copied byte by byte.
        message.data = array('B', self._with_mark(frame, context))
        self._frames.publish(message)
        scene = self._scenes.get(context.showing.scene)
        if scene is not None:
            scene.publish(message)
        self._publish_image(header, frame, message)
        if self._infos.get_subscription_count() > 0 and frame.position is not None:
            info = camera_info(self._site.cameras[self._camera], (frame.width, frame.height), frame.position)
            info.header = header
            self._infos.publish(info)

    def _publish_image(self, header: Header, frame: CapturedFrame, message: PresetFrame) -> None:
        """For viewers, which show JPEG only; so other encodings are decoded, while somebody looks."""
        if self._images.get_subscription_count() == 0:
            self._decoder = None
        elif frame.encoding == PresetFrame.ENCODING_JPEG:
            self._images.publish(CompressedImage(header=header, format='jpeg', data=message.data))
        else:
            if self._decoder is None or self._decoder.encoding != frame.encoding:
                self._decoder = StreamDecoder(frame.encoding)
            with contextlib.suppress(ValueError):
                picture = self._decoder.decode(frame.data, frame.keyframe)
                if picture is not None:
                    image = to_compressed_msg(as_bgr(picture))
                    image.header = header
                    self._images.publish(image)

    def _with_mark(self, frame: CapturedFrame, context: FrameContext) -> bytes:
        """The picture with its mark inside, so that a recording of anything that keeps the bytes can be cut by it."""
        if context.marks is Mark.NONE:
            return frame.data
        showing = context.showing
        mark = StreamMark(
            self._camera,
            showing.scene,
            showing.preset,
            context.marks,
            showing.phase,
            frame.stamp_ns,
            showing.switch_start_ns,
            showing.arrived_ns,
            context.slot,
            context.revision,
            self._session,
            self.published,
        )
        try:
            if frame.encoding == PresetFrame.ENCODING_JPEG:
                return jpeg.insert(frame.data, mark)
            codec = nal.Codec.H264 if frame.encoding == PresetFrame.ENCODING_H264 else nal.Codec.H265
            return nal.insert(frame.data, nal.NalFormat(codec, 0), mark)
        except ValueError:
            # A damaged picture goes on as it is; the header has the mark.
            return frame.data

    def _preset_header(self, header: Header, frame: CapturedFrame, context: FrameContext) -> PresetHeader:
        position = frame.position or PtzPosition(math.nan, math.nan, math.nan)
        showing = context.showing
        return PresetHeader(
            header=header,
            camera=self._camera,
            scene=showing.scene,
            preset=showing.preset,
            phase=int(showing.phase),
            marks=int(context.marks),
            switch_start=time_from_ns(showing.switch_start_ns),
            arrived=time_from_ns(showing.arrived_ns),
            slot=context.slot,
            plan_revision=context.revision,
            sequence=self.published,
            session=self._session,
            exposure_mode=int(frame.exposure.mode),
            exposure_time=frame.exposure.time,
            gain=frame.exposure.gain,
            pan=position.pan,
            tilt=position.tilt,
            zoom=position.zoom,
        )


def camera_info(camera: BaseCamera, size: tuple[int, int], position: PtzPosition) -> CameraInfo:
    """The intrinsics and the lens's distortion of a camera in a position; size: of its pictures, px.

    K and D are of the picture as it is, P of one without distortion in the optical frame. R is the turn from the lens's axis to that
    frame: none, but for windows into a wide picture, which stay behind the lens that the wide picture was taken with.
    """
    k = intrinsics(size, camera.hfov_rad, position.zoom)
    info = CameraInfo(width=size[0], height=size[1], distortion_model='plumb_bob', d=[0.0] * 5)
    info.k = k.ravel().tolist()
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [*k[0], 0.0, *k[1], 0.0, *k[2], 0.0]
    if camera.lens is not None:
        info.d = list(camera.lens.coefficients)
        if isinstance(camera, RecordedCamera):
            wide = window_projection(CameraPose(0.0, 0.0, 0.0, 0.0), position, size, camera.hfov_rad)
            info.k = wide.k.ravel().tolist()
            info.r = (rotation(position.pan, position.tilt) @ wide.r.T).ravel().tolist()
    return info
