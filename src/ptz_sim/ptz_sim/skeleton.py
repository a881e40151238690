# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The body of a walking or standing person: balls at the joints, in the map frame. Pictures and ground truth both come from these."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ptz_sim.shapes import Array
from ptz_sim.walkers import Walker


class Joint(IntEnum):
    """Rows of Body.balls."""

    CROWN = 0
    HEAD = 1
    NECK = 2
    SHOULDER_L = 3
    SHOULDER_R = 4
    CHEST = 5
    BELLY_L = 6
    BELLY_R = 7
    HIP_L = 8
    HIP_R = 9
    SEAT = 10
    KNEE_L = 11
    KNEE_R = 12
    ANKLE_L = 13
    ANKLE_R = 14
    TOE_L = 15
    TOE_R = 16
    ELBOW_L = 17
    ELBOW_R = 18
    WRIST_L = 19
    WRIST_R = 20
    HAND_L = 21
    HAND_R = 22
    PACK_TOP = 23
    PACK_LOW = 24
    SLEEVE_L = 25
    SLEEVE_R = 26


#: Balls that belong to the body, without what it carries: boxes are drawn around these.
BODY = tuple(j for j in Joint if j not in (Joint.PACK_TOP, Joint.PACK_LOW))

_RADII = {
    Joint.CROWN: 0.094, Joint.HEAD: 0.088, Joint.NECK: 0.058, Joint.SHOULDER_L: 0.072, Joint.SHOULDER_R: 0.072,
    Joint.CHEST: 0.125, Joint.BELLY_L: 0.098, Joint.BELLY_R: 0.098, Joint.HIP_L: 0.098, Joint.HIP_R: 0.098, Joint.SEAT: 0.118,
    Joint.KNEE_L: 0.06, Joint.KNEE_R: 0.06, Joint.ANKLE_L: 0.044, Joint.ANKLE_R: 0.044, Joint.TOE_L: 0.036, Joint.TOE_R: 0.036,
    Joint.ELBOW_L: 0.047, Joint.ELBOW_R: 0.047, Joint.WRIST_L: 0.034, Joint.WRIST_R: 0.034, Joint.HAND_L: 0.04,
    Joint.HAND_R: 0.04, Joint.PACK_TOP: 0.13, Joint.PACK_LOW: 0.15, Joint.SLEEVE_L: 0.06, Joint.SLEEVE_R: 0.06,
}  # fmt: skip
RADII = np.array([_RADII[joint] for joint in Joint])
_THIGH, _SHANK, _UPPER_ARM, _FOREARM = 0.43, 0.42, 0.29, 0.25


@dataclass(frozen=True)
class Body:
    """Balls (joints, 3) in metres of the map frame, their radii, and the directions of the body's front and of the face."""

    walker: Walker
    balls: Array
    radii: Array
    front: Array
    left: Array
    gaze: Array


def body(walker: Walker) -> Body:
    """The body of a person, 1.75 m of it scaled to their height."""
    local = _pose(walker)
    scale = walker.look.height / 1.75
    cos, sin = math.cos(walker.heading), math.sin(walker.heading)
    front, left = np.array([cos, sin, 0.0]), np.array([-sin, cos, 0.0])
    balls = scale * (local[:, :1] * front + local[:, 1:2] * left * walker.look.build + local[:, 2:] * np.array([0.0, 0.0, 1.0]))
    balls[:, :2] += (walker.x, walker.y)
    radii = RADII * scale
    radii[Joint.CHEST :] *= walker.look.build
    gaze = np.array([math.cos(walker.facing), math.sin(walker.facing), 0.0])
    return Body(walker, balls, radii, front, left, gaze)


def _pose(walker: Walker) -> Array:
    """Joints in metres: forward, left, up, for a height of 1.75 m."""
    stir = min(walker.speed / 1.3, 1.25)
    phase = walker.gait
    lean = 0.05 * stir
    points = np.zeros((len(Joint), 3))
    legs = [_leg(phase, stir, 1.0), _leg(phase + math.pi, stir, -1.0)]
    # The lower foot stands on the ground.
    hip = max(-leg[2][2] for leg in legs) + 0.045
    sway = 0.012 * stir * math.cos(phase)
    for side, leg in enumerate(legs):
        rows = (Joint.HIP_L + side, Joint.KNEE_L + side, Joint.ANKLE_L + side, Joint.TOE_L + side)
        for row, point in zip(rows, leg, strict=True):
            points[row] = (point[0], point[1] + sway, point[2] + hip)
    points[Joint.SEAT] = (-0.02, sway, hip + 0.03)
    twist = 0.12 * stir * math.sin(phase)
    for side, sign in ((0, 1.0), (1, -1.0)):
        points[Joint.BELLY_L + side] = (lean * 0.5, sign * 0.058 + sway, hip + 0.2)
        shoulder = np.array([lean * 1.4 - sign * twist * 0.16, sign * 0.165, hip + 0.51])
        points[Joint.SHOULDER_L + side] = shoulder
        _arm(points, side, sign, shoulder, phase, stir, walker.id)
    points[Joint.CHEST] = (lean + 0.005, 0.0, hip + 0.4)
    points[Joint.NECK] = (lean * 1.5, 0.0, hip + 0.585)
    points[Joint.HEAD] = (lean * 1.7 + 0.022, 0.0, hip + 0.675)
    points[Joint.CROWN] = (lean * 1.7, 0.0, hip + 0.755)
    points[Joint.PACK_TOP] = (lean - 0.2, 0.0, hip + 0.43)
    points[Joint.PACK_LOW] = (lean - 0.22, 0.0, hip + 0.24)
    return points


def _leg(phase: float, stir: float, sign: float) -> tuple[tuple[float, float, float], ...]:
    """Hip, knee, ankle, toe; the hip is at height 0."""
    thigh = 0.46 * stir * math.sin(phase) + 0.06 * stir
    flex = 0.06 + stir * (0.12 + 0.85 * max(0.0, math.cos(phase + 0.35)) ** 1.5)
    shank = thigh - flex
    knee = (_THIGH * math.sin(thigh), -_THIGH * math.cos(thigh))
    ankle = (knee[0] + _SHANK * math.sin(shank), knee[1] - _SHANK * math.cos(shank))
    foot = shank * 0.55 + 0.12 * stir * math.sin(phase)
    toe = (ankle[0] + 0.155 * math.cos(foot), ankle[1] - 0.022 + 0.155 * math.sin(foot))
    wide = 0.088 + 0.025 * (1 - min(stir, 1.0))
    return (
        (0.0, sign * 0.085, 0.0),
        (knee[0], sign * wide * 0.98, knee[1]),
        (ankle[0], sign * wide, ankle[1]),
        (toe[0], sign * (wide + 0.03), toe[1]),
    )


def _arm(points: Array, side: int, sign: float, shoulder: Array, phase: float, stir: float, number: int) -> None:
    """Arms swing against the legs; some people who stand hold something before them."""
    holds = side == number % 2 and number % 3 == 0
    standing = max(0.0, 1.0 - stir * 2)
    swing = -sign * 0.5 * stir * math.sin(phase) - 0.03 + (0.35 * standing if holds else 0.0)
    bend = 0.16 + 0.28 * stir + (1.5 * standing if holds else 0.0)
    elbow = shoulder + _UPPER_ARM * np.array([math.sin(swing), sign * 0.2, -math.cos(swing)])
    fore = swing + bend
    inward = sign * (0.04 - (0.3 * standing if holds else 0.0))
    wrist = elbow + _FOREARM * np.array([math.sin(fore), inward, -math.cos(fore)])
    points[Joint.ELBOW_L + side] = elbow
    points[Joint.WRIST_L + side] = wrist
    points[Joint.HAND_L + side] = wrist + 0.07 * np.array([math.sin(fore + 0.1), 0.0, -math.cos(fore + 0.1)])
    points[Joint.SLEEVE_L + side] = shoulder + (elbow - shoulder) * 0.62
