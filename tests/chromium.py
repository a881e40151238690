# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a video with its cues in headless Chromium, and tells what was seen."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import queue
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

BROWSER = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')

# Seeks to each time and keeps the picture, of ten a second, and the cues that are active there; then plays everything, fast.
_PAGE = """<!doctype html><video id="v" muted><track id="t" kind="metadata" default src="/cues"></video><script>
const v = document.getElementById('v'), t = document.getElementById('t').track, c = document.createElement('canvas');
const seen = {pictures: [], cues: [], all: 0, played: 0, error: ''};
const tell = () => fetch('/seen', {method: 'POST', body: JSON.stringify(seen)});
const happens = (target, name) => new Promise(done => target.addEventListener(name, done, {once: true}));
v.onerror = () => { seen.error = v.error.message; tell(); };
async function watch() {
  t.mode = 'hidden';
  const cues = happens(document.getElementById('t'), 'load');
  v.src = '/video'; await happens(v, 'loadeddata'); await cues;
  seen.all = t.cues.length;
  for (const time of TIMES) {
    // `seeked` may come before the picture is there to be drawn, and the one before it late.
    const shown = new Promise(done => {
      const look = (_, frame) => Math.abs(time - 0.05 - frame.mediaTime) < 0.055 ? done() : v.requestVideoFrameCallback(look);
      v.requestVideoFrameCallback(look);
    });
    v.currentTime = time; await happens(v, 'seeked'); await shown;
    c.width = v.videoWidth; c.height = v.videoHeight; c.getContext('2d').drawImage(v, 0, 0);
    seen.pictures.push(c.toDataURL('image/png').split(',')[1]);
    seen.cues.push(Array.from(t.cues).filter(q => q.startTime <= time && time < q.endTime).map(q => JSON.parse(q.text)));
  }
  v.currentTime = 0; await happens(v, 'seeked');
  v.playbackRate = 8; v.play(); await happens(v, 'ended');
  seen.played = v.currentTime; tell();
}
watch();
</script>"""


@dataclass(frozen=True)
class Seen:
    """What Chromium showed. pictures: BGR, by time; cues: contents that were active; played: s; error: empty if none."""

    pictures: list[np.ndarray]
    cues: list[list[dict]]
    all_cues: int
    played: float
    error: str


def watch(video: Path, times: list[float], timeout: float, profile: Path) -> Seen:
    """Seeks to times (s) and then plays the whole. Raises queue.Empty if nothing comes of it."""
    answers: queue.Queue[dict] = queue.Queue()
    pages = {
        '/': (_PAGE.replace('TIMES', json.dumps(times)).encode(), 'text/html'),
        '/video': (video.read_bytes(), 'video/mp4'),
        '/cues': (video.with_suffix('.vtt').read_bytes(), 'text/vtt'),
    }
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _handler(pages, answers))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', f'--user-data-dir={profile}']
    address = f'http://127.0.0.1:{server.server_port}/'
    assert BROWSER is not None
    browser = subprocess.Popen(
        [BROWSER, *options, '--autoplay-policy=no-user-gesture-required', address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen = answers.get(timeout=timeout)
    finally:
        browser.kill()
        browser.wait()
        server.shutdown()
        server.server_close()
    pictures = [cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR) for text in seen['pictures']]
    return Seen(pictures, seen['cues'], seen['all'], seen['played'], seen['error'])


def _handler(pages: dict[str, tuple[bytes, str]], answers: queue.Queue[dict]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_GET(self) -> None:
            if self.path not in pages:
                self.send_error(404)
                return
            body, kind = pages[self.path]
            begin, end, whole = 0, len(body) - 1, True
            if asked := self.headers.get('Range'):
                # Without ranges a browser can't seek.
                first, last = asked.removeprefix('bytes=').split('-')
                begin, end, whole = int(first), int(last) if last else end, False
            self.send_response(200 if whole else 206)
            self.send_header('Content-Type', kind)
            self.send_header('Accept-Ranges', 'bytes')
            self.send_header('Content-Length', str(end + 1 - begin))
            if not whole:
                self.send_header('Content-Range', f'bytes {begin}-{end}/{len(body)}')
            self.end_headers()
            # A browser hangs up when it has what it wanted.
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body[begin : end + 1])

        def do_POST(self) -> None:
            answers.put(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
            self.send_response(204)
            self.end_headers()

    return Handler
