#!/usr/bin/env bash
# check_symbols.sh LIBRARY: everything that the shared library exports carries
# the project's prefix, so that it collides with no other library in a backend.

set -u
library=${1:?usage: check_symbols.sh LIBRARY}

exported=$(nm -D --defined-only "$library") || exit 1
if ! printf '%s\n' "$exported" | grep -q ' Pg_magic_func$'; then
	echo "$library is not a module of PostgreSQL"
	exit 1
fi
foreign=$(printf '%s\n' "$exported" | awk '{ print $3 }' |
	grep -vE '^(grove_[a-z0-9_]+|grovepg_[a-z0-9_]+|pg_finfo_grove_[a-z0-9_]+|Pg_magic_func|_PG_init)$')
if [ -n "$foreign" ]; then
	echo "exported without a prefix grove_ or grovepg_:"
	printf '  %s\n' $foreign
	exit 1
fi
