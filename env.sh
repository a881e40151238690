# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
# Source this file (bash or zsh, from any folder) to work with the workspace: it puts ptz-collab on the PATH.

_ptz_file="${BASH_SOURCE[0]:-}"
[ -n "$_ptz_file" ] || _ptz_file=$0 # zsh, which names the sourced file so
_ptz_root=$(CDPATH='' cd -- "$(dirname -- "$_ptz_file")" >/dev/null && pwd)
unset _ptz_file
if [ ! -f "$_ptz_root/install/setup.sh" ] || [ ! -x "$_ptz_root/.venv/bin/python" ]; then
  echo "ptz_collab is not built yet: run make first (in $_ptz_root)" >&2
  unset _ptz_root
  return 1 2>/dev/null || exit 1
fi
if [ ! -f "$_ptz_root/install/.ptz_collab_build" ]; then
  echo "ptz_collab: the last build did not finish; make does it again (in $_ptz_root)" >&2
fi

# The scripts of venv and colcon read variables that may be unset.
case $- in *u*) _ptz_nounset=1 && set +u ;; *) _ptz_nounset= ;; esac
# Tells the wheels' python that its library path is set, which is true of the environment that it was set in alone.
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
. "$_ptz_root/.venv/bin/activate"
if [ -d "$_ptz_root/.venv/share/rcl_interfaces" ]; then
  # ROS comes from wheels, and the virtual environment is its prefix.
  export AMENT_PREFIX_PATH="$_ptz_root/.venv"
  unset CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
else
  # ros2 launch is run by the system's python, which must find the environment's packages too.
  for _ptz_packages in "$_ptz_root"/.venv/lib/python3*/site-packages; do
    case ":${PYTHONPATH:-}:" in
      *":$_ptz_packages:"*) ;;
      *) export PYTHONPATH="$_ptz_packages${PYTHONPATH:+:$PYTHONPATH}" ;;
    esac
  done
  unset _ptz_packages
fi
COLCON_CURRENT_PREFIX="$_ptz_root/install"
. "$_ptz_root/install/setup.sh"
unset COLCON_CURRENT_PREFIX
if [ -n "$_ptz_nounset" ]; then set -u; fi
unset _ptz_root _ptz_nounset
