# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""How fast recordings are stitched, and in how much memory: videos of three cameras into three scenes, and a bag of JPEG pictures.

Writes out/bench/stitching.json beside the table. In the same run, for comparison: FFmpeg's own program that joins the same pieces
(ffmpeg -f concat -c copy; taken from the PATH, or from the package imageio-ffmpeg; without either, PyAV), and plain copies. All files lie
in the page cache, so that programs are compared and not disks.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from ffmpeg_program import ffmpeg
from report.figures import Chart, ChartKind, Figure, Series, Stopwatch, at_least, at_most, write_outcome
from rich.console import Console
from rich.table import Table

from ptz_site import Mark, Phase
from ptz_site.stream_marks import StreamMark, nal
from ptz_stitcher.offline import messages
from ptz_stitcher.recording import BagWriter
from ptz_stitcher.recording.msgdefs import topic_type

ROOT = Path(__file__).resolve().parents[1]
S = 1_000_000_000
BEGIN = 1_700_000_000 * S
RATE, SIZE, DWELL, TURN = 25, (1280, 720), 10, 1
SCENES = ('gate', 'road', 'substation')
CAMERAS = ('north', 'southwest', 'southeast')
JPEG_RATE = 10
#: Slots; a bag of JPEG is several times as large as videos, and must fit into the page cache too.
LONGEST_BAG = 60
FORM = nal.NalFormat(nal.Codec.H264, 0)
CLI = (sys.executable, '-m', 'collab_bringup.cli')
#: What the comparison is about: how near to FFmpeg stitching must come.
GOAL = 0.5
#: Files that a long recording of a camera is in, and how many of them are stitched alone, to see what more of them add.
PARTS, FEW_PARTS = 10, 2
FEW, ALL = f'stitch videos in {PARTS} parts to parts, the first {FEW_PARTS}', f'stitch videos in {PARTS} parts to parts, all'
#: Memory of all parts over that of a few: flat, but for what allocators keep.
MOST_GROWTH = 1.05
BYTES = 'read and write the bytes of the bag'
COPY = """
import pathlib, shutil, sys
for file in pathlib.Path(sys.argv[1]).iterdir():
    with file.open('rb') as source, open(f'{sys.argv[2]}/{file.name}', 'wb') as target:
        shutil.copyfileobj(source, target, 1 << 20)
"""
TITLE = 'Stitching'
SUMMARY = 'How fast recordings of cameras become sequences of scenes, beside programs that only copy or join the same bytes.'


@dataclass(frozen=True)
class Cost:
    """Of one way: seconds, of which the processor worked; largest memory of a process; bytes that it wrote."""

    name: str
    wall: float
    processor: float
    memory_mb: float
    written: int

    @property
    def speed(self) -> float:
        """MB/s."""
        return self.written / 1e6 / self.wall


def pictures() -> list[np.ndarray]:
    """One stay on a scene: a textured ground that is a little noisy, and things that move over it."""
    chance = np.random.default_rng(5)
    ground = cv2.resize(chance.integers(60, 200, (90, 160, 3), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    noise = [chance.integers(0, 7, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(5)]
    made = []
    for number in range(RATE * DWELL):
        picture = cv2.add(ground, noise[number % len(noise)])
        for walker in range(6):
            x, y = (number * (walker + 1) + 200 * walker) % (SIZE[0] - 60), 80 + 100 * walker
            cv2.rectangle(picture, (x, y), (x + 40, y + 90), (40 * walker, 255 - 30 * walker, 120), -1)
        made.append(picture)
    return made


def encoded(shown: Sequence[np.ndarray]) -> list[bytes]:
    """Access units of H.264 at about 4 Mbit/s, a keyframe each second."""
    context = av.CodecContext.create('libx264', 'w')
    context.width, context.height, context.pix_fmt = *SIZE, 'yuv420p'
    context.time_base, context.framerate, context.bit_rate = Fraction(1, RATE), Fraction(RATE), 4_000_000
    context.options = {'preset': 'veryfast', 'tune': 'zerolatency', 'x264-params': f'keyint={RATE}:scenecut=0:repeat-headers=1'}
    units = []
    for number, picture in enumerate(shown):
        frame = av.VideoFrame.from_ndarray(picture, format='bgr24').reformat(format='yuv420p')
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        units += [bytes(packet) for packet in context.encode(frame)]
    return units + [bytes(packet) for packet in context.encode(None)]


def mark(camera: int, slot: int, number: int, rate: int) -> StreamMark:
    """What a frame of a stay shows; number: of the frame in it."""
    switch = BEGIN + slot * DWELL * S
    turning = number < TURN * rate
    marks = Mark.SWITCH_START if number == 0 else Mark.ARRIVED if number == TURN * rate else Mark.NONE
    return StreamMark(
        camera=CAMERAS[camera],
        scene=SCENES[(camera + slot) % len(SCENES)],
        preset='',
        marks=marks,
        phase=Phase.TURNING if turning else Phase.IN_POSITION,
        stamp_ns=switch + number * S // rate,
        switch_start_ns=switch,
        arrived_ns=0 if turning else switch + TURN * S,
        slot=slot,
        plan_revision=1,
        session=1,
        sequence=slot * DWELL * rate + number + 1,
    )


class Video:
    """An MP4 of access units."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), 'w')
        self._stream = self._container.add_mux_stream('h264', width=SIZE[0], height=SIZE[1], time_base=Fraction(1, 90_000))
        self._count = 0

    def write(self, data: bytes, keyframe: bool) -> None:
        """One more picture."""
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._stream, Fraction(1, 90_000)
        packet.pts = packet.dts = self._count * 90_000 // RATE
        packet.duration, packet.is_keyframe = 90_000 // RATE, keyframe
        self._container.mux(packet)
        self._count += 1

    def close(self) -> None:
        """That was all."""
        self._container.close()


def write_videos(folder: Path, slots: int) -> dict[str, list[Path]]:
    """A video for each camera, and the same in pieces, by scene."""
    units = encoded(pictures())
    pieces: dict[str, list[Path]] = {scene: [] for scene in SCENES}
    whole = [Video(folder / f'{camera}.mp4') for camera in CAMERAS]
    for slot in range(slots):
        for camera in range(len(CAMERAS)):
            piece: Video | None = None
            for number, unit in enumerate(units):
                label = mark(camera, slot, number, RATE)
                data, keyframe = nal.insert(unit, FORM, label) if label.marks else unit, number % RATE == 0
                whole[camera].write(data, keyframe)
                if label.marks & Mark.ARRIVED:
                    path = folder / f'piece_{slot:05}_{camera}.mp4'
                    piece = Video(path)
                    pieces[label.scene].append(path)
                if piece is not None:
                    piece.write(data, keyframe)
            assert piece is not None
            piece.close()
    for video in whole:
        video.close()
    return pieces


def write_parts(folder: Path, slots: int) -> list[Path]:
    """The video of each camera in PARTS files one after the other, as recorders make them that run for days; in the order of time."""
    units = encoded(pictures())
    found = []
    for begin, end in itertools.pairwise(slots * part // PARTS for part in range(PARTS + 1)):
        for camera in range(len(CAMERAS)):
            found.append(folder / f'{CAMERAS[camera]}_{begin:05}.mp4')
            video = Video(found[-1])
            for slot in range(begin, end):
                for number, unit in enumerate(units):
                    label = mark(camera, slot, number, RATE)
                    video.write(nal.insert(unit, FORM, label) if label.marks else unit, number % RATE == 0)
            video.close()
    return found


def write_bag(folder: Path, slots: int) -> None:
    """What ros2 bag record makes of the frames of three cameras that send JPEG."""
    shown = [cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1] for picture in pictures()[:: RATE // 5][:10]]
    with BagWriter(folder) as bag:
        for scene in SCENES:
            bag.add_topic(f'/bench/scenes/{scene}/frames', topic_type(messages.FRAME))
        for slot in range(slots):
            for number in range(DWELL * JPEG_RATE):
                for camera in range(len(CAMERAS)):
                    label = mark(camera, slot, number, JPEG_RATE)
                    preset = messages.header_of_mark(label, label.camera)
                    message = messages.typestore().types[messages.FRAME](
                        preset.header, preset, 'jpeg', True, *SIZE, shown[number % len(shown)].reshape(-1)
                    )
                    data = messages.encode(message, messages.FRAME)
                    bag.write(f'/bench/scenes/{label.scene}/frames', data, label.stamp_ns)


def run(name: str, commands: Sequence[Sequence[str]], out: Path) -> Cost:
    """Runs programs one after the other; what they write lies in out."""
    out.mkdir(exist_ok=True)
    processor = memory = 0.0
    began = time.perf_counter()
    for command in commands:
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                memory = max(memory, peak_memory_mb(process.pid))
                time.sleep(0.02)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                errors.seek(0)
                raise SystemExit(f'{" ".join(command)}: {errors.read().decode()[-2000:]}')
        processor += usage.ru_utime + usage.ru_stime
    wall = time.perf_counter() - began
    written = sum(file.stat().st_size for file in out.rglob('*') if file.is_file())
    shutil.rmtree(out)  # what lies in the page cache should be what is read next
    return Cost(name, wall, processor, memory, written)


def peak_memory_mb(process: int) -> float:
    """Of a process since its program began. What wait4 says includes the process that started it."""
    try:
        status = Path(f'/proc/{process}/status').read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith('VmHWM')), 0.0)


JOIN = """
import sys, av
for listing, out in zip(sys.argv[1::2], sys.argv[2::2]):
    with av.open(listing, format='concat', options={'safe': '0'}) as source, av.open(out, 'w') as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
"""


def join(folder: Path, pieces: dict[str, list[Path]]) -> Cost:
    """The pieces of each scene joined by FFmpeg."""
    out, program = folder / 'joined', ffmpeg()
    lists = []
    for scene, files in pieces.items():
        listing = folder / f'{scene}.txt'
        listing.write_text(''.join(f"file '{file}'\n" for file in files))
        lists.append((str(listing), str(out / f'{scene}.mp4')))
    if program is None:
        return run('PyAV, concat and copy', [[sys.executable, '-c', JOIN, *(path for pair in lists for path in pair)]], out)
    options = ['-v', 'error', '-y', '-f', 'concat', '-safe', '0']
    return run('ffmpeg -f concat -c copy', [[program, *options, '-i', a, '-c', 'copy', b] for a, b in lists], out)


def costs(folder: Path, minutes: float) -> Iterator[Cost]:
    """All ways, one after the other."""
    slots = max(3, round(minutes * 60 / DWELL))
    pieces = write_videos(folder, slots)
    videos = [str(folder / f'{camera}.mp4') for camera in CAMERAS]
    yield run('stitch: start and end alone', [[*CLI, 'stitch', '--help']], folder / 'nothing')
    yield run('stitch videos', [[*CLI, 'stitch', *videos, '--out', str(folder / 'stitched'), '--no-bags']], folder / 'stitched')
    yield join(folder, pieces)
    yield run('cp videos', [['cp', *videos, str(folder / 'copied')]], folder / 'copied')
    for used in (*pieces.values(), map(Path, videos)):
        for path in used:
            path.unlink()
    parts = list(map(str, write_parts(folder, max(slots, 2 * PARTS))))
    for name, given in ((FEW, parts[: FEW_PARTS * len(CAMERAS)]), (ALL, parts)):
        to_parts = ['--no-bags', '--file-minutes', str(max(slots, 2 * PARTS) * DWELL / 60 / PARTS)]
        yield run(name, [[*CLI, 'stitch', *given, *to_parts, '--out', str(folder / 'parts')]], folder / 'parts')
    for part in parts:
        Path(part).unlink()
    bag = folder / 'recorded'
    write_bag(bag, min(slots, LONGEST_BAG))
    stitch = [*CLI, 'stitch', str(bag), '--out', str(folder / 'bags'), '--no-videos']
    yield run('stitch a bag of JPEG, to bags', [stitch], folder / 'bags')
    stitch = [*CLI, 'stitch', str(bag), '--out', str(folder / 'both')]
    yield run('stitch a bag of JPEG, to bags and videos', [stitch], folder / 'both')
    yield run(BYTES, [[sys.executable, '-c', COPY, str(bag), str(folder / 'bytes')]], folder / 'bytes')
    yield run('cp the bag', [['cp', '-r', str(bag), str(folder / 'bag')]], folder / 'bag')


def main() -> int:
    """Measures, and says it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'minutes', nargs='?', type=float, default=10.0, help='of each camera (default: 10); of the bag at most 10'
    )
    parser.add_argument('--quick', action='store_true', help='half a minute')
    arguments = parser.parse_args()
    watch, minutes = Stopwatch(), 0.5 if arguments.quick else arguments.minutes
    with tempfile.TemporaryDirectory() as folder:
        found = list(costs(Path(folder), minutes))
    table = Table(title=f'{minutes:g} minutes of three cameras, {SIZE[0]}x{SIZE[1]}', title_justify='left')
    for heading in ('what', 's', 'of it processor', 'MB written', 'MB/s', 'memory MB'):
        table.add_column(heading)
    for cost in found:
        times = f'{cost.wall:.2f}', f'{cost.processor:.2f}'
        table.add_row(cost.name, *times, f'{cost.written / 1e6:.0f}', f'{cost.speed:.0f}', f'{cost.memory_mb:.0f}')
    by_name = {cost.name: cost for cost in found}
    joined = next(cost for cost in found if 'concat' in cost.name)
    ratios = {
        'videos, of ffmpeg': by_name['stitch videos'].speed / joined.speed,
        'videos, of cp': by_name['stitch videos'].speed / by_name['cp videos'].speed,
        'bag, of cp': by_name['stitch a bag of JPEG, to bags'].speed / by_name['cp the bag'].speed,
    }
    out = Console(width=120)
    out.print(table)
    out.print(', '.join(f'{name}: {ratio:.2f}' for name, ratio in ratios.items()), f'(goal: {GOAL} of ffmpeg)')
    target = ROOT / 'out' / 'bench' / ('quick' if arguments.quick else '') / 'stitching.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    record = {'minutes': minutes, 'costs': [asdict(cost) for cost in found], 'speed_ratios': ratios}
    target.write_text(json.dumps(record, indent=2) + '\n')
    write_outcome('stitching', watch.outcome(TITLE, SUMMARY, figures_of(found), [chart(found)], quick=arguments.quick))
    return 0


def figures_of(found: Sequence[Cost]) -> list[Figure]:
    """For the report."""
    by_name = {cost.name: cost for cost in found}
    videos, bag = by_name['stitch videos'], by_name['stitch a bag of JPEG, to bags']
    joined = next(cost for cost in found if 'concat' in cost.name)
    copied = by_name.get(BYTES, by_name['cp the bag'])
    figures = [
        at_least(f'speed of stitching videos, over {joined.name}', videos.speed / joined.speed, GOAL),
        at_least(f'speed of stitching a bag of JPEG, over "{copied.name}"', bag.speed / copied.speed, GOAL),
    ]
    for cost, other in ((videos, joined), (bag, copied)):
        figures.append(Figure(cost.name, cost.speed, 'MB/s', compared=other.name, compared_value=other.speed))
    growth = by_name[ALL].memory_mb / by_name[FEW].memory_mb
    figures.append(at_most(f'memory for {PARTS} parts of videos, over that for {FEW_PARTS}', growth, MOST_GROWTH))
    figures.append(Figure('largest memory of stitching', max(videos.memory_mb, bag.memory_mb), 'MB'))
    return figures


def chart(found: Sequence[Cost]) -> Chart:
    """All ways."""
    shown = [cost for cost in found if cost.written]
    speeds = Series('speed', tuple(cost.name for cost in shown), tuple(cost.speed for cost in shown))
    return Chart('Speed', 'way', 'MB/s', (speeds,), ChartKind.BARS)


if __name__ == '__main__':
    sys.exit(main())
