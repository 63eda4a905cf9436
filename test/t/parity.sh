#!/usr/bin/env bash
# parity.sh: models of LightGBM and XGBoost imported, and ours exported, give
# the predictions and explanations that those libraries and shap give.
#
# The libraries come from PyPI into an environment of their own, which is kept
# for the next time.  Where they cannot be had, the test says SKIP.

set -u
cd "$(dirname "$0")/../.." || exit 1
PSQL=${PSQL:-psql}
. test/scripts/scratch_db.sh
. test/scripts/python_env.sh
if ! why=$(python_env parity test/parity/requirements.txt 2>&1); then
	echo "ok - parity # SKIP the libraries cannot be had: $(printf '%s' "$why" | tail -n 1)"
	exit 0
fi
python_env parity test/parity/requirements.txt
scratch_db grove_parity
trap drop_scratch_db EXIT
"$PSQL" -X -q -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pg_grove' || exit 1
"$PYTHON_ENV/bin/python" test/parity/parity.py "$PSQL" || { echo "not ok - parity: see above"; exit 1; }
