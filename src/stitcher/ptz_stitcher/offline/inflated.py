# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What `ros2 bag record --compression-format zstd` has compressed: whole files, or each message."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import zstandard

#: Of a file that is compressed as a whole.
SUFFIX = '.zstd'
#: Begins every zstd frame (RFC 8878, 3.1.1). A serialized message begins with a byte 0.
_MAGIC = b'\x28\xb5\x2f\xfd'


@contextlib.contextmanager
def inflated_file(path: Path) -> Iterator[Path]:
    """The file as it was, under its own name, in a temporary folder (of TMPDIR); one at a time needs room there.

    Raises zstandard.ZstdError, or OSError. One that ends early is inflated as far as it goes.
    """
    with tempfile.TemporaryDirectory(prefix='ptz_collab_') as folder:
        storage = Path(folder) / path.with_suffix('').name
        with path.open('rb') as source, storage.open('wb') as target:
            zstandard.ZstdDecompressor().copy_stream(source, target)
        yield storage


def inflated_message(data: bytes | memoryview) -> bytes | memoryview:
    """A message as it was. What its bag says of that may be lost, so it is seen by the message itself."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(data) if data[: len(_MAGIC)] == _MAGIC else data
