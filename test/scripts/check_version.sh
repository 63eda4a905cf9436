#!/usr/bin/env bash
# check_version.sh: pg_grove.control says the version; META.json and the first
# entry of CHANGELOG.md agree with it.

set -u
cd "$(dirname "$0")/../.." || exit 1
status=0

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" pg_grove.control)
case $version in
	[0-9]*.[0-9]*.[0-9]*) ;;
	*)
		echo "pg_grove.control: \"$version\" is not a version"
		exit 1
		;;
esac

for found in $(sed -n 's/^.*"version": *"\(.*\)".*$/\1/p' META.json | grep -v '^1\.0\.0$' | sort -u); do
	if [ "$found" != "$version" ]; then
		echo "META.json: version \"$found\", pg_grove.control: \"$version\""
		status=1
	fi
done
if [ "$(grep -c "\"version\": *\"$version\"" META.json)" -ne 2 ]; then
	echo "META.json: the distribution and the extension need version \"$version\""
	status=1
fi
found=$(sed -n 's/^## \([^ ]*\).*/\1/p' CHANGELOG.md | head -n 1)
if [ "$found" != "$version" ]; then
	echo "CHANGELOG.md: first entry \"$found\", pg_grove.control: \"$version\""
	status=1
fi
exit "$status"
