#!/usr/bin/env bash
# fetch.sh [URL [DIRECTORY]]: downloads the Online Shoppers data from its
# publisher, checks that it is the table that the demo knows, and stores it
# beside this file, or in the directory.  Licence and citation: README.md.

set -eu
url=${1:-https://archive.ics.uci.edu/static/public/468/data.csv}
here=${2:-$(cd "$(dirname "$0")" && pwd -P)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if command -v curl >/dev/null 2>&1; then
	curl -fsSL --connect-timeout 10 --max-time 120 -o "$work/data.csv" "$url"
elif command -v python3 >/dev/null 2>&1; then
	python3 -c '
import sys, urllib.request
try:
    urllib.request.urlretrieve(sys.argv[1], sys.argv[2])
except OSError as error:
    sys.exit("fetch.sh: %s" % error)
' "$url" "$work/data.csv"
elif command -v wget >/dev/null 2>&1; then
	wget -q -t 1 -T 20 -O "$work/data.csv" "$url"
else
	echo "fetch.sh: needs curl, wget or python3" >&2
	exit 1
fi

facts=$(tr -d '\r' <"$work/data.csv" | awk -F, '
	NR == 1 { next }
	NF != 18 { exit }
	{ rows++ }
	tolower($18) == "true" { bought++ }
	END { print rows + 0, bought + 0 }')
if [ "$facts" != "12330 1908" ]; then
	echo "fetch.sh: not the expected table: rows and purchases are \"$facts\", not \"12330 1908\"" >&2
	exit 1
fi
gzip -9nc "$work/data.csv" >"$work/data.csv.gz"
mv "$work/data.csv.gz" "$here/online_shoppers.csv.gz"
chmod 644 "$here/online_shoppers.csv.gz"
echo "stored $here/online_shoppers.csv.gz: 12330 sessions, 1908 purchases"
