#!/bin/bash
# Submits the jobs of experiment cavity.
# Made by simwright 0.1.0 from workflow.ts for site pbs.
#
# usage: submit.sh [--fresh] [--retry N]
#   --fresh    run everything again, completed members included
#   --retry N  start a member that fails up to N times more
# Prints NAME<TAB>JOBID for each job, and appends it to run/jobs.tsv.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
[ -e plan.json ] || { echo "plan.json is not in $PWD" >&2; exit 2; }

usage() { sed -n '/^# usage/,/^set /{/^set /d;s/^# \{0,1\}//;p;}' submit.sh; }
# All jobs of one submission know each other by SIMWRIGHT_RUN.
export SIMWRIGHT_FRESH='' SIMWRIGHT_RETRY=0 SIMWRIGHT_RUN
SIMWRIGHT_RUN=$(date +%s)-$$
unset SIMWRIGHT_ARRAY_INDEX
while (($# > 0)); do
  case $1 in
    --fresh) SIMWRIGHT_FRESH=1 ;;
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
mkdir -p run

# PBS starts a job with a bare environment, but for the variables named here.
submit() { qsub -v "SIMWRIGHT_FRESH,SIMWRIGHT_RETRY,SIMWRIGHT_RUN${SIMWRIGHT_ARRAY_INDEX+,SIMWRIGHT_ARRAY_INDEX}" "$@"; }

job1=$(submit jobs/cavity.pbs)
printf '%s\t%s\n' cavity "$job1" | tee -a run/jobs.tsv
