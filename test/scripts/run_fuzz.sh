#!/usr/bin/env bash
# run_fuzz.sh [TARGET] [SECONDS]: feeds test/fuzz/fuzz_TARGET.c, or each of them, two
# at a time, with inputs that libFuzzer makes from those in
# test/fuzz/corpus/TARGET, under the address and undefined-behaviour sanitizers.
# FUZZ_SECONDS (60) is the time of each when none is given.
#
# Prints "ok - fuzz TARGET: ..." or "not ok - ..." with the end of what libFuzzer
# said.  An input that fails is left in FUZZ_FINDINGS, or in a new directory that
# the line names.  When FUZZ_KEEP names a directory, new inputs are kept in
# FUZZ_KEEP/TARGET.  Needs clang with its run-time library, else all is skipped.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/fuzz_targets.sh
wanted=${1:-}
seconds=${2:-${FUZZ_SECONDS:-60}}
out=$(mktemp -d) || exit 1
findings=${FUZZ_FINDINGS:-$(mktemp -d)} || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CLANG:-clang}
checks="-fno-sanitize-recover=undefined -std=c11 -g -O1 -ffp-contract=off -DGROVE_ARENA_GUARDS"
# libFuzzer does not follow the comparisons of the core: it trains twice as many models without
# shellcheck disable=SC2034
fuzz_core_flags="-O2 -fno-sanitize-coverage=trace-cmp"

if ! printf '#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { (void) d; return (int) (n - n); }\n' |
	$cc -fsanitize=fuzzer -x c -o "$out/probe" - 2>/dev/null; then
	echo "ok - fuzz targets # SKIP needs clang with libFuzzer (packages clang and libclang-rt-dev)"
	exit 0
fi
names=$(fuzz_names "$wanted")
[ -n "$names" ] || { echo "not ok - there is no target $wanted"; exit 1; }
# shellcheck disable=SC2086
fuzz_compile "$out" $cc -fsanitize=fuzzer-no-link,address,undefined $checks || { echo "not ok - fuzz targets compile"; exit 1; }

# run_target NAME: its lines into $out/NAME.result
run_target()
{
	local name=$1 log=$out/$1.log keep=${FUZZ_KEEP:-$out/new}/$1 corpus=$fuzz_root/test/fuzz/corpus/$1
	local why dictionary=$fuzz_root/test/fuzz/$1.dict

	why=$(fuzz_missing "$name")
	if [ -n "$why" ]; then
		echo "ok - fuzz $name # SKIP $why"
		return
	fi
	# shellcheck disable=SC2086
	fuzz_link "$out" "$name" "$out/fuzz_$name" "" $cc -fsanitize=fuzzer,address,undefined $checks ||
		{ echo "not ok - fuzz $name compiles"; return; }
	mkdir -p "$keep" "$findings"
	set -- "$keep" "$corpus"
	if [ -f "$dictionary" ]; then
		set -- "-dict=$dictionary" "$@"
	fi
	if "$out/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$findings/$name-" "$@" >"$log" 2>&1; then
		echo "ok - fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, $(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "$log") edges covered"
	else
		tail -n 60 "$log"
		echo "not ok - fuzz $name: see $findings"
	fi
}

status=0
# shellcheck disable=SC2086
set -- $names
while [ "$#" -gt 0 ]; do
	for name in "$1" "${2:-}"; do
		[ -z "$name" ] || run_target "$name" >"$out/$name.result" 2>&1 &
	done
	wait
	for name in "$1" "${2:-}"; do
		[ -n "$name" ] || continue
		cat "$out/$name.result"
		grep -q '^ok ' "$out/$name.result" || status=1
	done
	shift
	[ "$#" -eq 0 ] || shift
done
rmdir "$findings" 2>/dev/null	# when it is empty
exit "$status"
