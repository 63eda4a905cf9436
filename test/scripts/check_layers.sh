#!/usr/bin/env bash
# check_layers.sh: the core stays free of the server.
#
# - src/core includes its own headers and headers of C11, nothing else;
# - each of its files compiles alone, as strict C11 without warnings;
# - its objects call no function of the C library but mathematics and memory
#   blocks, so nothing allocates, prints or reads behind the caller's back;
# - PG_VERSION_NUM is looked at in pg_compat.h only.

set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
cc=${CC:-gcc}
status=0

bad()
{
	printf '%s\n' "$*"
	status=1
}

headers='assert|complex|float|inttypes|iso646|limits|math|stdalign|stdatomic|stdbool|stddef|stdint|string|tgmath'
# The headers of vector units are the compiler's own, as stdint.h is.
headers="$headers|immintrin|arm_neon"
while IFS= read -r line; do
	bad "not a header that the core may include: $line"
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' src/core/*.[ch] src/core/*.def 2>/dev/null |
	grep -vE "<($headers)\.h>")
while IFS=: read -r file line text; do
	name=$(printf '%s\n' "$text" | sed 's/[^"]*"\([^"]*\)".*/\1/')
	[ -f "src/core/$name" ] || bad "$file:$line: \"$name\" is not a file of the core"
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' src/core/*.[ch])

for source in src/core/*.c; do
	$cc -std=c11 -pedantic -Wall -Wextra -Wdeclaration-after-statement -Werror -O2 -ffp-contract=off \
		-c -o "$out/$(basename "$source" .c).o" "$source" || bad "$source does not compile alone"
done

if compgen -G "$out/*.o" >/dev/null; then
	allowed='mem(chr|cmp|cpy|move|set)|str(len|cmp|ncmp|chr)'
	allowed="$allowed|(log|log2|log10|log1p|exp|exp2|expm1|pow|sqrt|fabs|floor|ceil|trunc|rint|nearbyint|round|fmod|frexp|ldexp|scalbn|ilogb|lround|llround|lrint|llrint|tanh|sin|cos|lgamma|tgamma|erfc?|atan|nextafter|copysign|hypot|cbrt|fmin|fmax|fma)[fl]?"
	allowed="$allowed|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__(cpu|cpu_features)[a-z0-9_]*|__popcountdi2|__assert_fail"
	nm -u "$out"/*.o | awk '$1 == "U" { print $2 }' | sort -u >"$out/needed"
	nm -g --defined-only "$out"/*.o | awk 'NF == 3 { print $3 }' | sort -u >"$out/defined"
	while IFS= read -r symbol; do
		bad "the core calls $symbol()"
	done < <(comm -23 "$out/needed" "$out/defined" | grep -vE "^($allowed)$")
fi

while IFS= read -r file; do
	bad "$file: PG_VERSION_NUM belongs into src/pg/pg_compat.h"
done < <(grep -lr PG_VERSION_NUM src --include='*.c' --include='*.h' | grep -v '^src/pg/pg_compat\.h$')

exit "$status"
