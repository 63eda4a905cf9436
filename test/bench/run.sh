#!/usr/bin/env bash
# Table to model: ours and its peers (make bench).  Options: --help.
set -u
. "$(dirname "$0")/lib.sh"
bench_main bench_train.py "$@"
