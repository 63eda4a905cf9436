#!/usr/bin/env bash
# check_docs.sh: docs/parameters.md is what src/core/params.def makes, and the
# links of the documentation lead to files that exist.

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
exit "$status"
