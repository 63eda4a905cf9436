# setup.sh: from a bare Debian or Ubuntu machine to an installed extension.
#
# Sourced by demo/run.sh, test/run.sh and the developer targets, which call
#
#   setup_begin         environment, scratch directory, clean-up at exit
#   setup_packages      by apt, and only what is missing
#   setup_build         compile a copy of the sources in the scratch directory
#   setup_install       "make install", as root or through sudo
#   setup_private_pg    instead of setup_install: a private copy of the server
#
# Nothing is ever written into the source tree: the build happens in a copy,
# so a run by root leaves no files that a later run of another user trips over,
# and objects that somebody else compiled are not used.
#
# Settings of the caller: PG_CONFIG chooses the server; GROVE_TMP the directory
# for scratch files (short, since a socket lives below it; default /tmp).
# Provides: GROVE_ROOT, GROVE_WORK, GROVE_BUILD, PG_CONFIG, PG_BINDIR.

GROVE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

say()
{
	printf '%s\n' "$*"
}

# Says what is wrong, and fails: "test || complain why || return".
complain()
{
	printf '%s\n' "pg_grove: $*" >&2
	return 1
}

# Run as root: directly, or through sudo, which may ask for a password only
# where there is somebody to answer (GROVE_SUDO, set by setup_begin).
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif ! command -v sudo >/dev/null 2>&1; then
		printf '%s\n' "pg_grove: neither root nor sudo, cannot run: $*" >&2
		return 1
	else
		$GROVE_SUDO "$@"
	fi
}

can_be_root()
{
	[ "$(id -u)" -eq 0 ] && return 0
	command -v sudo >/dev/null 2>&1 || return 1
	[ "$GROVE_SUDO" = sudo ] || sudo -n true 2>/dev/null
}

# A command that a signal may interrupt: bash runs a trap only after a
# foreground child has ended, but at once while it waits for a background one.
# The child reads the caller's standard input.
run_waiting()
{
	local status

	"$@" <&0 &
	GROVE_CHILD=$!
	wait "$GROVE_CHILD"
	status=$?
	GROVE_CHILD=
	return "$status"
}

# At exit, however it comes: the caller's at_exit(), the server, the files.
setup_end()
{
	local status=$?

	trap - EXIT
	trap '' HUP INT TERM
	if [ -n "${GROVE_CHILD:-}" ]; then
		kill "$GROVE_CHILD" 2>/dev/null
	fi
	if declare -F at_exit >/dev/null; then
		at_exit
	fi
	if declare -F server_stop >/dev/null; then
		server_stop
	fi
	if [ -n "${GROVE_WORK:-}" ] && [ -z "${GROVE_KEEP:-}" ]; then
		rm -rf "$GROVE_WORK"
	fi
	exit "$status"
}

# The locale, make's and libpq's settings of the caller must not reach the
# build or the tests.  "setup_begin keep_libpq" leaves libpq's, for a server
# of the caller.
setup_begin()
{
	local name

	export LC_ALL=C
	unset LANG LANGUAGE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CDPATH GREP_OPTIONS
	if [ "${1:-}" != keep_libpq ]; then
		for name in $(compgen -e | grep '^PG'); do
			case $name in
				PG_CONFIG | PG_GROVE_*) ;;
				*) unset "$name" ;;
			esac
		done
	fi
	umask 022
	GROVE_SUDO="sudo -n"
	if [ -t 0 ]; then
		GROVE_SUDO=sudo
	fi
	# The server and psql live under /usr; sbin holds runuser.
	PATH=$PATH:/usr/sbin:/sbin
	export PATH

	GROVE_WORK=$(mktemp -d "${GROVE_TMP:-/tmp}/grove.XXXXXX") || exit 1
	trap setup_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# As root the server runs as another user, who must be able to pass.
	if [ "$(id -u)" -eq 0 ]; then
		chmod 711 "$GROVE_WORK"
	fi
	GROVE_BUILD=$GROVE_WORK/build
}

# Does this pg_config belong to a server that can be built for and started?
pg_complete()
{
	local bindir

	bindir=$("$1" --bindir 2>/dev/null) || return 1
	[ -f "$("$1" --pgxs)" ] &&
		[ -f "$("$1" --includedir-server)/postgres.h" ] &&
		[ -x "$bindir/postgres" ] && [ -x "$bindir/initdb" ] && [ -x "$bindir/psql" ]
}

# Sets PG_CONFIG to the caller's, to that in PATH, or to the newest of the
# distribution; fails when none is complete.
find_pg()
{
	local candidate

	for candidate in pg_config $(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -t/ -k5,5nr); do
		candidate=$(command -v "$candidate") || continue
		if pg_complete "$candidate"; then
			PG_CONFIG=$candidate
			return 0
		fi
	done
	return 1
}

has_compiler()
{
	printf '#include <stdio.h>\nint main(void) { return 0; }\n' |
		gcc -x c -o /dev/null - 2>/dev/null
}

# What apt says matters only when it fails.
quiet_apt()
{
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C "$@" \
		</dev/null >"$GROVE_WORK/apt.log" 2>&1 || { cat "$GROVE_WORK/apt.log"; return 1; }
}

apt_update()
{
	quiet_apt apt-get -qq -o DPkg::Lock::Timeout=120 update
}

apt_install()
{
	say "Installing by apt: $*"
	quiet_apt apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

is_installed()
{
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# The major of the server that is there, else the one of the distribution.
server_major()
{
	local newest

	newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -t/ -k5,5nr | head -n 1)
	if [ -x "$newest" ]; then
		newest=${newest#/usr/lib/postgresql/}
		printf '%s\n' "${newest%%/*}"
	else
		apt-cache depends postgresql 2>/dev/null |
			sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
	fi
}

# Debian's server package creates and starts a cluster named "main" when it is
# installed.  Nothing here needs it, so it is switched off for the time of the
# installation where no server has been before, and the setting put back
# whatever happens in between.
install_server_quietly()
{
	if ! is_installed postgresql-common; then
		apt_install postgresql-common || return 1
	fi
	say "Installing by apt: $* and what they need (a minute or more)"
	quiet_apt sh -c '
		conf=/etc/postgresql-common/createcluster.conf
		cp -p "$conf" "$conf.before" || exit 1
		trap "mv -f $conf.before $conf" EXIT
		trap "exit 1" HUP INT TERM
		printf "\ncreate_main_cluster = false\n" >>"$conf" || exit 1
		apt-get -qq -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
	' sh "$@"
}

setup_packages()
{
	local want=() major

	if [ -n "${PG_CONFIG:-}" ]; then
		PG_CONFIG=$(command -v "$PG_CONFIG") || complain "PG_CONFIG names no program" || return
		pg_complete "$PG_CONFIG" ||
			complain "\"$PG_CONFIG\" has no server, psql or server headers beside it" || return
	else
		find_pg
	fi
	has_compiler || want+=(gcc libc6-dev)
	command -v make >/dev/null 2>&1 || want+=(make)

	if [ "${#want[@]}" -gt 0 ] || [ -z "${PG_CONFIG:-}" ]; then
		command -v apt-get >/dev/null 2>&1 ||
			complain "gcc, make, a PostgreSQL server and its server headers are needed, and there is no apt-get to install them" || return
		apt_update || say "apt-get update failed; going on with the package lists that are there"
	fi
	if [ "${#want[@]}" -gt 0 ]; then
		apt_install "${want[@]}" || complain "could not install: ${want[*]}" || return
	fi
	if [ -z "${PG_CONFIG:-}" ]; then
		major=$(server_major)
		[ -n "$major" ] || complain "apt knows no package \"postgresql\"" || return
		if [ -x "/usr/lib/postgresql/$major/bin/postgres" ]; then
			apt_install "postgresql-server-dev-$major"
		else
			install_server_quietly "postgresql-$major" "postgresql-server-dev-$major"
		fi
		find_pg || complain "could not install PostgreSQL $major and its server headers" || return
	fi
	export PG_CONFIG
	PG_BINDIR=$("$PG_CONFIG" --bindir)
	say "Using $("$PG_CONFIG" --version) ($PG_CONFIG)"
}

# Bitcode is for inlining by the JIT compiler; without it one compiler is enough.
# A first argument as_root says who runs it.
grove_make()
{
	local run=

	if [ "${1:-}" = as_root ]; then
		run=$1
		shift
	fi
	$run make -C "$GROVE_BUILD" --no-print-directory PG_CONFIG="$PG_CONFIG" with_llvm=no "$@"
}

setup_copy()
{
	local part parts=()

	mkdir "$GROVE_BUILD"
	for part in Makefile pg_grove.control src sql expected test; do
		[ -e "$GROVE_ROOT/$part" ] && parts+=("$part")
	done
	tar -C "$GROVE_ROOT" -cf - --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='sql/install/pg_grove--*.sql' "${parts[@]}" |
		tar -C "$GROVE_BUILD" --no-same-owner -xf - || return 1
	chmod -R u+rwX,go+rX "$GROVE_BUILD"
}

# Compiles; what the compiler says is printed and kept in build.log.
setup_build()
{
	say "Building pg_grove"
	setup_copy || return 1
	grove_make -s -j"$(nproc)" "$@" all >"$GROVE_WORK/build.log" 2>&1
	local status=$?
	cat "$GROVE_WORK/build.log"
	return "$status"
}

# Without the right to install, the private server still works: it then runs
# from a private copy of the server's files.
setup_install()
{
	local libdir extdir run=

	libdir=$("$PG_CONFIG" --pkglibdir)
	extdir=$("$PG_CONFIG" --sharedir)/extension
	if [ ! -w "$libdir" ] || [ ! -w "$extdir" ]; then
		if ! can_be_root; then
			if [ "${1:-}" = required ]; then
				complain "installing into $libdir needs root or sudo"
				return
			fi
			say "No right to install into $libdir: using a private copy of the server"
			setup_private_pg
			return
		fi
		run=as_root
	fi
	say "Installing pg_grove into $libdir"
	grove_make $run -s install >/dev/null || return 1
	# Bitcode of an earlier build would be inlined in place of this one.
	$run rm -rf "$libdir/bitcode/pg_grove" "$libdir/bitcode/pg_grove.index.bc"
}

# The longest directory that all arguments are below.
common_prefix()
{
	local prefix=$1 dir

	for dir in "$@"; do
		while [ "${dir#"$prefix"/}" = "$dir" ]; do
			prefix=${prefix%/*}
		done
	done
	printf '%s\n' "$prefix"
}

# A copy of the server below the scratch directory, made of links but for the
# programs that find their files by their own place.  It can hold files of the
# extension that must not be installed for all.  Sets PG_BINDIR to its
# programs, PRIVATE_LIBDIR and PRIVATE_EXTDIR.
private_pg()
{
	local bindir libdir sharedir prefix tree=$GROVE_WORK/pg

	bindir=$("$PG_CONFIG" --bindir)
	libdir=$("$PG_CONFIG" --pkglibdir)
	sharedir=$("$PG_CONFIG" --sharedir)
	prefix=$(common_prefix "$bindir" "$libdir" "$sharedir")
	PRIVATE_LIBDIR=$tree${libdir#"$prefix"}
	PRIVATE_EXTDIR=$tree${sharedir#"$prefix"}/extension
	mkdir -p "$tree${bindir#"$prefix"}" "$PRIVATE_LIBDIR" "$PRIVATE_EXTDIR" || return 1
	cp -rs "$libdir/." "$PRIVATE_LIBDIR/" || return 1
	cp -rs "$sharedir/." "${PRIVATE_EXTDIR%/extension}/" || return 1
	cp -L "$bindir"/* "$tree${bindir#"$prefix"}/" || return 1
	PG_BINDIR=$tree${bindir#"$prefix"}
}

# A build with sanitizers, say, in a private copy of the server.
setup_private_pg()
{
	local stage=$GROVE_WORK/stage file

	grove_make -s DESTDIR="$stage" install >/dev/null || return 1
	private_pg || return 1
	install -m 755 "$stage$("$PG_CONFIG" --pkglibdir)/pg_grove.so" "$PRIVATE_LIBDIR/" || return 1
	for file in "$stage$("$PG_CONFIG" --sharedir)"/extension/pg_grove*; do
		install -m 644 "$file" "$PRIVATE_EXTDIR/" || return 1
	done
	rm -rf "$PRIVATE_LIBDIR/bitcode/pg_grove" "$PRIVATE_LIBDIR/bitcode/pg_grove.index.bc"
}
