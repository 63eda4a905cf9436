#!/usr/bin/env bash
# Prediction in SQL against libraries, round trip and CASE (make bench-predict).  Options: --help.
set -u
. "$(dirname "$0")/lib.sh"
bench_main bench_predict.py "$@"
