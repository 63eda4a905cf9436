#!/usr/bin/env bash
# check_clones.sh: the core with functions for wider vectors, of which the
# loader takes what the machine has (src/core/clones.h), trains the same models
# as the core without them, bit for bit; so does a core that is compiled for
# wider vectors as a whole, for each kind that this machine runs.  One line a
# comparison.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd -P)
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CC:-gcc}
status=0

# build NAME FLAG...
build()
{
	local name=$1 sources=("$root"/src/core/*.c "$root"/test/unit/engine_*.c "$root"/test/scripts/digest_models.c)

	shift
	# as the Makefile compiles the core
	$cc -std=gnu11 -O3 -ffp-contract=off -fno-trapping-math "$@" -I"$root/src/core" -I"$root/test/unit" \
		-o "$out/$name" "${sources[@]}" -lm
}

# runs_here LEVEL: whether the machine has what x86-64-v3 or -v4 stands for
runs_here()
{
	printf 'int main(void) { return !__builtin_cpu_supports("x86-64-%s"); }\n' "$1" |
		$cc -x c -o "$out/probe" - 2>/dev/null && "$out/probe"
}

# compare NAME WHAT: the models of this core with those of the baseline
compare()
{
	if "$out/$1" >"$out/$1.txt" && cmp -s "$out/$1.txt" "$out/baseline.txt"; then
		echo "ok - $(wc -l <"$out/baseline.txt") models are the same, $2"
	else
		echo "not ok - the models are the same, $2"
		diff "$out/$1.txt" "$out/baseline.txt" | head
		status=1
	fi
}

if ! build baseline -DGROVE_NO_CLONES || ! "$out/baseline" >"$out/baseline.txt" || [ ! -s "$out/baseline.txt" ]; then
	echo "not ok - a core without functions for wider vectors trains"
	exit 1
fi
if ! build dispatched; then
	echo "not ok - a core with functions for wider vectors compiles"
	status=1
elif ! functions=$(nm "$out/dispatched" | grep -c arch_x86_64) || ! runs_here v3; then
	echo "ok - functions for wider vectors # SKIP $functions were compiled, this machine takes none"
else
	compare dispatched "$functions functions dispatched"
fi
for level in v3 v4; do
	if ! runs_here $level; then
		echo "ok - all for x86-64-$level # SKIP this machine or compiler does not have it"
	elif build $level -DGROVE_NO_CLONES -march=x86-64-$level; then
		compare $level "all for x86-64-$level"
	else
		echo "not ok - a core for x86-64-$level compiles"
		status=1
	fi
done
exit $status
