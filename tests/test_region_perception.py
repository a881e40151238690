# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The region's perception node over DDS: objects of several cameras, the watchlist's services, markers and frames for rviz."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
import yaml
from ament_index_python.packages import get_package_share_directory
from builtin_interfaces.msg import Time
from conftest import PATIENCE, wait_for
from geometry_msgs.msg import Point, Transform, TransformStamped
from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from collab_bringup.graph import GraphOptions, Part, region_graph
from collab_bringup.processes import node_command
from ptz_collab_msgs.msg import CameraState, Detection, ObjectArray, PresetHeader, Target, Track, TrackArray, Watchlist
from ptz_collab_msgs.srv import AddTarget, ListTargets, RemoveTarget
from ptz_node import names
from ptz_node.convert import time_from_ns
from ptz_node.qos import EVENTS, LATCHED
from ptz_site import PtzPosition, load_site

S = 1_000_000_000
BEGIN = 1_700_000_000 * S


class Others:
    """The rest of the region: cameras' perception, a driver, rviz, and somebody with the watchlist."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.objects: list[ObjectArray] = []
        self.markers: list[Marker] = []
        self.heats: list[OccupancyGrid] = []
        self.watchlists: list[Watchlist] = []
        self.transforms: dict[tuple[str, str], list[TransformStamped]] = {}
        self.tracks = {
            camera: node.create_publisher(TrackArray, names.camera_tracks(camera), EVENTS) for camera in ('north', 'southwest')
        }
        self.state = node.create_publisher(CameraState, names.camera_state('north'), LATCHED)
        node.create_subscription(ObjectArray, names.OBJECTS, self.objects.append, EVENTS)
        node.create_subscription(Watchlist, names.WATCHLIST, self.watchlists.append, LATCHED)

    def look_at_markers(self) -> None:
        """Rviz is started."""
        self.node.create_subscription(MarkerArray, names.MARKERS, lambda array: self.markers.extend(array.markers), EVENTS)

    def look_at_heat(self) -> None:
        """Rviz shows where in the gate people are."""
        self.node.create_subscription(OccupancyGrid, names.scene_heat('gate'), self.heats.append, LATCHED)

    def look_at_frames(self) -> None:
        """Something that looks up where frames are is started, late."""
        self.node.create_subscription(TFMessage, '/tf', self._on_transforms, EVENTS)
        self.node.create_subscription(TFMessage, '/tf_static', self._on_transforms, LATCHED)

    def _on_transforms(self, message: TFMessage) -> None:
        for one in message.transforms:
            self.transforms.setdefault((one.header.frame_id, one.child_frame_id), []).append(one)

    def turn_north(self, position: PtzPosition, until: Callable[[list[Time]], bool], what: str) -> None:
        """The camera north says where it looks, again and again as drivers do, until a condition on the stamps of what it said holds."""
        stamps: list[Time] = []
        said = 0.0

        def check() -> bool:
            nonlocal said
            if time.monotonic() > said + 0.5:
                said = time.monotonic()
                state = CameraState(camera='north', phase=PresetHeader.PHASE_IN_POSITION)
                state.header.stamp = self.node.get_clock().now().to_msg()
                state.pan, state.tilt, state.zoom = position.pan, position.tilt, position.zoom
                self.state.publish(state)
                stamps.append(state.header.stamp)
            return until(stamps)

        self.until(check, what)

    def see(self, camera: str, array: TrackArray) -> ObjectArray:
        """A camera's perception says whom it sees, again if it was lost on the way; who that is in the region."""
        found: list[ObjectArray] = []
        said = 0.0

        def known() -> bool:
            nonlocal said
            if time.monotonic() > said + 5.0:
                said = time.monotonic()
                self.tracks[camera].publish(array)
            found.extend(one for one in self.objects if one.camera == camera and one.header == array.header)
            return bool(found)

        self.until(known, 'objects')
        return found[0]

    def until(self, condition: Any, what: str) -> None:
        """Spins until a condition holds."""

        def check() -> bool:
            rclpy.spin_once(self.node, timeout_sec=0.02)
            return bool(condition())

        wait_for(check, PATIENCE, what)

    def ask(self, kind: Any, name: str, request: Any) -> Any:
        """Calls a service."""
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready, name)
        # Discovery tells in order: who sends us this has discovered the client before, and answers it.
        told: list[Watchlist] = []
        subscription = self.node.create_subscription(Watchlist, names.WATCHLIST, told.append, LATCHED)
        self.until(lambda: told, 'the watchlist')
        self.node.destroy_subscription(subscription)
        future = client.call_async(request)
        self.until(future.done, name)
        return future.result()

    def add(self, picture: bytes = b'', **fields: Any) -> Any:
        """Puts somebody on the watchlist."""
        return self.ask(AddTarget, names.ADD_TARGET, AddTarget.Request(target=Target(**fields), picture=picture))


@contextmanager
def region(domain: int, folder: Path) -> Iterator[Others]:
    content = yaml.safe_load(Path(get_package_share_directory('collab_bringup'), 'config', 'demo.yaml').read_text())
    content['perception']['watchlist'] = 'list.json'
    site_path = folder / 'site.yaml'
    site_path.write_text(yaml.safe_dump(content, sort_keys=False))
    nodes = region_graph(load_site(site_path), GraphOptions(str(site_path), parts=frozenset({Part.PERCEPTION})))
    spec = next(node for node in nodes if node.name == 'region_perception')
    process = subprocess.Popen(node_command(spec), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    rclpy.init(domain_id=domain)
    node = Node('others', namespace='/demo')
    try:
        others = Others(node)
        others.until(lambda: others.watchlists, 'the watchlist')
        others.until(lambda: all(one.get_subscription_count() for one in others.tracks.values()), 'it listens')
        yield others
    finally:
        node.destroy_node()
        rclpy.shutdown()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
        assert 'Traceback' not in output


def tracks_of(camera: str, seconds: float, *placed: tuple[int, float, float]) -> TrackArray:
    preset = PresetHeader(camera=camera, scene='gate', session=BEGIN, phase=PresetHeader.PHASE_IN_POSITION)
    preset.header.stamp = time_from_ns(BEGIN + round(seconds * S))
    found = [
        Track(
            track_id=number,
            detection=Detection(class_name='person', score=0.9),
            observations=4,
            has_ground=True,
            ground=Point(x=x, y=y, z=0.0),
            ground_covariance=[0.05, 0.0, 0.0, 0.05],
        )
        for number, x, y in placed
    ]
    return TrackArray(header=preset.header, preset=preset, width=1280, height=720, tracks=found)


def test_people_are_the_same_in_every_camera_and_rviz_sees_them(ros_domain: int, tmp_path: Path) -> None:
    with region(ros_domain, tmp_path) as others:
        before = others.see('north', tracks_of('north', 0.0, (101, -12.0, 10.0), (102, -9.0, 8.0)))
        others.look_at_markers()
        others.state.publish(
            CameraState(camera='north', scene='gate', phase=PresetHeader.PHASE_IN_POSITION, pan=-0.66, tilt=-0.3, zoom=2.0)
        )
        others.until(
            lambda: {'scenes', 'cameras', 'who watches what'} <= {one.ns for one in others.markers}, 'the region in rviz'
        )
        after = others.see('southwest', tracks_of('southwest', 1.0, (301, -9.2, 8.1), (302, -11.9, 10.2)))
        others.until(lambda: any(one.ns == 'tracks of southwest' for one in others.markers), 'people in rviz')
        others.look_at_heat()
        others.until(lambda: others.heats, 'heat')
    by_track = [{one.track_id: one.object_id for one in array.objects} for array in (before, after)]
    assert by_track[1] == {301: by_track[0][102], 302: by_track[0][101]}
    assert len(set(by_track[1].values())) == 2
    watched = {one.id: one.color.g > one.color.r for one in others.markers if one.ns == 'scenes'}
    assert watched == {0: True, 1: False, 2: False}, 'the gate is watched, the others are not'
    (x, y) = next((one.pose.position.x, one.pose.position.y) for one in others.markers if one.ns == 'tracks of southwest')
    assert (x, y) in ((-9.2, 8.1), (-11.9, 10.2))
    assert all(one.header.frame_id == 'map' for one in others.markers)
    heat = others.heats[0]
    cells, corner = np.reshape(heat.data, (heat.info.height, heat.info.width)), heat.info.origin.position
    (low, high), side = np.array([(-18, 6), (-8, 16)]), heat.info.resolution
    assert (heat.header.frame_id, corner.x, corner.y) == ('map', *low)
    assert (corner.x + heat.info.width * side, corner.y + heat.info.height * side) == pytest.approx(tuple(high), abs=side)
    for x, y in ((-12.0, 10.0), (-9.0, 8.0)):
        assert cells[int((y - corner.y) / side), int((x - corner.x) / side)] > 80
    assert cells.max() == 100
    assert cells[-1, 0] == 0, 'nobody was in the corner'


def test_the_cameras_are_frames_that_look_where_their_projections_say(ros_domain: int, tmp_path: Path) -> None:
    with region(ros_domain, tmp_path) as others:
        site = load_site(tmp_path / 'site.yaml')
        others.look_at_frames()
        mounted = {camera: ('map', f'demo/{camera}_base') for camera in site.cameras}
        others.until(lambda: set(mounted.values()) <= set(others.transforms), 'where the cameras are mounted')
        looking = (mounted['north'][1], names.optical_frame('demo', 'north'))
        followed: dict[str, Transform] = {}

        def follows(scene: str, stamps: list[Time]) -> bool:
            for one in others.transforms.get(looking, ()):
                if one.header.stamp in stamps:
                    followed[scene] = one.transform
            return scene in followed

        for scene in ('gate', 'road'):
            others.turn_north(site.aim('north', scene), partial(follows, scene), f'it looks at {scene}')
            # Before it knows where it looks it says so with a zoom of 0.
            others.turn_north(PtzPosition(0.0, 0.0, 0.0), lambda stamps: len(stamps) > 2, 'it does not know where it looks')
    bases = {camera: placed(others.transforms[frames][-1].transform) for camera, frames in mounted.items()}
    for camera, (turn, place) in bases.items():
        pose = site.cameras[camera].mounting
        assert pose is not None
        np.testing.assert_allclose(place, (pose.x, pose.y, pose.z))
        np.testing.assert_allclose(
            turn, [[np.cos(pose.yaw), -np.sin(pose.yaw), 0], [np.sin(pose.yaw), np.cos(pose.yaw), 0], [0, 0, 1]], atol=1e-9
        )
    assert set(others.transforms) == {*mounted.values(), looking}
    told = {tuple(placed(one.transform)[0].ravel().round(5)) for one in others.transforms[looking]}
    assert len(told) == len(followed) == 2, 'of a camera that does not know where it looks nothing is said'
    for scene, transform in followed.items():
        turn, place = placed(transform)
        assert not place.any(), 'the base is at the optical centre'
        in_map = bases['north'][0] @ turn
        view = site.cameras['north'].projection(site.aim('north', scene))
        assert view is not None
        # Positions are float32 in messages.
        np.testing.assert_allclose(in_map.T, view.r, atol=1e-6)
        # Independent of how rotations are written: the frame's axes, in pictures and in the scene.
        centre, (right, down, forward) = bases['north'][1], in_map.T
        ahead = [centre + 20 * forward, centre + 20 * forward + right, centre + 20 * forward + down]
        (x, y), *aside = view.project(np.array(ahead))[0]
        assert (x, y) == pytest.approx(((1280 - 1) / 2, (720 - 1) / 2), abs=0.01)
        assert aside[0][0] > x + 10 and aside[1][1] > y + 10
        met = centre - forward * centre[2] / forward[2]
        low, high = np.min(site.scenes[scene].polygon, axis=0), np.max(site.scenes[scene].polygon, axis=0)
        assert (low < met[:2]).all() and (met[:2] < high).all(), f'it looks at {scene}'


def placed(transform: Transform) -> tuple[np.ndarray, np.ndarray]:
    """The rotation matrix and the translation."""
    quaternion = [getattr(transform.rotation, axis) for axis in 'xyzw']
    assert np.linalg.norm(quaternion) == pytest.approx(1.0)
    return Rotation.from_quat(quaternion).as_matrix(), np.array([getattr(transform.translation, axis) for axis in 'xyz'])


def test_the_watchlists_services_say_what_is_wrong_and_keep_what_is_right(ros_domain: int, tmp_path: Path) -> None:
    picture = cv2.imencode('.png', np.full((120, 50, 3), (30, 30, 200), np.uint8))[1].tobytes()
    code = AddTarget.Response
    with region(ros_domain, tmp_path) as others:
        assert list(others.watchlists[0].targets) == []
        assert others.add(picture, target='anna', label='Anna', added_by='me', hold=True).error_code == code.NONE
        for expected, words, answer in (
            (code.EXISTS, 'anna is on the list already', others.add(picture, target='anna')),
            (code.BAD_PICTURE, 'not a picture', others.add(b'nonsense', target='b')),
            (code.BAD_FEATURE, '2 numbers; the embedder for body makes', others.add(target='b', feature=[1.0, 0.0])),
            (code.BAD_FEATURE, 'finite', others.add(target='b', feature=[float('nan')])),
            (code.UNKNOWN_KIND, "no embedder for 'face'; the site has body", others.add(picture, target='b', kind='face')),
            (code.BAD_TARGET, 'allowed are letters', others.add(picture, target='../b')),
            (code.BAD_TARGET, 'give #rrggbb', others.add(picture, target='b', mark_colour='red')),
            (code.BAD_TARGET, 'allowed are box, triangle, arrow', others.add(picture, target='b', mark_shape='star')),
        ):
            assert answer.error_code == expected
            assert words in answer.error_msg
        (listed,) = others.ask(ListTargets, names.LIST_TARGETS, ListTargets.Request()).targets
        assert (listed.target, listed.kind, listed.mark_shape, listed.added_by, listed.hold) == (
            'anna',
            'body',
            'box',
            'me',
            True,
        )
        assert np.linalg.norm(listed.feature) == pytest.approx(1.0, abs=1e-5)
        others.until(lambda: others.watchlists[-1].targets, 'the cameras are told')
        gone = others.ask(RemoveTarget, names.REMOVE_TARGET, RemoveTarget.Request(target='bert', removed_by='me'))
        assert gone.error_code == RemoveTarget.Response.UNKNOWN_TARGET
    # What was on the list is there again after a restart.
    with region(ros_domain, tmp_path) as others:
        assert [one.target for one in others.watchlists[0].targets] == ['anna']
        done = others.ask(RemoveTarget, names.REMOVE_TARGET, RemoveTarget.Request(target='anna', removed_by='you'))
        assert done.error_code == RemoveTarget.Response.NONE
        others.until(lambda: not others.watchlists[-1].targets, 'the cameras are told')
    lines = [json.loads(line) for line in (tmp_path / 'list.json.log').read_text().splitlines()]
    assert [(line['action'], line['target'], line['who']) for line in lines] == [('add', 'anna', 'me'), ('remove', 'anna', 'you')]


def test_a_damaged_list_is_left_alone_and_said(ros_domain: int, tmp_path: Path) -> None:
    (tmp_path / 'list.json').write_text('{"version": 1')
    with region(ros_domain, tmp_path) as others:
        answer = others.add(target='anna', feature=[1.0])
        assert answer.error_code == AddTarget.Response.NOT_SAVED
        assert 'is damaged' in answer.error_msg and 'mend it, or move it away' in answer.error_msg
    assert (tmp_path / 'list.json').read_text() == '{"version": 1'
