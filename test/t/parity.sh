#!/usr/bin/env bash
# parity.sh: models of LightGBM and XGBoost imported, and ours exported, give
# the predictions and explanations that those libraries and shap give.
#
# The libraries come from PyPI into an environment of their own, which is kept
# (PARITY_VENV) for the next time.  Where they cannot be had, the test says SKIP.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${PSQL:-psql}
. test/scripts/scratch_db.sh
sum=$(cksum <test/parity/requirements.txt | cut -d ' ' -f 1)
venv=${PARITY_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/pg_grove/parity-$sum}

make_venv()
{
	[ -e "$venv/complete" ] && return
	python3 -m venv "$venv" &&
		timeout 300 "$venv/bin/pip" install -q --disable-pip-version-check -r test/parity/requirements.txt &&
		touch "$venv/complete"
}

if ! why=$(make_venv 2>&1); then
	echo "ok - parity # SKIP the libraries cannot be had: $(printf '%s' "$why" | tail -n 1)"
	exit 0
fi
scratch_db grove_parity
trap drop_scratch_db EXIT
"$PSQL" -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pg_grove' || exit 1
"$venv/bin/python" test/parity/parity.py "$PSQL" || { echo "not ok - parity: see above"; exit 1; }
