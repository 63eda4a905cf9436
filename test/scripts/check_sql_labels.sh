#!/usr/bin/env bash
# check_sql_labels.sh: each CREATE FUNCTION of the install script says its
# volatility and its parallel label, each CREATE AGGREGATE its parallel label:
# a default that nobody chose is not distinguishable from one that was meant.

set -u
cd "$(dirname "$0")/../.." || exit 1

for file in sql/install/*.sql; do
	case $file in
		*/pg_grove--*) continue ;;
	esac
	awk -v file="$file" '
		function judge()
		{
			name = statement
			sub(/^[^(]*(FUNCTION|AGGREGATE|PROCEDURE)[ \t]+/, "", name)
			sub(/\(.*/, "", name)
			if (statement ~ /^CREATE (OR REPLACE )?FUNCTION/)
			{
				if (statement !~ /[ \t](IMMUTABLE|STABLE|VOLATILE)[ \t;]/)
					print file ": function " name " does not say its volatility"
				if (statement !~ /[ \t]PARALLEL (SAFE|RESTRICTED|UNSAFE)[ \t;]/)
					print file ": function " name " does not say its parallel label"
			}
			if (statement ~ /^CREATE (OR REPLACE )?AGGREGATE/ && statement !~ /PARALLEL *= *(SAFE|RESTRICTED|UNSAFE)/)
				print file ": aggregate " name " does not say its parallel label"
		}
		{ sub(/--.*/, "") }
		/^CREATE / { statement = "" ; inside = 1 }
		inside { statement = statement " " $0 ; sub(/^ /, "", statement) }
		inside && /;[ \t]*$/ { judge(); inside = 0 }
	' "$file"
done | { ! grep .; }
