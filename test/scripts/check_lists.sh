#!/usr/bin/env bash
# check_lists.sh: nothing is left out of the lists that the build makes.
#
# - every sql/*.sql has its expected/*.out and the reverse (expected/x_1.out is
#   a second answer of x); the same for test/isolation;
# - every part of the install script in the Makefile exists, and every file in
#   sql/install is a part;
# - no two C files have the same name;
# - every core file with a header for others has a unit test: test_<file>.c, or
#   one that includes its header, directly or through another.

set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

bad()
{
	printf '%s\n' "$*"
	status=1
}

# pairs INPUTS SUFFIX EXPECTED
pairs()
{
	local file name

	for file in "$1"/*."$2"; do
		[ -e "$file" ] || continue
		name=$(basename "$file" ".$2")
		[ -f "$3/$name.out" ] || bad "$file has no $3/$name.out"
	done
	for file in "$3"/*.out; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .out)
		[ -f "$1/$name.$2" ] || [ -f "$1/${name%_[0-9]}.$2" ] || bad "$file has no $1/$name.$2"
	done
}

pairs sql sql expected
pairs test/isolation/specs spec test/isolation/expected

parts=$(sed -n 's/^SQL_PARTS *= *//p' Makefile)
[ -n "$parts" ] || bad "Makefile: no SQL_PARTS"
for part in $parts; do
	[ -f "sql/install/$part.sql" ] || bad "Makefile: sql/install/$part.sql does not exist"
done
for file in sql/install/*.sql; do
	name=$(basename "$file" .sql)
	case $name in
		pg_grove--*) continue ;;
	esac
	case " $parts " in
		*" $name "*) ;;
		*) bad "$file is in no SQL_PARTS" ;;
	esac
done

while IFS= read -r name; do
	bad "two files are named $name"
done < <(find src test -name '*.[ch]' -exec basename {} \; | sort | uniq -d)

reached=$(${CC:-gcc} -MM -Isrc/core -Itest/unit test/unit/*.c) || bad "the unit tests do not preprocess"
for file in src/core/*.h; do
	name=$(basename "$file")
	[ -f "src/core/${name%.h}.c" ] && [ ! -f "test/unit/test_${name%.h}.c" ] || continue
	# What only .c files of the core share is tested through them.
	grep -qs "\"\(\.\./core/\)\?$name\"" src/core/*.h src/pg/* || continue
	grep -q "/$name\b" <<<"$reached" || bad "$file: no unit test includes it and there is no test/unit/test_${name%.h}.c"
done
exit "$status"
