#!/bin/bash
# Submits the jobs of experiment wall-model.
# Made by simwright x.y.z from workflow.ts for site lsf.
#
# usage: submit.sh [--fresh | --keep] [--force] [--retry N]
#   --fresh    run everything again, completed members included
#   --keep     accept completed members as they are, whatever has changed
#   --force    submit though jobs of this folder run or wait
#   --retry N  start a member that fails up to N times more
# Prints NAME<TAB>JOBID for each job, and appends it to run/jobs.tsv.
# All or nothing: when the scheduler refuses a job, those before it are cancelled, and the exit code is 3.
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

# Inside another job what is said of that one is not for these.
if [ -n "${LSB_JOBID-}" ]; then
  unset "${!LSB_JOB@}" "${!LSB_DJOB_@}" "${!LSB_BIND_@}" LSB_AFFINITY_HOSTFILE LSB_HOSTS LSB_MCPU_HOSTS \
    CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES
fi

# The last value that a script's directives give to an option, without its quotes.
directive_of() { # SCRIPT SENTINEL OPTION
  sed -n "s/^$2[[:blank:]]\{1,\}$3[=[:blank:]]\{1,\}//p" "$1" | tail -n 1 | sed 's/^"\(.*\)"$/\1/'
}

# Members that have completed before do not run again: what does, and why. While jobs of this folder run or wait there is nothing to submit.
# Where Node.js is missing or too old for the runtime, the jobs say so.
if [[ (-d run/status || -e run/jobs.tsv) && ${SIMWRIGHT_WHY-1} != 0 && $(node --version 2>/dev/null) =~ ^v([0-9]+)\.([0-9]+) ]] &&
  ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] >= 2019)); then
  SIMWRIGHT_FORCE=$force node runtime/simwright.mjs why >&2 || (($? != 3)) || exit 1
fi

# Descendants of OpenLava know no -ti, and no units of memory. There a job waits for others to end, and sees itself how they have ended: one
# whose condition can never be met would wait for ever.
kin=''
[[ ! $(lsid 2>/dev/null) =~ [Oo]pen[Ll]ava|[Vv]olclava ]] || kin=1
script_of() {
  if [ -n "$kin" ]; then sed -E '/^#BSUB /s/(mem=[0-9]+)MB/\1/g' "$1"; else cat -- "$1"; fi
}
# bsub reads directives from its input only. It says: Job <123> is submitted to queue <normal>.
# Where a script hands on a part of the environment only, the variables named here are added.
submit() {
  local said word handed own=SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN options=()
  handed=$(directive_of "${!#}" '#BSUB' -env)
  case ${handed,,} in
    '' | all | all,*) ;;
    none) options=(-env "$own${SIMWRIGHT_ARRAY_INDEX+,SIMWRIGHT_ARRAY_INDEX}") ;;
    *) options=(-env "$handed,$own${SIMWRIGHT_ARRAY_INDEX+,SIMWRIGHT_ARRAY_INDEX}") ;;
  esac
  for word in "${@:1:$#-1}"; do
    if [ -n "$kin" ]; then
      [ "$word" != -ti ] || continue
      word=${word//done\(/ended(} word=${word//exit\(/ended(}
    fi
    options+=("$word")
  done
  said=$(bsub ${options[@]+"${options[@]}"} < <(script_of "${!#}"))
  [[ $said =~ Job\ \<([0-9]+)\> ]] || { [ -z "$said" ] || echo "submit.sh: bsub said: $said" >&2; return 1; }
  echo "${BASH_REMATCH[1]}"
}

submitted=() stopped='' # rows of run/jobs.tsv; the exit code that a signal asks for
record() { # NAME ID
  submitted+=("$1"$'\t'"$2")
  printf '%s\t%s\n' "$1" "$2" | tee -a run/jobs.tsv
  [ -z "$stopped" ] || exit "$stopped"
}
refused() { # NAME
  [ -n "$stopped" ] || echo "submit.sh: job $1 was refused" >&2
  exit "${stopped:-3}"
}
take_back() {
  local ids=("${submitted[@]##*$'\t'}")
  ((${#ids[@]} > 0)) || return 0
  if bkill "${ids[@]}" >&2; then
    { grep -vxF -f <(printf '%s\n' "${submitted[@]}") run/jobs.tsv || true; } >run/jobs.tsv.part
    mv run/jobs.tsv.part run/jobs.tsv
    echo "submit.sh: cancelled what had been submitted: ${ids[*]}" >&2
  else
    echo "submit.sh: submitted, and could not be cancelled: ${ids[*]}" >&2
  fi
}
trap take_back EXIT
# At a signal the submission under way is waited for: its id is needed.
trap 'stopped=130' INT
trap 'stopped=143' TERM HUP

job1=$(submit jobs/wall-model.lsf) || refused wall-model
record wall-model "$job1"
trap - EXIT INT TERM HUP
