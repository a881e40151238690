# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a site file: YAML with the place of every key, so that a problem can name its line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ptz_site.errors import SiteError
from ptz_site.schema import OnvifCamera, RecordedCamera, Site, Token

KeyPath = tuple[str | int, ...]
_BACKENDS = ('simulated', 'recorded', 'onvif')


@dataclass
class _Places:
    lines: dict[KeyPath, int] = field(default_factory=dict)
    duplicates: list[tuple[KeyPath, int, int]] = field(default_factory=list)

    def line(self, path: KeyPath) -> int:
        """The line of a key path, or of the nearest part of it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load_site(path: str | Path, media: str | Path | None = None) -> Site:
    """Reads and validates a site file.

    media: the folder that videos of recorded cameras are relative to; by default the site file's own folder.
    Raises SiteError with one line for each problem.
    """
    file = Path(path)
    data, places = _read(file)
    try:
        site = Site.model_validate(data)
    except ValidationError as error:
        problems = [_describe(file, places, detail) for detail in error.errors()]
        raise SiteError(problems) from None
    problems = _cross_check(file, places, site)
    problems += _missing_videos(file, places, site, Path(media) if media else file.parent)
    if problems:
        raise SiteError(problems)
    return site


def media_path(site_file: str | Path, media: str | Path | None, video: str) -> Path:
    """Where the video of a recorded camera lies."""
    return (Path(media) if media else Path(site_file).parent) / video


def _read(file: Path) -> tuple[Any, _Places]:
    try:
        text = file.read_text(encoding='utf-8')
    except OSError as error:
        raise SiteError([f'{file}: {error.strerror or error}; give the path of a site file']) from None
    except UnicodeDecodeError:
        raise SiteError([f'{file}: not a text file; give the path of a site file in YAML']) from None
    places = _Places()
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            raise SiteError([f'{file}: empty; a site file needs region, scenes and cameras'])
        _note_places(root, (), places)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        where = f'{file}:{mark.line + 1}' if mark else str(file)
        raise SiteError([f'{where}: not valid YAML: {getattr(error, "problem", error)}']) from None
    if not isinstance(data, dict):
        raise SiteError([f'{file}: a site file is a mapping with region, scenes and cameras'])
    if places.duplicates:
        raise SiteError(
            [
                f'{file}:{second}: {_dotted(key)}: given twice, first in line {first}; every name may be used once'
                for key, first, second in places.duplicates
            ]
        )
    return data, places


def _note_places(node: yaml.Node, path: KeyPath, places: _Places) -> None:
    places.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            child = (*path, str(key.value))
            line = key.start_mark.line + 1
            if child in places.lines:
                places.duplicates.append((child, places.lines[child], line))
                continue
            places.lines[child] = line
            _note_places(value, child, places)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_places(value, (*path, index), places)


def _describe(file: Path, places: _Places, detail: ErrorDetails) -> str:
    path = _written_path(detail['loc'])
    kind = detail['type']
    where = f'{file}:{places.line(path)}: {_dotted(path)}'
    if kind == 'extra_forbidden':
        return f'{where}: unknown key{_did_you_mean(str(path[-1]))}'
    if kind == 'missing':
        return f'{where}: missing; {_article(path)} needs it'
    if kind in ('union_tag_invalid', 'union_tag_not_found'):
        found = detail.get('ctx', {}).get('tag', 'nothing').strip("'")
        return f'{file}:{places.line((*path, "backend"))}: {_dotted((*path, "backend"))}: {found} found; allowed: {", ".join(_BACKENDS)}'
    if kind == 'string_pattern_mismatch':
        return f'{where}: {detail["input"]!r} found; allowed: small letters, digits and _, beginning with a letter'
    if kind == 'value_error':
        return f'{where}: {detail["msg"].removeprefix("Value error, ")}'
    if kind == 'literal_error':
        return f'{where}: {_short(detail["input"])} found; allowed: {detail["ctx"]["expected"]}'
    return f'{where}: {_short(detail["input"])} found; {detail["msg"][:1].lower()}{detail["msg"][1:]}'


def _written_path(location: KeyPath) -> KeyPath:
    """The key path as it stands in the file: without what pydantic adds for the variants of unions and for keys."""
    variant = 2 if len(location) > 2 and location[0] == 'cameras' and location[2] in _BACKENDS else None
    return tuple(
        part for i, part in enumerate(location) if i != variant and not (isinstance(part, str) and part[:1] in ('<', '['))
    )


def _cross_check(file: Path, places: _Places, site: Site) -> list[str]:
    problems = []
    for name, camera in site.cameras.items():
        for scene, spec in camera.presets.items():
            path: KeyPath = ('cameras', name, 'presets', scene)
            where = f'{file}:{places.line(path)}: {_dotted(path)}'
            if scene not in site.scenes:
                problems.append(f'{where}: no scene of this name; the site has {", ".join(site.scenes)}')
            elif spec == 'auto' and site.scenes[scene].polygon is None:
                problems.append(f'{where}: auto needs the polygon of scene {scene}; give it, or pan/tilt/zoom')
            elif isinstance(spec, Token) and not isinstance(camera, OnvifCamera):
                problems.append(f'{where}: a {camera.backend} camera keeps no presets; give pan, tilt and zoom, or auto')
        for index, scene in enumerate(camera.barred):
            if scene not in site.scenes:
                where = f'{file}:{places.line(("cameras", name, "barred", index))}: cameras.{name}.barred'
                problems.append(f'{where}: no scene {scene}; the site has {", ".join(site.scenes)}')
    sizes = {name: camera.resolution for name, camera in site.cameras.items()}
    if site.stitcher.video and len(set(sizes.values())) > 1:
        found = ', '.join(f'{name} {width}x{height}' for name, (width, height) in sizes.items())
        problems.append(
            f'{file}:{places.line(("cameras",))}: cameras: resolutions differ ({found}); one video is cut from all cameras, '
            'so give them one resolution, or set stitcher.video: false'
        )
    return problems


def _missing_videos(file: Path, places: _Places, site: Site, media: Path) -> list[str]:
    problems = []
    for name, camera in site.cameras.items():
        if isinstance(camera, RecordedCamera) and not (media / camera.video).is_file():
            path: KeyPath = ('cameras', name, 'video')
            problems.append(
                f'{file}:{places.line(path)}: {_dotted(path)}: no file {media / camera.video}; '
                'give the folder of the videos with --media (media:= for ros2 launch)'
            )
    return problems


def _dotted(path: KeyPath) -> str:
    return '.'.join(str(part) for part in path) or 'site file'


def _article(path: KeyPath) -> str:
    parent = _dotted(path[:-1])
    return 'a site file' if parent == 'site file' else parent


def _did_you_mean(key: str) -> str:
    near = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.75)
    return f'; did you mean {near[0]}?' if near else '; see docs/site-file.md for the keys'


def _known_keys() -> list[str]:
    from ptz_site import schema

    models = [value for value in vars(schema).values() if isinstance(value, type) and issubclass(value, schema.Section)]
    return sorted({key for model in models for key in model.model_fields})


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
