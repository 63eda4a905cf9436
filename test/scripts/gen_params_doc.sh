#!/bin/sh
# Writes docs/parameters.md from src/core/params.def; --check only tells
# (exit status 1) whether the file is current.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

${CC:-cc} -std=c11 -Wall -Wextra -o "$scratch/params_doc" \
	"$root/test/scripts/params_doc.c" "$root/src/core/params.c" -lm
"$scratch/params_doc" > "$scratch/parameters.md"

case "${1:-}" in
	--check)
		if ! cmp -s "$scratch/parameters.md" "$root/docs/parameters.md"; then
			echo "docs/parameters.md is not current: run test/scripts/gen_params_doc.sh" >&2
			exit 1
		fi
		;;
	'')
		mv "$scratch/parameters.md" "$root/docs/parameters.md"
		chmod 644 "$root/docs/parameters.md"
		;;
	*)
		echo "usage: $0 [--check]" >&2
		exit 2
		;;
esac
