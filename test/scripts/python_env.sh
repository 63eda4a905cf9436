# shellcheck shell=bash
# python_env.sh: a Python environment with the packages of a list, made once
# for each content of the list and kept in the user's cache.  Sourced.
#
#   python_env NAME REQUIREMENTS.txt    sets PYTHON_ENV; fails where it cannot be made
#
# PG_GROVE_VENVS is where environments are kept (default: ~/.cache/pg_grove).

python_env()
{
	local sum

	sum=$(cksum <"$2" | cut -d' ' -f1)
	PYTHON_ENV=${PG_GROVE_VENVS:-${XDG_CACHE_HOME:-$HOME/.cache}/pg_grove}/$1-$sum
	[ -e "$PYTHON_ENV/complete" ] && return 0
	python3 -m venv "$PYTHON_ENV" || { echo "python3 with its venv module is needed (Debian: python3-venv)"; return 1; }
	"$PYTHON_ENV/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 15 -r "$2" </dev/null || return
	touch "$PYTHON_ENV/complete"
}
