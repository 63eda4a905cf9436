#!/usr/bin/env bash
# run_bare.sh [demo] [test]: do demo/run.sh and test/run.sh (default: both) work
# on a machine that has nothing but git, as root and as a user with sudo?
#
# The machine is a Debian or Ubuntu root of debootstrap, with git, in a
# directory that is deleted at the end.  Each of the two users gets a copy of
# it, clones HEAD (what is not committed is not tried), and has namespaces of
# its own for mounts and processes: what is started there ends with it.
# One line a test, as in test/run.sh; the logs of failed ones follow.
#
# Needs root, debootstrap and a mirror.  SUITE names the release (default: that
# of this machine), MIRROR its archive (default: debootstrap's).  Proxies of
# apt, and those of the environment, hold inside too, and the data of the demo
# is lent from the directory that PG_GROVE_DATA names (../shared/data).

set -u
cd "$(dirname "$0")/../.." || exit 1
[ "$(id -u)" -eq 0 ] || { echo "$0: needs root" >&2; exit 2; }
command -v debootstrap >/dev/null 2>&1 || { echo "$0: needs debootstrap" >&2; exit 2; }
for part in "$@"; do
	case $part in
		demo | test) ;;
		*) echo "usage: $0 [demo] [test]" >&2; exit 2 ;;
	esac
done
[ "$#" -gt 0 ] || set -- demo test

PATH=$PATH:/usr/sbin:/sbin
suite=${SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
data=$(realpath -- "${PG_GROVE_DATA:-../shared/data}" 2>/dev/null)
work=$(mktemp -d "${GROVE_TMP:-/var/tmp}/grove_bare.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed=0

not_ok()
{
	echo "not ok - $suite: $*"
	failed=1
}

# The packages that the image itself needs come with it; what pg_grove needs
# is for its own scripts to install.
make_base()
{
	unshare --mount debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$work/base" ${MIRROR:+"$MIRROR"} &&
		cp -L /etc/resolv.conf "$work/base/etc/" && printf '127.0.0.1 localhost %s\n' "$(uname -n)" >"$work/base/etc/hosts" &&
		apt-config dump | grep -iE '^Acquire::.*proxy' >"$work/base/etc/apt/apt.conf.d/99proxy"
	[ -s "$work/base/etc/apt/apt.conf.d/99proxy" ] || rm -f "$work/base/etc/apt/apt.conf.d/99proxy"
	[ -x "$work/base/usr/bin/git" ] &&
		git bundle create -q "$work/base/srv/pg_grove.bundle" HEAD &&
		chmod 644 "$work/base/srv/pg_grove.bundle"
}

# inside ROOT COMMAND ...: the command's status.
inside()
{
	local root=$1

	shift
	unshare --mount --pid --fork --kill-child sh -c '
		root=$1 data=$2
		shift 2
		mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev/shm" || exit
		if [ -n "$data" ] && [ -d "$data" ]; then
			mkdir -p "$root/srv/data" && mount --bind "$data" "$root/srv/data" || exit
			export PG_GROVE_DATA=/srv/data
		fi
		HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin exec chroot "$root" "$@"
	' sh "$root" "$data" "$@"
}

# As root, or as "shopkeeper", who may do everything through sudo.
prepare_user()
{
	[ "$1" = root ] && return 0
	inside "$2" sh -c '
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update && apt-get -qq install --no-install-recommends sudo &&
		useradd -m -s /bin/bash shopkeeper &&
		echo "shopkeeper ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/shopkeeper && chmod 440 /etc/sudoers.d/shopkeeper'
}

# The clone, the scripts, and a look at what they left: files of the clone and
# in /tmp, and processes of a server (dead ones may wait to be noticed here).
try_user()
{
	local user=$1 root=$work/$1 part as=()

	shift
	cp -a "$work/base" "$root" || return
	prepare_user "$user" "$root" >"$work/log" 2>&1 || { cat "$work/log"; not_ok "$user: the user is made"; return; }
	[ "$user" = root ] || as=(runuser -u shopkeeper --)
	for part in "$@"; do
		inside "$root" "${as[@]}" bash -c '
			home=$(getent passwd "$(id -u)" | cut -d: -f6)
			export HOME=$home
			cd && { [ -d pg_grove ] || git -c advice.detachedHead=false clone -q /srv/pg_grove.bundle pg_grove; } && cd pg_grove || exit
			"$1" </dev/null || exit
			[ -z "$(git status --porcelain)" ] || { git status; echo "the clone is not clean"; exit 1; }
			left=$(find /tmp /dev/shm -mindepth 1 -maxdepth 1; grep -lE "^[0-9]+ .postgres. [^Z]" /proc/[0-9]*/stat 2>/dev/null)
			[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
		' bash "./$part/run.sh" >"$work/log" 2>&1
		if [ "$?" -eq 0 ]; then
			[ "$part" = demo ] || tail -n 1 "$work/log"
			echo "ok - $suite: $part/run.sh as $user"
		else
			cat "$work/log"
			not_ok "$part/run.sh as $user"
		fi
	done
	rm -rf --one-file-system "$root"
}

make_base >"$work/log" 2>&1 || { cat "$work/log"; not_ok "a root with git"; exit 1; }
echo "ok - $suite: a root with git"
for user in root sudo; do
	try_user "$user" "$@"
done
exit "$failed"
