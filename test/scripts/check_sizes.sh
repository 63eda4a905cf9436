#!/usr/bin/env bash
# check_sizes.sh: files and functions stay readable.
#
# A .c file has about 400 lines and a function about 60; more is printed.  600
# and 100 (250 for a header) are the limits: more fails.  A function is counted
# from the brace in the first column to its partner.

set -u
cd "$(dirname "$0")/../.." || exit 1

find src test demo -name '*.[ch]' | sort | xargs awk '
	function judge(what, n, soft, hard)
	{
		if (n > hard)
		{
			print what " has " n " lines, the limit is " hard
			failed = 1
		}
		else if (n > soft)
			print "  long: " what ", " n " lines"
	}
	function judge_file()
	{
		if (file ~ /\.h$/)
			judge(file, lines, 150, 250)
		else if (file != "")
			judge(file, lines, 400, 600)
	}
	FNR == 1 { judge_file(); file = FILENAME; start = 0 }
	{ lines = FNR }
	/^[a-z_][a-zA-Z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name) }
	/^\{/ { start = FNR }
	/^\}/ { if (start) judge(file ": " name "()", FNR - start + 1, 60, 100); start = 0 }
	END { judge_file(); exit failed }'
