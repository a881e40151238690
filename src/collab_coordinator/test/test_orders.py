# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Tests of changes of orders: cover, exchange, alignment."""

from collab_coordinator.core.orders import aligned, cover, exchange, lent, put, returned, worst_gap
from ptz_site import CameraOrder

LATIN = (CameraOrder('a', ('1', '2', '3')), CameraOrder('b', ('2', '3', '1')), CameraOrder('c', ('3', '1', '2')))
EVERYWHERE = {camera: frozenset('123') for camera in 'abc'}


def column(orders: tuple[CameraOrder, ...], slot: int) -> str:
    return ''.join(order.scene(slot) for order in orders)


def test_nothing_changes_where_nobody_is_doubled() -> None:
    assert cover(LATIN, {'b'}, EVERYWHERE, '123', {}, 0) == LATIN
    assert worst_gap(LATIN, {'b'}, '123') == 1


def test_a_doubled_camera_takes_the_scene_that_was_left_and_nobody_else_moves() -> None:
    orders = (CameraOrder('a', ('1', '2')), CameraOrder('b', ('2', '1')), CameraOrder('c', ('1', '2')))
    reach = {'a': frozenset('12'), 'b': frozenset('12'), 'c': frozenset('12')}
    mended = cover(orders, {'b'}, reach, '12', {}, 0)
    assert [set(column((mended[0], mended[2]), slot)) for slot in range(2)] == [{'1', '2'}] * 2
    assert mended[1] == orders[1]
    assert sum(mine != old for mine, old in zip(mended, orders, strict=True)) == 1


def test_cameras_move_along_the_shortest_chain() -> None:
    # Nobody but c reaches 3, which b left; c is alone on 2, and a, doubled on 1, reaches it.
    orders = tuple(CameraOrder(camera, (scene,)) for camera, scene in zip('abcd', '1321', strict=True))
    reach = {'a': frozenset('12'), 'b': frozenset('3'), 'c': frozenset('23'), 'd': frozenset('1')}
    assert column(cover(orders, {'b'}, reach, '123', {}, 0), 0) == '2331'


def test_who_holds_stays() -> None:
    orders = tuple(CameraOrder(camera, (scene,)) for camera, scene in zip('ab', '11', strict=True))
    reach = {camera: frozenset('12') for camera in 'ab'}
    assert column(cover(orders, (), reach, '12', {'a': '1'}, 0), 0) == '12'


def test_orders_are_exchanged_where_both_reach_the_others_scene() -> None:
    reach = {**EVERYWHERE, 'a': frozenset('12')}
    orders = (CameraOrder('a', ('1', '2', '1')), *LATIN[1:])
    swapped = exchange(orders, 'a', 'b', reach)
    # In slot 1 b is on 3, which a does not reach: both keep their own.
    assert [column(swapped, slot)[:2] for slot in range(3)] == ['21', '23', '11']


def test_orders_of_different_lengths_are_exchanged_over_their_common_cycle() -> None:
    orders = (CameraOrder('a', ('1', '2')), CameraOrder('b', ('3', '1', '2')))
    swapped = exchange(orders, 'a', 'b', EVERYWHERE)
    for slot in range(12):
        assert column(swapped, slot) == column(orders, slot)[::-1]


def test_a_new_cycle_begins_where_most_cameras_stay() -> None:
    shifted = aligned(LATIN, {'a': '3', 'b': '1', 'c': '2'}, 4)
    assert column(shifted, 4) == '312'
    assert column(put(LATIN, 'b', '3', 4), 1) == '231'
    assert column(put(LATIN, 'b', '2', 4), 1) == '221'


def test_a_lent_camera_can_be_told_from_its_order_alone_and_goes_back_to_its_own() -> None:
    for order in LATIN:
        for slot in range(9):
            for goal in set(order.scenes) - {order.scene(slot)}:
                away = lent(order, goal, slot)
                assert away.scene(slot) == goal
                assert returned(away, slot) == order
    # Orders that only look as if: nobody is lent to a scene that they have no slot of their own for.
    for order in (CameraOrder('a', tuple('1213')), CameraOrder('a', tuple('12')), CameraOrder('a', ('1',)), CameraOrder('a', ())):
        assert all(returned(order, slot) == order for slot in range(8))
