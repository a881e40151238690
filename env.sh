# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
# Source this file (bash or zsh) to work with the workspace: `source env.sh`. It puts ptz-collab on the PATH.

_ptz_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)
if [ ! -f "$_ptz_root/install/setup.sh" ] || [ ! -f "$_ptz_root/.venv/bin/activate" ]; then
  echo "ptz_collab is not built yet: run make in $_ptz_root first" >&2
  unset _ptz_root
  return 1 2>/dev/null || exit 1
fi
# colcon's and venv's scripts read variables that may be unset.
case $- in *u*) _ptz_nounset=1; set +u ;; *) _ptz_nounset= ;; esac
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
. "$_ptz_root/.venv/bin/activate"
if [ -d "$_ptz_root/.venv/share/rclpy" ] || [ -d "$_ptz_root/.venv/share/rcl" ]; then
  # ROS comes from wheels in the virtual environment, which is its prefix.
  export AMENT_PREFIX_PATH="$_ptz_root/.venv"
else
  # With a distribution the installed scripts run the system's python, which must find the environment's packages too.
  for _ptz_packages in "$_ptz_root"/.venv/lib/python3*/site-packages; do
    export PYTHONPATH="$_ptz_packages${PYTHONPATH:+:$PYTHONPATH}"
  done
  unset _ptz_packages
fi
export COLCON_CURRENT_PREFIX="$_ptz_root/install"
. "$_ptz_root/install/setup.sh"
unset COLCON_CURRENT_PREFIX
[ -n "$_ptz_nounset" ] && set -u
unset _ptz_root _ptz_nounset
