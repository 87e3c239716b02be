#!/bin/bash
# Submits the jobs of experiment cavity.
# Made by simwright x.y.z from workflow.ts for site slurm.
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

# Inside another job (salloc, srun) what is said of that one is not for these.
if [ -n "${SLURM_JOB_ID-}" ]; then
  for variable in "${!SLURM_@}" CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL ZE_AFFINITY_MASK; do
    case $variable in
      SLURM_CONF | SLURM_CONF_SERVER | SLURM_JWT | SLURM_CLUSTERS | SLURM_MPI_TYPE | SLURM_TIME_FORMAT) ;;
      *) unset "$variable" ;;
    esac
  done
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

# --parsable prints ID or ID;CLUSTER. Where the environment is not to be handed on, the variables named here are.
submit() {
  local handed=${SBATCH_EXPORT-} own=SIMWRIGHT_FRESH,SIMWRIGHT_KEEP,SIMWRIGHT_RETRY,SIMWRIGHT_RUN options=() log=''
  own+=${SIMWRIGHT_ARRAY_INDEX+,SIMWRIGHT_ARRAY_INDEX}
  [ -n "$handed" ] || handed=$(directive_of "${!#}" '#SBATCH' --export)
  case ,${handed^^}, in
    ,, | *,ALL,*) ;;
    ,NONE, | ,NIL,) options=("--export=$own") ;;
    *) options=("--export=$handed,$own") ;;
  esac
  # Slurm fills in %j and the like in this folder's path too: where it has a %, the log is named as a whole.
  [[ $PWD != *%* ]] || log=$(directive_of "${!#}" '#SBATCH' --output)
  [[ $log != logs/* ]] || options+=("--output=${PWD//%/%%}/$log")
  sbatch --parsable ${options[@]+"${options[@]}"} "$@" | cut -d ';' -f 1
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
  if scancel "${ids[@]}" >&2; then
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

job1=$(submit jobs/cavity.sbatch) || refused cavity
record cavity "$job1"
trap - EXIT INT TERM HUP
