#!/bin/bash
# Submits the jobs of experiment wall-model.
# Made by simwright x.y.z from workflow.ts for site local.
#
# usage: submit.sh [--fresh | --keep] [--force] [--retry N]
#   --fresh    run everything again, completed members included
#   --keep     accept completed members as they are, whatever has changed
#   --force    submit though jobs of this folder run or wait
#   --retry N  start a member that fails up to N times more
# Prints NAME<TAB>JOBID for each job, and appends it to run/jobs.tsv.
# The exit code is the highest of the jobs'.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
[ -e plan.json ] || { echo "plan.json is not in $PWD" >&2; exit 2; }

usage() { sed -n '/^# usage/,/^set /{/^set /d;s/^# \{0,1\}//;p;}' submit.sh; }
# All jobs of one submission know each other by SIMWRIGHT_RUN.
export SIMWRIGHT_FRESH='' SIMWRIGHT_KEEP='' SIMWRIGHT_RETRY=0 SIMWRIGHT_RUN
force=''
SIMWRIGHT_RUN=$(date +%s)-$$
unset SIMWRIGHT_ARRAY_INDEX
while (($# > 0)); do
  case $1 in
    --fresh) SIMWRIGHT_FRESH=1 ;;
    --keep) SIMWRIGHT_KEEP=1 ;;
    --force) force=1 ;;
    --retry)
      [[ ${2-} =~ ^[0-9]+$ ]] || { echo "submit.sh: --retry needs a number" >&2; exit 2; }
      SIMWRIGHT_RETRY=$2
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -z "$SIMWRIGHT_FRESH" ] || [ -z "$SIMWRIGHT_KEEP" ] || { usage >&2; exit 2; }
# Results are for those who may see the logs.
cannot() { echo "submit.sh: $PWD/$1 cannot be written, and jobs write there" >&2; exit 1; }
[ -d logs ] || mkdir -m 700 logs || cannot logs
[ -d run ] || { mkdir -m 700 run && chmod --reference=logs run; } || cannot run
for place in logs run run/status run/jobs.tsv; do
  [ ! -e "$place" ] || [ -w "$place" ] || cannot "$place"
done

# Members that have completed before do not run again: what does, and why. While jobs of this folder run or wait there is nothing to submit.
# Where Node.js is missing or too old for the runtime, the jobs say so.
if [[ (-d run/status || -e run/jobs.tsv) && ${SIMWRIGHT_WHY-1} != 0 && $(node --version 2>/dev/null) =~ ^v([0-9]+)\.([0-9]+) ]] &&
  ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] >= 2019)); then
  SIMWRIGHT_FORCE=$force node runtime/simwright.mjs why >&2 || (($? != 3)) || exit 1
fi

# Jobs run one after the other; an id is that of the script's process.
worst=0 script_pid='' stopped='' interrupted=''
declare -A result=()
stop() {
  stopped=$1 interrupted=1
  # Bash starts background processes with INT ignored, so TERM goes to the job.
  [ -z "$script_pid" ] || kill -s TERM "$script_pid" 2>/dev/null || true
}
trap 'stop TERM' TERM
trap 'stop INT' INT
submit() { # NAME SCRIPT [JOB:EVENT...]
  local name=$1 script=$2 log code need
  shift 2
  for need in "$@"; do
    code=${result[${need%:*}]}
    case ${need##*:} in
      completed) [ "$code" = 0 ] ;;
      failed) [ "$code" != 0 ] && [ "$code" != skipped ] ;;
      *) [ "$code" != skipped ] ;;
    esac || {
      echo "submit.sh: $name does not run, since it needs ${need%:*} to be ${need##*:}" >&2
      result[$name]=skipped
      return
    }
  done
  log=logs/$name.out
  # What earlier runs have said stays.
  printf -- '--- %s, %(%F %T)T\n' "$name" -1 >>"$log"
  bash "$script" >>"$log" 2>&1 &
  script_pid=$!
  printf '%s\t%s\n' "$name" "$script_pid" | tee -a run/jobs.tsv
  [ -z "$stopped" ] || stop "$stopped"
  # A signal ends wait before its process has ended.
  while true; do
    interrupted='' code=0
    wait "$script_pid" || code=$?
    [ -n "$interrupted" ] || break
  done
  script_pid=''
  [ -z "$stopped" ] || exit $((128 + $(kill -l "$stopped")))
  result[$name]=$code
  ((code <= worst)) || worst=$code
}

submit wall-model jobs/wall-model.sh
exit "$worst"
