# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How frames are looked at, and what is sent of them."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from ptz_site.schema.section import Name, Section


class TrackingSettings(Section):
    """How detections of one camera become tracks."""

    high: float = Field(0.5, ge=0, le=1, description='score from which a detection may go on with any track')
    begin: float = Field(0.6, ge=0, le=1, description='score from which a detection may begin a track')
    track_buffer: float = Field(2.0, gt=0, le=60, description='s that a track goes on unseen')


class RecognitionSettings(Section):
    """When a track is a target of the watchlist, and what follows."""

    similarity: float = Field(0.82, ge=-1, le=1, description='least similarity (cosine) of a track and a target')
    good_frames: int = Field(3, ge=1, le=100, description='frames in which it must be seen well before it is told')
    least_height: int = Field(48, ge=8, description='px; smaller boxes are not looked at')
    lost_after: float = Field(2.0, gt=0, description='s out of view after which a hold ends')
    least_speed: float = Field(0.4, gt=0, description='m/s; slower targets have no heading')
    turned_away: float = Field(45.0, ge=0, le=180, description='degrees between heading and camera above which it is handed off')
    steady: float = Field(0.2, ge=0, description='s that it must be turned away for')


#: Of a detection model's outputs.
Layout = Literal[
    'auto', 'yolox', 'yolov5', 'yolov8', 'yolov8_obb', 'yolo_end2end', 'rtdetr', 'rtdetr_sized', 'rtdetr_joined', 'detr', 'rfdetr'
]


class UploadSettings(Section):
    """Where pictures of people are sent, and how they wait for it."""

    url: str = Field(..., description='of the receiver, http or https, without user and password')
    token_file: str = Field('', description='file whose first line is the token; relative to the site file')
    token_env: str = Field('', description='or the environment variable that holds it')
    ca_file: str = Field(
        '', description="certificate of who signed the receiver's; relative to the site file; empty: the system's"
    )
    send_period: float = Field(1.0, ge=0, le=3600, description='s from one picture to the next; those to be sent at once are')
    max_bytes: int = Field(500_000_000, ge=1_000_000, description='that wait, for each camera; beyond it the oldest ones go')
    max_count: int = Field(10_000, ge=1, le=1_000_000, description='pictures that wait, for each camera')
    folder: str = Field('', description="where they wait, relative to the site file; empty: in the user's ROS folder")
    timeout: float = Field(30.0, ge=1, le=600, description='s for sending one picture, with its answer')

    @model_validator(mode='after')
    def _receiver(self) -> Self:
        # The url is not repeated in what is said: it may hold a password.
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ('http', 'https') and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise ValueError('url: not an address; give one like https://receiver.example:8443') from None
        if '@' in parts.netloc:
            raise ValueError('url: there is a user or a password in it; give the token in token_file or token_env')
        if not usable or not self.url.isprintable() or ' ' in self.url:
            raise ValueError('url: not an address; give one like https://receiver.example:8443')
        if parts.query or parts.fragment:
            raise ValueError('url: no ? and # allowed; give the address below which /v1/packages is')
        if bool(self.token_file) == bool(self.token_env):
            found = 'both found' if self.token_file else 'neither found'
            raise ValueError(f'token_file and token_env: {found}; give one of them')
        return self


class SelectionSettings(Section):
    """Which frames are the best of whom, and when they are sent."""

    selection: Literal['rules', 'quality'] = Field(
        'rules', description='rules: in no respect worse than the best before; quality: the highest expected value'
    )
    min_width: int = Field(24, ge=1, le=8192, description='px; narrower boxes are not chosen, but for the first one of a track')
    min_height: int = Field(64, ge=1, le=8192, description='px; lower boxes are not chosen, but for the first one of a track')
    score_1: float = Field(0.5, ge=0, le=1, description='least score of a frame that is chosen, but for the first one of a track')
    score_2: float = Field(0.8, ge=0, le=1, description='least score of a frame that is sent at once')
    edge_1: float = Field(
        10.0, ge=0, le=4096, description="px from the picture's edge; least for a frame that is better by rules"
    )
    edge_2: float = Field(40.0, ge=0, le=4096, description="px from the picture's edge above which a frame is sent at once")
    area_share: float = Field(0.02, ge=0, le=1, description="of the picture's area, above which a frame is sent at once")
    longest_delay: float = Field(10.0, gt=0, le=600, description='s that a frame waits for a better one, at most')
    margin: float = Field(
        0.5, ge=0, le=10, description='by which the quality of a frame must be better than what was sent; 0.5: by half'
    )

    @model_validator(mode='after')
    def _in_order(self) -> Self:
        for low, high in (('score_1', 'score_2'), ('edge_1', 'edge_2')):
            least, at_once = getattr(self, low), getattr(self, high)
            if at_once < least:
                raise ValueError(f'{high}: {at_once:g} found; allowed: at least {low}, which is {least:g}')
        return self


class PerceptionSettings(Section):
    """How frames are looked at."""

    enabled: bool = True
    detector: str = Field(
        'hog', description='hog, cascade or jde (small, trained on simulated people), or the path of an ONNX model'
    )
    layout: Layout = Field('auto', description="the model's output layout; auto: recognised by its shapes")
    names: str = Field(
        '', description='file of class names, one in each line, or a YAML file with names; empty: as the model says'
    )
    provider: Literal['auto', 'cpu', 'cuda', 'tensorrt', 'openvino'] = Field('auto', description='what runs models')
    tile: int = Field(0, ge=0, le=8192, description='px; side of the tiles that large pictures are looked at in as well; 0: none')
    second_look: float = Field(
        0.25,
        ge=0,
        le=1,
        description="with a cascade model: share of the picture's pixels that may be looked at again in full; 0: none",
    )
    classes: list[str] = Field(['person'], description='what to keep of what the detector finds; empty: everything')
    rate: float = Field(4.0, gt=0, le=120, description='frames/s looked at, at most')
    attention: bool = Field(
        True,
        description='with hog: look where something moves and where somebody is; with tile: at tiles where somebody is or was; at '
        'everything every 2 s only',
    )
    score: float = Field(0.2, ge=0, le=1, description='detections below are dropped')
    width: int = Field(
        640, ge=64, le=8192, description='px; wider pictures are reduced to it for detection, by hog and cascade models'
    )
    heights: dict[str, float] = Field(
        {'person': 1.7}, description='m, by class; tells where somebody stands whose feet are not seen'
    )
    tracking: TrackingSettings = TrackingSettings()
    embedders: dict[Name, str] = Field(
        {'body': 'colour'},
        description='by kind: colour, jde (the tracking network that comes with perception), or the path of an ONNX model; the '
        "detector's own, if it gives appearances, is run once for both",
    )
    facing: str = Field(
        '',
        description='tells from pictures where targets look, also while they stand: facing (small, trained on simulated people), or the '
        'path of an ONNX model; empty: only where they walk is known',
    )
    recognition: RecognitionSettings = RecognitionSettings()
    watchlist: str = Field('', description="file, relative to the site file; empty: in the user's ROS folder")
    best_frames: SelectionSettings = SelectionSettings()
    upload: UploadSettings | None = Field(None, description='where pictures are sent; none: nowhere')
