# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The ptz-collab command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from collab_bringup.dataset_commands import add_dataset_commands
from collab_bringup.model_commands import add_model_commands
from collab_bringup.replay import add_replay_command
from collab_bringup.stitch import add_stitch_command
from collab_bringup.terminal import console
from ptz_site import OnvifCamera, StayTimes, UserError, camera_credentials, load_site

if TYPE_CHECKING:
    # What add_subparsers() returns; argparse has no public name for it.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 failed, 2 something the user can mend, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except UserError as error:
        Console(stderr=True).print(escape(str(error)), soft_wrap=True, highlight=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='ptz-collab', description='Collaborative monitoring with several PTZ cameras.')
    commands = parser.add_subparsers(title='commands', required=True, metavar='COMMAND')

    check = commands.add_parser('check', help="validate a site file, show its plan and what can't be covered")
    _add_site(check)
    check.add_argument(
        '--observed',
        type=Path,
        action='append',
        default=[],
        metavar='RUN',
        help='folder of an earlier run: suggests a dwell from it',
    )
    check.set_defaults(run=_check)

    up = commands.add_parser('up', help='run a region: rotate, record, report')
    _add_site(up)
    up.add_argument(
        '--duration', type=_seconds, metavar='S', help='seconds to rotate, rounded up to whole slots (default: until Ctrl-C)'
    )
    up.add_argument('--out', type=Path, metavar='DIR', help='folder for videos, bags and the report (default: out/REGION-TIME)')
    up.add_argument('--overwrite', action='store_true', help='replace an earlier run in DIR')
    up.add_argument(
        '--log-level', default='info', choices=['debug', 'info', 'warn', 'error'], help='of the nodes (default: info)'
    )
    up.set_defaults(run=_up)

    report = commands.add_parser('report', help='make report.html of a run again from its files')
    report.add_argument('out', type=Path, metavar='DIR', help='folder of a run')
    report.set_defaults(run=_report)
    marks = commands.add_parser('marks', help='list the marks inside the pictures of a video')
    marks.add_argument(
        'video', type=Path, metavar='VIDEO', help='H.264, H.265 or Motion JPEG, in any container that FFmpeg reads'
    )
    marks.set_defaults(run=_marks)
    add_stitch_command(commands)
    add_replay_command(commands)

    _add_camera_commands(commands)
    _add_operator_commands(commands)
    _add_watch_commands(commands)
    add_model_commands(commands)
    add_dataset_commands(commands)
    _add_receiver_command(commands)
    return parser


def _add_camera_commands(commands: Commands) -> None:
    """The commands for cameras on the network."""
    discover = commands.add_parser('discover', help='list the ONVIF cameras on the network')
    discover.add_argument('--seconds', type=_seconds, default=3.0, metavar='S', help='to wait for answers (default: 3)')
    discover.set_defaults(run=_discover)

    probe = commands.add_parser('probe', help='show what an ONVIF camera can do, and its entry for a site file')
    probe.add_argument('host', metavar='HOST[:PORT]', help='name or address')
    probe.add_argument('--user', default='', help='the password is asked for, unless one of the following is given')
    probe.add_argument('--password-file', default='', metavar='FILE', help='file whose first line is the password')
    probe.add_argument('--password-env', default='', metavar='NAME', help='environment variable that holds the password')
    probe.add_argument('--https', action='store_true', help='ONVIF over HTTPS')
    probe.add_argument('--ca-file', default='', metavar='FILE', help="certificate of who signed the camera's")
    probe.set_defaults(run=_probe)

    camera = commands.add_parser('sim-camera', help='serve a camera of the simulated region over ONVIF and RTSP')
    _add_site(camera)
    camera.add_argument('--camera', required=True, metavar='NAME', help='camera of the site')
    camera.add_argument('--port', type=int, required=True, metavar='N', help='of ONVIF (0: any that is free)')
    camera.add_argument('--rtsp-port', type=int, default=0, metavar='N', help='of RTSP (default: the one after)')
    camera.add_argument('--host', default='127.0.0.1', metavar='ADDRESS', help='to listen on (default: 127.0.0.1)')
    camera.add_argument('--user', default='', help='who may use it (default: as the site says; none: everybody)')
    camera.add_argument('--password-file', default='', metavar='FILE', help='file whose first line is the password')
    camera.add_argument('--codec', default='h264', choices=['h264', 'h265'], help='default: h264')
    camera.add_argument(
        '--fault',
        action='append',
        default=[],
        metavar='NAME[=VALUE]',
        help='misbehave, for example stuck or slow=2 (may be repeated)',
    )
    camera.add_argument('--certificate', type=Path, metavar='FILE', help='serve ONVIF over HTTPS')
    camera.add_argument('--key', type=Path, metavar='FILE', help='key of the certificate')
    camera.add_argument('--announce', action='store_true', help='answer ptz-collab discover (WS-Discovery)')
    camera.add_argument(
        '--epoch',
        type=int,
        metavar='NS',
        help="ROS time in ns at which the simulated world's clock is 0 (default: last midnight, UTC)",
    )
    camera.set_defaults(run=_sim_camera)


def _add_operator_commands(commands: Commands) -> None:
    """The commands for a region that runs."""
    status = _command(commands, 'status', 'show how a region does: cameras, slot, holds', _status)
    status.add_argument('--watch', action='store_true', help='until Ctrl-C')

    hold = _command(commands, 'hold', 'hold the rotation with a scene in view', _hold)
    hold.add_argument('scene', metavar='SCENE', help='scene to hold; it must be watched now')
    hold.add_argument('--camera', default='', help='camera to hold (default: one that is on the scene)')
    _add_duration(hold)

    pause = _command(commands, 'pause', 'hold the rotation as it is', _pause)
    _add_duration(pause)

    release = _command(commands, 'release', 'end holds and pauses; the rotation goes on', _release)
    release.add_argument('hold', nargs='?', default='', metavar='HOLD', help='hold to end, as status names it (default: all)')

    goto = _command(commands, 'goto', 'send a camera to a scene by hand, then back into the plan', _goto)
    goto.add_argument('camera', metavar='CAMERA')
    goto.add_argument('scene', metavar='SCENE')
    goto.add_argument('--for', type=_seconds, default=30.0, dest='seconds', metavar='S', help='seconds to stay (default: 30)')

    _command(commands, 'stop', 'end the rotation; every camera stays where it is', _stop)


def _add_watch_commands(commands: Commands) -> None:
    """The commands for the watchlist of a region that runs."""
    watch = commands.add_parser('watch', help='the targets to be told about: add, list, remove')
    of_watch = watch.add_subparsers(title='commands', required=True, metavar='COMMAND')
    add = _command(of_watch, 'add', 'put a target on the watchlist, by a picture of it alone or by its feature', _watch_add)
    add.add_argument('target', metavar='NAME', help='unique on the list')
    given = add.add_mutually_exclusive_group(required=True)
    given.add_argument('--picture', type=Path, metavar='FILE', help='JPEG or PNG that shows the target alone, upright')
    given.add_argument('--feature', type=Path, metavar='FILE', help='JSON file with the numbers of its feature')
    add.add_argument('--kind', default='body', help='what the feature describes: a kind of perception.embedders (default: body)')
    add.add_argument('--label', default='', help='for people')
    add.add_argument('--colour', default='', metavar='#RRGGBB', help='of its mark (default: one that is free)')
    add.add_argument('--shape', default='box', choices=['box', 'triangle', 'arrow'], help='of its mark (default: box)')
    add.add_argument('--no-hold', action='store_true', help='mark it, but let the rotation go on')
    _command(of_watch, 'list', 'show the watchlist', _watch_list)
    remove = _command(of_watch, 'remove', 'take a target off the watchlist', _watch_remove)
    remove.add_argument('target', metavar='NAME')


def _add_receiver_command(commands: Commands) -> None:
    """The command that takes and shows the best frames of all cameras."""
    text = 'take, keep and show the best frames that perception sends (docs/receiver.md)'
    receiver = commands.add_parser('receive', help=text, description=text[0].upper() + text[1:] + '.')
    receiver.add_argument('--dir', type=Path, required=True, dest='folder', metavar='DIR', help='folder of index and pictures')
    receiver.add_argument('--port', type=int, required=True, metavar='N', help='to listen on (0: any that is free)')
    receiver.add_argument('--host', default='127.0.0.1', metavar='ADDRESS', help='to listen on (default: 127.0.0.1)')
    token = receiver.add_mutually_exclusive_group()
    token.add_argument(
        '--token-file', default='', metavar='FILE', help='file whose first line is the token that clients must know'
    )
    token.add_argument('--token-env', default='', metavar='NAME', help='environment variable that holds the token')
    receiver.add_argument('--certificate', type=Path, metavar='FILE', help='serve HTTPS')
    receiver.add_argument('--key', type=Path, metavar='FILE', help='key of the certificate')
    receiver.add_argument('--max-mb', type=_positive, default=20.0, metavar='MB', help='largest picture (default: 20)')
    receiver.add_argument('--rate', type=int, default=50, metavar='N', help='requests of one client in a second (default: 50)')
    receiver.add_argument('--keep-days', type=_positive, metavar='D', help='remove what came before (default: keep everything)')
    receiver.add_argument('--keep-gb', type=_positive, metavar='GB', help='remove the oldest above it (default: keep everything)')
    receiver.add_argument('--s3-bucket', default='', metavar='NAME', help='keep pictures in an object storage, not in DIR')
    receiver.add_argument('--s3-endpoint', default='', metavar='URL', help="of the object storage (default: Amazon's)")
    receiver.add_argument('--s3-prefix', default='', metavar='TEXT', help='before the names of the objects')
    receiver.set_defaults(run=_receive)


def _command(commands: Commands, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + '.')
    parser.add_argument('--region', default='', metavar='NAME', help='region (default: the only one that runs)')
    parser.set_defaults(run=run)
    return parser


def _add_duration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--for', type=_seconds, default=0.0, dest='seconds', metavar='S', help='seconds (default: until released)'
    )
    parser.add_argument('--reason', default='', metavar='TEXT', help='shown by status and in the plan')


def _add_site(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('site', type=Path, metavar='SITE', help='site file, for example config/demo.yaml')
    parser.add_argument(
        '--media', default='', metavar='DIR', help="folder of recorded cameras' videos (default: the site file's)"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e8:
        raise argparse.ArgumentTypeError(f'{text} found; allowed: seconds above 0')
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f'{text} found; allowed: above 0')
    return value


# The commands import what they need themselves, so that --help and check answer at once.


def _check(arguments: argparse.Namespace) -> int:
    from collab_coordinator import check

    stays = None
    if arguments.observed:
        from ptz_stitcher.report.read import read_stays

        stays = sum((read_stays(run) for run in arguments.observed), StayTimes())
    return int(check.main([str(arguments.site), *(['--media', arguments.media] if arguments.media else [])], stays))


def _up(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.site, arguments.media or None)
    for name, camera in site.cameras.items():
        if isinstance(camera, OnvifCamera):
            camera_credentials(arguments.site, name, camera)
    from collab_bringup.up import RunRequest, run_region
    from collab_coordinator.plan_report import examine

    # The coordinator would say so too, but only when all nodes have been started.
    if refusal := examine(site).refusal:
        raise UserError(f'{arguments.site}: {refusal}')
    out = arguments.out or Path('out') / f'{site.region.name}-{datetime.now():%Y%m%d-%H%M%S}'
    request = RunRequest(arguments.site, site, out, arguments.duration, arguments.media, arguments.overwrite, arguments.log_level)
    return run_region(request, Console())


def _report(arguments: argparse.Namespace) -> int:
    from collab_bringup.up import display_summary

    return 1 if display_summary(arguments.out, Console()) else 0


def _marks(arguments: argparse.Namespace) -> int:
    from collab_bringup.marks_table import show_marks

    return show_marks(arguments.video, console())


def _discover(arguments: argparse.Namespace) -> int:
    from collab_bringup.camera_tools import discover

    return discover(arguments.seconds, console())


def _probe(arguments: argparse.Namespace) -> int:
    from collab_bringup.camera_tools import ProbeRequest, probe

    request = ProbeRequest(
        arguments.host, arguments.user, arguments.password_file, arguments.password_env, arguments.https, arguments.ca_file
    )
    return probe(request, console())


def _sim_camera(arguments: argparse.Namespace) -> int:
    from collab_bringup.sim_camera import SimCameraRequest, sim_camera

    chosen = {name: value for name, value in vars(arguments).items() if name not in ('run', 'media')}
    terminal = console()
    return sim_camera(SimCameraRequest(**chosen), lambda text: terminal.print(text, soft_wrap=True, highlight=False))


def _status(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.status(arguments.region, arguments.watch, console())


def _hold(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.hold(arguments.region, arguments.scene, arguments.camera, arguments.seconds, arguments.reason, console())


def _pause(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.hold(arguments.region, '', '', arguments.seconds, arguments.reason, console())


def _release(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.release(arguments.region, arguments.hold, console())


def _goto(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.go_to(arguments.region, arguments.camera, arguments.scene, arguments.seconds, console())


def _stop(arguments: argparse.Namespace) -> int:
    from collab_bringup import operate

    return operate.stop(arguments.region, console())


def _watch_add(arguments: argparse.Namespace) -> int:
    from collab_bringup import watch

    chosen = arguments
    new = watch.NewTarget(
        chosen.target,
        chosen.picture,
        chosen.feature,
        chosen.kind,
        chosen.label,
        chosen.colour,
        chosen.shape,
        not chosen.no_hold,
    )
    return watch.add(arguments.region, new, console())


def _watch_list(arguments: argparse.Namespace) -> int:
    from collab_bringup import watch

    return watch.show(arguments.region, console())


def _watch_remove(arguments: argparse.Namespace) -> int:
    from collab_bringup import watch

    return watch.remove(arguments.region, arguments.target, console())


def _receive(arguments: argparse.Namespace) -> int:
    from ptz_receiver import ReceiveRequest, receive

    chosen = {name: value for name, value in vars(arguments).items() if name != 'run'}
    terminal = console()
    return receive(ReceiveRequest(**chosen), lambda text: terminal.print(text, soft_wrap=True, highlight=False, markup=False))


if __name__ == '__main__':
    sys.exit(main())
