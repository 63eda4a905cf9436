#!/usr/bin/env bash
# check_clones.sh: the core with and without functions for wider vectors
# (src/core/clones.h) trains the same models, bit for bit.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CC:-gcc}

# digests NAME FLAG...: of the models that a core built with these flags trains
digests()
{
	local name=$1 sources=("$root"/src/core/*.c "$root"/test/unit/engine_*.c "$root"/test/scripts/digest_models.c)

	shift
	# as the Makefile compiles the core
	$cc -std=gnu11 -O3 -ffp-contract=off -fno-trapping-math "$@" -I"$root/src/core" -I"$root/test/unit" \
		-o "$out/$name" "${sources[@]}" -lm && "$out/$name" >"$out/$name.txt"
}

digests dispatched || exit
digests baseline -DGROVE_NO_CLONES || exit
if ! cmp -s "$out/dispatched.txt" "$out/baseline.txt"; then
	echo "models differ:"
	diff "$out/dispatched.txt" "$out/baseline.txt" | head
	exit 1
fi
echo "$(wc -l <"$out/baseline.txt") models are the same; $(grep -c arch_x86_64 <(nm "$out/dispatched")) functions were dispatched"
