#!/usr/bin/env bash
# Quality of models over many draws of a table (make bench-quality).  Options: --help.
set -u
. "$(dirname "$0")/lib.sh"
bench_main bench_quality.py "$@"
