# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""What a network makes of pictures of people, and how well it finds them again: its test on identities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ptz_perception.models.jde.batches import cells_at, pictures_tensor
from ptz_perception.models.jde.identities import IdentityPicture
from ptz_perception.models.jde.network import JdeNetwork
from ptz_perception.models.jde.retrieval import Pictured
from ptz_perception.models.validating import read_picture
from ptz_perception.recognition.sheets import Grid, make_sheet
from ptz_perception.relatedness import instance_normalised

#: px of height of people on sheets: in between what is trained.
TILE_HEIGHT = 96
#: Sheets in one pass.
_AT_ONCE = 8


def by_view(views: Sequence[str], most: int) -> Iterator[list[int]]:
    """Indices of pictures, by views: at most so many at once, all of one view; those of a view in their order."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, view in enumerate(views):
        rows[view].append(row)
    for some in rows.values():
        for first in range(0, len(some), most):
            yield some[first : first + most]


@torch.inference_mode()
def appearances(
    network: JdeNetwork, pictures: Sequence[IdentityPicture], size: tuple[int, int], factor: int = 1
) -> NDArray[np.float32]:
    """(n, d): of people, those of a view side by side on sheets of a size (width, height). Every factor-th sheet is instance-normalised."""
    grid = Grid.of_height(size, TILE_HEIGHT)
    device = next(network.parameters()).device
    network.eval()
    found = np.zeros((len(pictures), network.vector.out_channels), np.float32)
    groups = list(by_view([one.view for one in pictures], grid.count))
    for first in range(0, len(groups), _AT_ONCE):
        some = groups[first : first + _AT_ONCE]
        sheets = [make_sheet([read_picture(pictures[row].path) for row in rows], grid) for rows in some]
        mask = torch.from_numpy(instance_normalised(len(sheets), factor, first)).to(device)
        seen = network(pictures_tensor([sheet.picture for sheet in sheets]).to(device).float() / 255.0, mask)
        vectors = seen.vectors.flatten(2).transpose(1, 2).cpu().numpy()
        for rows, sheet, of_cells in zip(some, sheets, vectors, strict=True):
            found[rows] = of_cells[cells_at(sheet.boxes[:, :2], sheet.picture.shape[:2])]
    return found


def pictured(network: JdeNetwork, pictures: Sequence[IdentityPicture], size: tuple[int, int], factor: int = 1) -> Pictured:
    """The same with who is on them, to be asked for."""
    vectors = appearances(network, pictures, size, factor)
    return Pictured(vectors, [one.identity for one in pictures], [one.view for one in pictures])
