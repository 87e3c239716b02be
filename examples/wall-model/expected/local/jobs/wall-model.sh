#!/bin/bash
# Job wall-model of experiment wall-model.
# Made by simwright x.y.z from workflow.ts for site local.

set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")/.."
[ -e plan.json ] || {
  echo "plan.json is not in $PWD: submit this script from the folder that compile wrote" >&2
  exit 2
}

# What launchers would read of a job that this one was submitted from.
unset \
  SIMWRIGHT_ARRAY_INDEX PMI_FD PMI_JOBID PMI_RANK PMI_SIZE PMIX_NAMESPACE PMIX_RANK "${!PMIX_SERVER_@}" \
    "${!OMPI_COMM_WORLD_@}"

# What the runtime reads.
SIMWRIGHT_JOB=wall-model
SIMWRIGHT_JOB_ID=$$
SIMWRIGHT_HOSTS=localhost
SIMWRIGHT_CPUS_PER_NODE=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
SIMWRIGHT_STARTED=$(date +%s)
SIMWRIGHT_SCRIPT_PID=$$
export SIMWRIGHT_JOB SIMWRIGHT_JOB_ID SIMWRIGHT_HOSTS SIMWRIGHT_CPUS_PER_NODE SIMWRIGHT_STARTED SIMWRIGHT_SCRIPT_PID

# An older Node.js could not even read the runtime.
node_version=$(node --version 2>&1) || node_version="not there: $node_version"
if [[ ! $node_version =~ ^v([0-9]+)\.([0-9]+) ]] || ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] < 2019)); then
  printf 'this job needs Node.js 20.19 or newer, and %s on %s is %s\n' node "$HOSTNAME" "$node_version" >&2
  exit 1
fi

# In the background it takes the place of its subshell, so that a signal to $! reaches it.
runtime() {
  ((BASHPID == $$)) || exec node runtime/simwright.mjs "$@"
  node runtime/simwright.mjs "$@"
}

# Applications run in the background, so that a signal to this script reaches them at once.
launched=() told=''
pass_on() {
  local pid
  told=$1
  if ((${#launched[@]} == 0)); then
    [ "$1" = USR1 ] || exit $((128 + $(kill -l "$1")))
    return
  fi
  for pid in "${launched[@]}"; do kill -s "$1" "$pid" 2>/dev/null || true; done
}
await_launches() {
  local pid code worst=0
  # A signal to end may have come before the last launch; a warning is not for what begins after it.
  [ "${told:-USR1}" = USR1 ] || pass_on "$told"
  for pid in "${launched[@]}"; do
    while true; do
      told='' code=0
      wait "$pid" || code=$?
      # A signal ends wait before its process has ended.
      [ -n "$told" ] || break
    done
    # Of a process that ends just as a signal comes, bash loses the exit code and says -1.
    ((code >= 0)) || code=143
    ((code <= worst)) || worst=$code
  done
  return "$worst"
}
trap 'pass_on TERM' TERM
trap 'pass_on INT' INT
trap 'pass_on USR1' USR1
# The exit code is that of the applications. No signal ends the cleaning up, not before it has begun to look out for them either.
trap 'trap "" HUP INT TERM USR2; runtime down || true' EXIT

runtime up channels
runtime launch channels -- python3 solver.py '{args}' & launched+=($!)
await_launches
