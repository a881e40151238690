# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""One driver over DDS, as another ROS program sees it: manual moves, standard topics, its state, its end."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import rclpy
from action_msgs.msg import GoalStatus
from conftest import PATIENCE, SMALL_SITE, own_domain
from network_camera import free_port_pair, over_network, sim_cameras
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage

from collab_bringup.graph import GraphOptions, Part, region_graph
from collab_bringup.processes import node_command
from ptz_collab_msgs.action import GoToPreset
from ptz_collab_msgs.msg import CameraState, PresetFrame
from ptz_node import names
from ptz_node.images import decode
from ptz_node.qos import FRAMES_RECORD, LATCHED
from ptz_site import load_site


class Observer:
    """A ROS program that listens to the north camera."""

    def __init__(self, node: Node, process: subprocess.Popen[str]) -> None:
        self.node, self.process = node, process
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self.states: list[CameraState] = []
        # Discovery tells in order: a driver whose state comes has discovered the client, too, and answers it.
        self.client = ActionClient(node, GoToPreset, names.go_to_preset('north'))
        node.create_subscription(CameraState, names.camera_state('north'), self.states.append, LATCHED)

    def spin_until(self, condition: Any, what: str) -> None:
        """Spins until a condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f'not within {PATIENCE:g} s: {what}'
            self._executor.spin_once(timeout_sec=0.05)

    def send(self, on_feedback: Any = None, **goal: Any) -> Any:
        """Sends a goal that is accepted; returns its handle."""
        self.spin_until(lambda: self.states and self.client.server_is_ready(), 'the action server')
        future = self.client.send_goal_async(GoToPreset.Goal(**goal), feedback_callback=on_feedback)
        self.spin_until(future.done, 'the goal is accepted')
        assert future.result().accepted
        return future.result()

    def result(self, handle: Any) -> Any:
        """Waits for a goal's end."""
        future = handle.get_result_async()
        self.spin_until(future.done, 'the goal ends')
        return future.result()

    def arrive(self, on_feedback: Any = None, **goal: Any) -> Any:
        """Has the camera sent to a scene, where it arrives; again if a busy machine stopped the camera's process, as a user would."""
        deadline = time.monotonic() + PATIENCE
        done = self.result(self.send(on_feedback, **goal))
        while done.result.error_code == GoToPreset.Result.UNREACHABLE and time.monotonic() < deadline:
            done = self.result(self.send(on_feedback, **goal))
        assert done.result.error_code == GoToPreset.Result.NONE, done.result.error_msg
        return done


@pytest.fixture(scope='module', params=['simulated', 'network'])
def backend(request: pytest.FixtureRequest) -> str:
    """What the cameras of the site are."""
    return str(request.param)


@pytest.fixture(scope='module')
def observer(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observer]:
    """A running driver of the north camera, and somebody who listens; a camera on the network is served."""
    site = tmp_path_factory.mktemp(backend) / 'yard.yaml'
    site.write_text(SMALL_SITE)
    with ExitStack() as stack:
        domain = stack.enter_context(own_domain())
        if backend == 'network':
            ports = {'north': free_port_pair(), 'southwest': 9, 'southeast': 9}
            site.write_text(over_network(SMALL_SITE, site.parent, ports))
            stack.enter_context(sim_cameras(site, {'north': ports['north']}))
        yield stack.enter_context(observing(domain, site))


@contextmanager
def observing(ros_domain: int, small_site: Path) -> Iterator[Observer]:
    """Runs the driver of the north camera."""
    nodes = region_graph(load_site(small_site), GraphOptions(str(small_site), parts=frozenset({Part.DRIVER})))
    spec = next(node for node in nodes if node.name == 'driver_north')
    context = Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = Node('observer', namespace='/yard', context=context)
    process = subprocess.Popen(node_command(spec), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        watching = Observer(node, process)
        watching.spin_until(lambda: watching.states and watching.states[-1].frames > 0, 'the first frame')
        yield watching
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def test_a_camera_is_sent_to_a_scene_by_hand_and_says_so(observer: Observer) -> None:
    begin = time.monotonic()
    done = observer.arrive(scene='gate')
    assert done.status == GoalStatus.STATUS_SUCCEEDED
    assert done.result.arrival_source != CameraState.ARRIVAL_NONE
    assert 0 < done.result.turn_time.sec + done.result.turn_time.nanosec / 1e9 < time.monotonic() - begin
    observer.spin_until(lambda: observer.states[-1].scene == 'gate', 'the state names the scene')


def test_feedback_tells_where_the_camera_is_on_its_way(observer: Observer) -> None:
    observer.arrive(scene='gate')
    turning: list[float] = []
    # A busy machine may miss a turn.
    for scene in ('road', 'gate') * 3:
        positions: list[tuple[int, float]] = []
        observer.arrive(
            lambda m, to=positions: to.append((m.feedback.state, m.feedback.pan)), scene=scene, stay=_seconds(1), speed=0.3
        )
        turning = [pan for state, pan in positions if state == GoToPreset.Feedback.STATE_TURNING]
        staying = [pan for state, pan in positions if state == GoToPreset.Feedback.STATE_STAYING]
        if len({round(pan, 3) for pan in turning}) >= 3 and staying and abs(staying[-1] - turning[0]) > 0.3:
            observer.spin_until(lambda at=staying[-1]: observer.states[-1].pan == at, 'the state says the same')
            return
    pytest.fail(f'it is not seen turning and staying: {turning}')


def test_an_unknown_preset_is_refused_by_name(observer: Observer) -> None:
    done = observer.result(observer.send(scene='moon'))
    assert done.status == GoalStatus.STATUS_ABORTED
    assert done.result.error_code == GoToPreset.Result.PRESET_NOT_FOUND
    assert 'moon' in done.result.error_msg and 'gate' in done.result.error_msg


def test_a_stay_can_be_canceled_and_a_newer_goal_takes_the_place_of_an_older(observer: Observer) -> None:
    first = observer.send(scene='gate', stay=_seconds(60))
    second = observer.send(scene='road', stay=_seconds(60))
    superseded = observer.result(first)
    assert (superseded.status, superseded.result.error_code) == (GoalStatus.STATUS_ABORTED, GoToPreset.Result.PREEMPTED)
    observer.spin_until(lambda: observer.states[-1].scene == 'road', 'the newer goal is followed')
    cancel = second.cancel_goal_async()
    observer.spin_until(cancel.done, 'the cancel is answered')
    canceled = observer.result(second)
    assert (canceled.status, canceled.result.error_code) == (GoalStatus.STATUS_CANCELED, GoToPreset.Result.CANCELED)


def test_standard_topics_have_the_frame_stamp_and_the_zoom_in_their_intrinsics(observer: Observer, backend: str) -> None:
    observer.arrive(scene='substation', stay=_seconds(1))
    got: dict[str, list[Any]] = {'frame': [], 'image': [], 'info': []}
    node = observer.node
    node.create_subscription(PresetFrame, names.camera_frames('north'), got['frame'].append, FRAMES_RECORD)
    node.create_subscription(CompressedImage, names.camera_image('north'), got['image'].append, FRAMES_RECORD)
    node.create_subscription(CameraInfo, names.camera_info('north'), got['info'].append, FRAMES_RECORD)

    def stamps(kind: str) -> set[tuple[int, int]]:
        return {(m.header.stamp.sec, m.header.stamp.nanosec) for m in got[kind]}

    observer.spin_until(
        lambda: len(stamps('frame') & stamps('image') & stamps('info')) > 2, 'the same stamps on all three topics'
    )
    of_frames = [header for message in got['frame'] for header in (message.header, message.preset.header)]
    headers = [*of_frames, *(message.header for message in (*got['image'], *got['info'], *observer.states))]
    assert {header.frame_id for header in headers} == {names.optical_frame('yard', 'north')}
    info, frame = got['info'][-1], got['frame'][-1]
    assert frame.preset.zoom > 1.5
    assert info.k[0] == pytest.approx(160 / math.tan(math.radians(30)) * frame.preset.zoom, rel=1e-3)
    assert bytes(got['image'][-1].data)[:2] == b'\xff\xd8', 'viewers get JPEG, whatever the camera sends'
    assert frame.encoding == {'simulated': 'jpeg', 'network': 'h264'}[backend]


@pytest.mark.parametrize('stream', ['mjpeg', 'snapshot'])
def test_pictures_over_http_are_frames_too(ros_domain: int, small_site: Path, stream: str) -> None:
    port = free_port_pair()
    url = {'stream_url': f'http://127.0.0.1:{port}/mjpeg'} if stream == 'mjpeg' else {}
    text = over_network(small_site.read_text(), small_site.parent, {'north': port}, stream=stream, **url)
    small_site.write_text(text.replace('  southwest:\n', '  southwest:\n    port: 9\n'))
    with sim_cameras(small_site, {'north': port}), observing(ros_domain, small_site) as observer:
        observer.arrive(scene='gate', stay=_seconds(1))
        frames: list[PresetFrame] = []
        observer.node.create_subscription(PresetFrame, names.camera_frames('north'), frames.append, FRAMES_RECORD)
        observer.spin_until(lambda: len(frames) > 10, 'frames')
        assert {frame.encoding for frame in frames} == {'jpeg'} and all(frame.keyframe for frame in frames)
        assert decode(bytes(frames[-1].data)).shape == (180, 320, 3)
        observer.spin_until(lambda: observer.states[-1].stamp_source == CameraState.STAMP_ARRIVAL, 'stamps by arrival')


def test_the_driver_ends_cleanly_on_ctrl_c(observer: Observer) -> None:
    # The last one of the file: nothing runs after it.
    observer.process.send_signal(signal.SIGINT)
    output, _ = observer.process.communicate(timeout=PATIENCE)
    assert observer.process.returncode == 0, output
    assert 'Traceback' not in output


def _seconds(count: int) -> Any:
    from builtin_interfaces.msg import Duration

    return Duration(sec=count)
