# shellcheck shell=bash
# fuzz_targets.sh: how the fuzz targets are built, for run_fuzz.sh and run_unit.sh.
# Sourced.
#
# fuzz_X.c is a target of the core.  fuzz_pg_X.c runs files of src/pg on
# server_shim.c and needs the server's headers and libraries, which pg_config
# (PG_CONFIG) tells of.

fuzz_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# what the targets fuzz_pg_* use of src/pg
fuzz_pg_sources="agg_metric agg_ndcg agg_plan agg_ranked arguments errors import import_lightgbm metric_state tally_bytes tally_state"

# fuzz_names NAME: the target of this name; of an empty one, all
fuzz_names()
{
	find "$fuzz_root/test/fuzz" -name "fuzz_${1:-*}.c" -exec basename {} .c \; | sed 's/^fuzz_//' | sort
}

# Why this target cannot be built here; nothing when it can.
fuzz_missing()
{
	local why

	case $1 in
		pg_*) ;;
		*) return ;;
	esac
	why=$(fuzz_headers_missing)
	if [ -n "$why" ]; then
		echo "$why"
	elif [ -z "$(fuzz_library pgcommon)" ] || [ -z "$(fuzz_library pgport)" ]; then
		echo "no libpgcommon.a and libpgport.a"
	fi
}

# Why files of src/pg cannot be compiled here; nothing when they can.
fuzz_headers_missing()
{
	local config=${PG_CONFIG:-pg_config}

	if ! command -v "$config" >/dev/null 2>&1; then
		echo "no pg_config"
	elif [ ! -f "$("$config" --includedir-server)/postgres.h" ]; then
		echo "no headers of the server"
	fi
}

# Path of a library of the server.
fuzz_library()
{
	local directory

	for directory in "$("${PG_CONFIG:-pg_config}" --pkglibdir)" "$("${PG_CONFIG:-pg_config}" --libdir)"; do
		[ -f "$directory/lib$1.a" ] && echo "$directory/lib$1.a" && return
	done
}

# fuzz_compile DIRECTORY COMPILER FLAG ...: the archives core.a, kit.a and, where the server's headers are, pg.a in
# DIRECTORY; fuzz_core_flags are for the first two
fuzz_compile()
{
	local out=$1 name sources

	shift
	sources=$(cd "$fuzz_root" && echo src/core/*.c)
	# shellcheck disable=SC2086
	fuzz_archive "$out" core "$sources" "$@" ${fuzz_core_flags:-} || return
	sources=$(cd "$fuzz_root" && find test/unit test/fuzz -name '*.c' ! -name 'test_*' ! -name 'fuzz_*' ! -name replay.c ! -name server_shim.c)
	# shellcheck disable=SC2086
	fuzz_archive "$out" kit "$sources" "$@" ${fuzz_core_flags:-} || return
	if [ -z "$(fuzz_missing pg_)" ]; then
		sources=test/fuzz/server_shim.c
		for name in $fuzz_pg_sources; do
			sources="$sources src/pg/$name.c"
		done
		fuzz_archive "$out" pg "$sources" "$@" -std=gnu11 -isystem "$("${PG_CONFIG:-pg_config}" --includedir-server)" -D_GNU_SOURCE || return
	fi
}

# fuzz_archive DIRECTORY NAME SOURCES COMPILER FLAG ...: an archive that is there stays
fuzz_archive()
{
	local out=$1 name=$2 sources=$3

	shift 3
	[ ! -f "$out/$name.a" ] || return 0
	mkdir -p "$out/$name"
	# shellcheck disable=SC2016,SC2086
	printf '%s\n' $sources | (cd "$fuzz_root" && xargs -P 2 -I {} sh -c \
		'source=$1; out=$2; shift 2; exec "$@" -c -o "$out/$(basename "$source" .c).o" "$source"' \
		sh {} "$out/$name" "$@" -Isrc/core -Itest/unit) && ar rcs "$out/$name.a" "$out/$name"/*.o
}

# fuzz_link DIRECTORY TARGET OUTPUT MAIN COMPILER FLAG ...: MAIN is a file with main(), or nothing
fuzz_link()
{
	local out=$1 target=$2 output=$3 main=$4 libraries

	shift 4
	libraries="$out/kit.a $out/core.a"
	case $target in
		pg_*)
			libraries="$out/pg.a $libraries $(fuzz_library pgcommon) $(fuzz_library pgport)"
			set -- "$@" -std=gnu11 -isystem "$("${PG_CONFIG:-pg_config}" --includedir-server)" -D_GNU_SOURCE
			;;
	esac
	# shellcheck disable=SC2086
	(cd "$fuzz_root" && "$@" -Isrc/core -Itest/unit -o "$output" "test/fuzz/fuzz_$target.c" $main $libraries -lm)
}
