#!/usr/bin/env bash
# Pruned training sets next to whole ones (make bench-prune).  Options: --help.
set -u
. "$(dirname "$0")/lib.sh"
bench_main bench_prune.py "$@"
