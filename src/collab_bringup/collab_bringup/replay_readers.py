# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who reads what a replay publishes, and waiting until they have taken it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rcl_interfaces.srv import GetParameters
from rclpy.client import Client
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.task import Future

#: s between two looks at who is there, while somebody is waited for.
_LOOK_AGAIN = 0.5
#: s in which nobody new came: all are found. Discovery goes on while processes start.
_QUIET = 1.0
#: s of waiting after which it is said for whom, and they are asked again: an answer to somebody who was just discovered may be lost.
_PATIENCE = 10.0
#: s of one wait inside DDS or the executor; then Ctrl-C gets its turn.
_SLICE = 0.1


@dataclass
class _Reader:
    """A node that reads. Its parameter services answer in its executor, between its other callbacks."""

    name: str
    client: Client


class Readers:
    """The nodes that read some publishers.

    That DDS has delivered a message does not mean that its reader has taken it: a short history is overwritten by the next one.
    So every node is also asked for parameters, none of them: it answers after the callbacks that were due when the question came.
    Of nodes without parameter services, as command line tools are, only the delivery is waited for.
    """

    def __init__(self, node: Node, executor: SingleThreadedExecutor, say: Callable[[str], None]) -> None:
        self._node, self._executor, self._say = node, executor, say
        self._clients: dict[str, Client] = {}
        self._of_topic: dict[str, tuple[int, tuple[_Reader, ...]]] = {}

    def wait_for(self, publishers: Sequence[Publisher], names: Iterable[str], patience: float) -> list[str]:
        """Waits until nodes of these names read, or with none at all anybody, and nobody new comes. Returns the names that did not come.

        Nodes answer when they spin, and so when they have subscribed to all that they read, however long that took.
        """
        wanted = set(names)
        deadline = time.monotonic() + patience
        said = False
        changed, count = time.monotonic(), -1
        while True:
            found = self._names(publishers)
            now, matched = time.monotonic(), _matched(publishers)
            if matched != count:
                changed, count = now, matched
                for publisher in publishers:
                    self._readers(publisher)  # makes those who ask, as it takes them a moment to find whom they ask
            missing = sorted(wanted - found)
            if (not missing if wanted else bool(found)) and now - changed > _QUIET:
                self.have_taken(publishers)
                self.spin(_SLICE)
                if _matched(publishers) == count:
                    return []
            elif now > deadline:
                if wanted:
                    return missing
                if not said:
                    self._say('nobody reads yet; waiting (Ctrl-C ends it)')
                    said = True
            self.spin(_SLICE)

    def spin(self, seconds: float) -> None:
        """Lets the own node's callbacks run."""
        self._executor.spin_once(timeout_sec=seconds)

    def have_taken(self, publishers: Sequence[Publisher], rounds: int = 1) -> None:
        """Returns when everything published so far is taken; rounds: how often everybody is asked."""
        for publisher in publishers:
            while publisher.get_subscription_count() and not publisher.wait_for_all_acked(Duration(seconds=_SLICE)):
                pass
        readers = {one.name: one for publisher in publishers for one in self._readers(publisher)}
        for _ in range(rounds):
            self._ask(readers, publishers)

    def _ask(self, readers: dict[str, _Reader], publishers: Sequence[Publisher]) -> None:
        waiting = {name: reader.client.call_async(GetParameters.Request()) for name, reader in readers.items()}
        asked = looked = time.monotonic()
        said = False
        while waiting := {name: answer for name, answer in waiting.items() if not answer.done()}:
            self.spin(_SLICE)
            now = time.monotonic()
            if now - looked > _LOOK_AGAIN:
                looked = now
                waiting = self._still_there(waiting, publishers)
                if waiting and now - asked > _PATIENCE:
                    asked = now
                    waiting = {name: readers[name].client.call_async(GetParameters.Request()) for name in waiting}
                    if not said:
                        self._say(f'waiting for {", ".join(sorted(waiting))}')
                    said = True

    def _still_there(self, waiting: dict[str, Future], publishers: Sequence[Publisher]) -> dict[str, Future]:
        """Those of whom an answer may still come."""
        self._of_topic.clear()
        there = {one.name for publisher in publishers for one in self._readers(publisher)}
        return {name: answer for name, answer in waiting.items() if name in there}

    def _readers(self, publisher: Publisher) -> tuple[_Reader, ...]:
        count = publisher.get_subscription_count()
        known = self._of_topic.get(publisher.topic_name)
        if known is None or known[0] != count:
            names = self._names([publisher]) if count else set()
            found = [self._reader(name) for name in sorted(names)]
            known = count, tuple(one for one in found if one is not None)
            # A node may be found before its services are: then it is looked for again.
            if len(known[1]) == len(names):
                self._of_topic[publisher.topic_name] = known
        return known[1]

    def _names(self, publishers: Sequence[Publisher]) -> set[str]:
        """Of nodes, with their namespaces."""
        found = set()
        for publisher in publishers:
            for info in self._node.get_subscriptions_info_by_topic(publisher.topic_name):
                found.add(f'{info.node_namespace.rstrip("/")}/{info.node_name}')
        return found - {self._node.get_fully_qualified_name()}

    def _reader(self, name: str) -> _Reader | None:
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(GetParameters, f'{name}/get_parameters')
        return _Reader(name, client) if client.service_is_ready() else None


def _matched(publishers: Sequence[Publisher]) -> int:
    return sum(one.get_subscription_count() for one in publishers)
