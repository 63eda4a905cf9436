#!/usr/bin/env bash
# check_examples.sh PSQL: the SQL in the documentation runs as it is printed.
#
# A block of ```sql behind a line "<!-- runs -->" is an example.  The examples
# of one file run in order, in one session of a database of its own, and the
# first error ends the file.  In README.md a block that does not run must say
# why: "<!-- does not run: reason -->".  One line a block is printed.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${1:?usage: check_examples.sh PSQL}
. test/scripts/scratch_db.sh
work=$(mktemp -d) || exit 1
status=0

# Turns FILE into a psql script that announces each block.
extract()
{
	awk -v file="$1" '
		/^<!-- runs -->$/ { wanted = 1; next }
		/^<!-- does not run: ..*-->$/ { excused = 1; next }
		/^```sql$/ && wanted { inside = 1; first = NR; next }
		/^```$/ && inside { printf "\\echo @ok - %s:%d\n", file, first; inside = 0; wanted = 0; next }
		/^```sql$/ && !excused && file == "README.md" {
			printf "\\echo @not ok - %s:%d says neither that it runs nor why it does not\n", file, NR
		}
		inside { print; next }
		/./ { wanted = 0; excused = 0 }
	' "$1"
}

for file in README.md docs/*.md; do
	extract "$file" >"$work/script.sql"
	[ -s "$work/script.sql" ] || continue
	scratch_db grove_examples
	if "$PSQL" -X -v ON_ERROR_STOP=1 -P pager=off -f "$work/script.sql" </dev/null >"$work/out" 2>&1; then
		sed -n 's/^@//p' "$work/out"
	else
		sed -n 's/^@//p' "$work/out"
		sed 's/^@.*//' "$work/out" | tail -n 20
		echo "not ok - the example of $file after these"
	fi
	if grep -q '^@not ok' "$work/out"; then
		status=1
	fi
done
rm -rf "$work"
exit "$status"
