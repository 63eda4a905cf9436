#!/usr/bin/env bash
# run_portable.sh [TARGET [TEST ...]]: the unit tests of the core on other kinds
# of machine and another C library.  Targets, all of them without an argument:
#
#   i686     32 bits, with SSE2: x87 arithmetic has other last bits
#   s390x    big-endian
#   aarch64  64-bit ARM, whose compiler would fuse multiply and add
#   musl     the C library of Alpine, on this machine
#
# Programs are linked statically and run directly where this machine can, else
# under qemu's user mode.  One line a test, as of run_unit.sh, with the target in
# front.  A target without its compiler or emulator is skipped with the reason.
# On Debian: gcc-i686-linux-gnu libc6-dev-i386-cross gcc-s390x-linux-gnu
# libc6-dev-s390x-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross
# qemu-user-static musl-tools.

set -u
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
status=0

# target NAME COMPILER FLAGS EMULATOR [TEST ...]
target()
{
	local name=$1 compiler=$2 flags=$3 emulator=$4 archiver=ar

	shift 4
	if ! command -v "$compiler" >/dev/null; then
		echo "ok - $name # SKIP no $compiler"
		return
	fi
	# shellcheck disable=SC2086
	if ! printf 'int main(void) { return 0; }\n' | $compiler $flags -static -x c -o "$out/probe" -; then
		echo "ok - $name # SKIP $compiler links no program, its C library may be missing"
		return
	fi
	if "$out/probe" 2>/dev/null; then
		emulator=
	elif ! command -v "$emulator" >/dev/null; then
		echo "ok - $name # SKIP no $emulator"
		return
	fi
	if command -v "${compiler%gcc}ar" >/dev/null; then
		archiver=${compiler%gcc}ar
	fi
	CC=$compiler AR=$archiver UNIT_FLAGS="-O2 -static $flags" UNIT_RUN=$emulator test/scripts/run_unit.sh "$@" \
		>"$out/log" 2>&1 || status=1
	sed -E "s/^((not )?ok - )/\1$name: /" "$out/log"
}

if [ "$#" -eq 0 ]; then
	set -- all
fi
wanted=$1
shift
for name in i686 s390x aarch64 musl; do
	if [ "$wanted" != all ] && [ "$wanted" != "$name" ]; then
		continue
	fi
	case $name in
		i686) target i686 i686-linux-gnu-gcc "-msse2 -mfpmath=sse" qemu-i386-static "$@" ;;
		# gcc's strict C computes float in double there, gnu11 of the build does not.  The server's headers were made here.
		s390x) target s390x s390x-linux-gnu-gcc "-fexcess-precision=fast -DWORDS_BIGENDIAN" qemu-s390x-static "$@" ;;
		aarch64) target aarch64 aarch64-linux-gnu-gcc "" qemu-aarch64-static "$@" ;;
		musl) target musl musl-gcc "" "" "$@" ;;
	esac
done
exit "$status"
