#!/usr/bin/env bash
# run_fuzz.sh [TARGET] [SECONDS]: feeds test/fuzz/fuzz_TARGET.c, or each of them in
# turn, with inputs that libFuzzer makes from those in test/fuzz/corpus/TARGET.
# Needs clang with its run-time library.  An input that fails is left in the
# current directory under the name that libFuzzer prints.

set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
target=${1:-}
seconds=${2:-60}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CLANG:-clang}

if ! printf '#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { (void) d; return (int) (n - n); }\n' |
	$cc -fsanitize=fuzzer -x c -o "$out/probe" - 2>/dev/null; then
	echo "run_fuzz.sh: needs clang with libFuzzer (packages clang and libclang-rt-dev)" >&2
	exit 1
fi
status=0
for source in "$root"/test/fuzz/fuzz_"${target:-*}".c; do
	[ -f "$source" ] || { echo "run_fuzz.sh: no $source" >&2; exit 1; }
	name=$(basename "$source" .c)
	corpus=$root/test/fuzz/corpus/${name#fuzz_}
	mkdir -p "$out/new"
	[ -d "$corpus" ] || corpus=
	$cc -std=c11 -g -O1 -ffp-contract=off -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DGROVE_ARENA_GUARDS \
		-I"$root/src/core" -o "$out/$name" "$source" "$root"/src/core/*.c -lm || exit 1
	echo "$name: $seconds seconds"
	"$out/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		"$out/new" ${corpus:+"$corpus"} || status=1
	rm -rf "$out/new"
done
exit "$status"
