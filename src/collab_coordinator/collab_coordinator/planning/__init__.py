# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
"""Who watches what in which slot: plans for any number of cameras and scenes, whatever each camera reaches."""

from collab_coordinator.planning.planner import plan_orders, reach_of
from collab_coordinator.planning.schedule import Reach, Schedule, Uncovered
from collab_coordinator.planning.turn_order import TurnTimes, turn_times

__all__ = ['Reach', 'Schedule', 'TurnTimes', 'Uncovered', 'plan_orders', 'reach_of', 'turn_times']
