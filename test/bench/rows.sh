#!/usr/bin/env bash
# Shuffling and sampling against plain SQL (make bench-rows).  Options: --help.
set -u
. "$(dirname "$0")/lib.sh"
bench_main bench_rows.py "$@"
