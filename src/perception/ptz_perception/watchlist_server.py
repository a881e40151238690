# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""The services of the watchlist, and the topic that tells every camera what is on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from rclpy.node import Node

from ptz_collab_msgs import msg, srv
from ptz_node import names
from ptz_node.images import decode
from ptz_node.qos import LATCHED
from ptz_perception import messages
from ptz_perception.recognition.embedders import Embedder
from ptz_perception.recognition.watchlist import Watchlist, WatchlistError, WatchlistFault, checked_feature
from ptz_perception.recognition.watchlist_file import WatchlistFile
from ptz_site import UserError

_BODY = 'body'


class WatchlistServer:
    """Keeps the list on disk. A list that can't be read is left as it is and nothing is watched for, until somebody mends it."""

    def __init__(self, node: Node, file: WatchlistFile, embedders: Mapping[str, Embedder]) -> None:
        self._node, self._file, self._embedders = node, file, embedders
        self.problem = ''
        self._watchlist = Watchlist()
        try:
            self._watchlist = file.read()
        except UserError as error:
            self.problem = str(error)
            node.get_logger().error(self.problem)
        self._warn_of_unusable()
        self._publisher = node.create_publisher(msg.Watchlist, names.WATCHLIST, LATCHED)
        node.create_service(srv.AddTarget, names.ADD_TARGET, self._add)
        node.create_service(srv.RemoveTarget, names.REMOVE_TARGET, self._remove)
        node.create_service(srv.ListTargets, names.LIST_TARGETS, self._list)
        self._publish()

    def __len__(self) -> int:
        return len(self._watchlist)

    def _add(self, request: srv.AddTarget.Request, response: srv.AddTarget.Response) -> srv.AddTarget.Response:
        def change() -> Watchlist:
            said = request.target
            said.kind = said.kind or _BODY
            said.mark_colour = said.mark_colour or self._watchlist.free_colour()
            target = messages.target_from_msg(said)
            numbers = self._embedded(bytes(request.picture), target.kind) if len(request.picture) else target.feature
            feature = checked_feature(numbers, target.kind, {kind: one.length for kind, one in self._embedders.items()})
            return self._watchlist.with_target(replace(target, feature=feature, added_ns=self._now_ns()))

        response.error_code, response.error_msg = self._changed(change, 'add', request.target.target, request.target.added_by)
        return response

    def _remove(self, request: srv.RemoveTarget.Request, response: srv.RemoveTarget.Response) -> srv.RemoveTarget.Response:
        code, text = self._changed(lambda: self._watchlist.without(request.target), 'remove', request.target, request.removed_by)
        not_saved = code == WatchlistFault.NOT_SAVED
        response.error_code, response.error_msg = srv.RemoveTarget.Response.NOT_SAVED if not_saved else code, text
        return response

    def _list(self, _request: srv.ListTargets.Request, response: srv.ListTargets.Response) -> srv.ListTargets.Response:
        response.targets = [messages.target_msg(target) for target in self._watchlist]
        return response

    def _changed(self, change: Callable[[], Watchlist], action: str, target: str, who: str) -> tuple[int, str]:
        """Error code and sentence of a change that is made and written, or not."""
        if self.problem:
            return int(WatchlistFault.NOT_SAVED), self.problem
        try:
            changed = change()
            self._file.write(changed, action, target, who, self._now_ns())
        except WatchlistError as error:
            return int(error.fault), str(error)
        self._watchlist = changed
        self._node.get_logger().info(f'watchlist: {who or "somebody"}: {action} {target}')
        self._publish()
        return 0, ''

    def _embedded(self, picture: bytes, kind: str) -> tuple[float, ...]:
        if kind not in self._embedders:
            known = ', '.join(self._embedders) or 'none'
            raise WatchlistError(WatchlistFault.UNKNOWN_KIND, f'no embedder for {kind!r}; the site has {known}')
        try:
            return tuple(self._embedders[kind].embed(decode(picture)).tolist())
        except ValueError as error:
            raise WatchlistError(WatchlistFault.BAD_PICTURE, str(error)) from None

    def _warn_of_unusable(self) -> None:
        for target in self._watchlist:
            embedder = self._embedders.get(target.kind)
            if embedder is None or embedder.length != len(target.feature):
                self._node.get_logger().warning(
                    f"target {target.target} can't be found: its {target.kind} feature has {len(target.feature)} numbers, "
                    f'and the site {"has no embedder for it" if embedder is None else f"makes {embedder.length}"}; add it again'
                )

    def _publish(self) -> None:
        message = msg.Watchlist(targets=[messages.target_msg(target) for target in self._watchlist])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
