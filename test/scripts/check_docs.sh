#!/usr/bin/env bash
# check_docs.sh: docs/parameters.md is what src/core/params.def makes, and the
# links of the documentation lead to files that exist; src/README.md names each
# source file, and none that is gone; README.md has each setting.

set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

CC=${CC:-gcc} test/scripts/gen_params_doc.sh --check || status=1

for file in *.md docs/*.md src/*.md test/*.md demo/data/*.md; do
	[ -f "$file" ] || continue
	while IFS= read -r target; do
		if [ ! -e "$(dirname "$file")/$target" ]; then
			echo "$file: no file \"$target\""
			status=1
		fi
	done < <(grep -oE '\]\([^)#: ]+' "$file" | sed 's/^](//')
done

for file in src/core/*.[ch] src/core/*.def src/pg/*.[ch]; do
	if ! grep -qF "\`$(basename "$file")\`" src/README.md; then
		echo "src/README.md: does not name $file"
		status=1
	fi
done
for name in $(grep -oE '`[a-z0-9_]+\.(c|h|def)`' src/README.md | tr -d '`' | sort -u); do
	if [ ! -f "src/core/$name" ] && [ ! -f "src/pg/$name" ]; then
		echo "src/README.md: no source file $name"
		status=1
	fi
done

settings=$(grep -ohE '"grove\.[a-z_]+",$' src/pg/*.c | tr -d '",')
[ -n "$settings" ] || { echo "no settings found in src/pg"; status=1; }
for name in $settings; do
	if ! grep -qF "| \`$name\` |" README.md; then
		echo "README.md: no setting $name"
		status=1
	fi
done
exit "$status"
