#!/usr/bin/env bash
# Runs models and scripts of every kind on GPUs, in five minutes at most. Where there is no GPU, devices are mapped to the CPU, and the
# last line says so.
# usage: test/gpu.sh [PYTHON]     after `npm run build`; PYTHON (default: $SIMWRIGHT_PYTHON, else python3) has torch, and onnxruntime
# for ONNX models on GPUs that npm's ONNX Runtime does not know
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:-${SIMWRIGHT_PYTHON:-python3}}

[ -e dist/cli/main.js ] || {
  echo 'dist/ is not there: npm run build' >&2
  exit 2
}
! command -v nvidia-smi >/dev/null || nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
exec timeout --kill-after=10 300 node test/gpu/checks.mjs "$python"
