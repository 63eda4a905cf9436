#!/usr/bin/env bash
# train_workers.sh: that parallel workers take part in a training, and change
# nothing.
#
# Results cannot show who computed them: that 0, 1, 2 and 4 workers give the
# same bytes is worth something only when they worked.  At DEBUG1 a training
# says how many workers were wanted, came, and took how many tasks.  Here are
# the kinds of training whose work is shared out differently, the places that
# a training can be called from, and the settings that decide about workers.
# libpq's environment names the server.

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
. test/scripts/scratch_db.sh
scratch_db grove_workers

query <<-'SQL' || { echo "not ok - set-up"; exit 1; }
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE TABLE rows AS
		SELECT i, i % 997 AS a, i % 101 AS b, CASE WHEN i % 7 > 0 THEN i * 31 % 1013 END AS c, 'p' || i % 600 AS page, i % 59 AS d, i % 83 AS e, i % 71 AS f,
			(i * 31) % 1009 + i % 7 > 500 AS y, i % 3 AS kind, i % 1200 AS g, 1 + i % 4 AS w
		FROM generate_series(1, 70000::bigint) AS i;
	CREATE TABLE events(what text);
	CREATE TABLE trained(digest text);
	CREATE FUNCTION train_now() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO trained SELECT md5(grove.train('SELECT a, b, c, d, e, f, page, y FROM rows', 'y'));
		RETURN NULL;
	END $$;
	CREATE TRIGGER train AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION train_now();
SQL

# trained SETTINGS STATEMENT...: what they print, and what the last training says of its workers: wanted launched helpers tasks
trained()
{
	local settings=$1 out argument
	local -a statements=()

	shift
	for argument in "$@"; do
		statements+=(-c "$argument")
	done
	out=$(query -c "SET client_min_messages = debug1" -c "SET max_parallel_workers_per_gather = 0" -c "SET grove.min_parallel_cells = 0" \
		-c "$settings" "${statements[@]}" 2>&1)
	digest=$(grep -vE '^(DEBUG|CONTEXT|SQL |PL|LOCATION)' <<<"$out")
	read -r wanted launched helpers tasks <<<"$(sed -n \
		's/^DEBUG: *training, workers: \([0-9]*\) wanted, \([0-9]*\) launched, \([0-9]*\) took \([0-9]*\) tasks$/\1 \2 \3 \4/p' <<<"$out" | tail -n 1)"
	said="${wanted:-?} wanted, ${launched:-?} launched, ${helpers:-?} took ${tasks:-?} tasks; $digest"
}

# helped NAME WORKERS: the last training was shared with so many, and its model is that of $reference
helped()
{
	result "$1: $2 workers take part, the model is the same" \
		"$([ -n "$digest" ] && [ "$digest" = "$reference" ] && [ "$wanted" = "$2" ] && [ "$launched" = "$2" ] &&
			[ "$helpers" -ge 1 ] && [ "$helpers" -le "$2" ] && [ "$tasks" -ge 1 ] && echo t)" "$said, not $reference"
}

alone()
{
	result "$1: nobody helps" "$([ -n "$digest" ] && [ "$wanted $launched $helpers $tasks" = "${2:-0} 0 0 0" ] && echo t)" "$said"
}

while IFS='|' read -r name columns arguments; do
	statement="SELECT md5(grove.train('SELECT $columns FROM rows', $arguments))"
	trained "SET grove.max_workers = 0" "$statement"
	alone "$name"
	reference=$digest
	for workers in 1 2 4; do
		trained "SET grove.max_workers = $workers" "$statement"
		helped "$name" "$workers"
	done
done <<-'EOT'
	squared error|a, b, c, d, e, f, page, i % 89 AS z, w|'z', '{"num_iterations": 40}', weight => 'w'
	classification, a bag|a, b, c, d, e, f, page, y|'y', '{"num_iterations": 40, "bagging_fraction": 0.6}'
	poisson, validation|a, b, c, d, e, f, page, kind, i % 5 = 0 AS held|'kind', '{"num_iterations": 40, "objective": "poisson"}', validation => 'held'
	three classes|a, b, c, d, e, f, page, kind|'kind', '{"num_iterations": 15, "objective": "multiclass"}'
	ranking|a, b, c, d, e, f, kind, g|'kind', '{"num_iterations": 40}', task => 'ranking', group_by => 'g'
	constraints|a, b, c, d, e, f, page, y|'y', '{"num_iterations": 40, "monotone_constraints": {"a": 1}, "path_smooth": 2, "interaction_constraints": [["a", "b", "page"], ["c", "d"]]}'
	extra trees from margins|a, b, c, d, e, f, page, i % 89 AS z, a * 0.1 AS m|'z', '{"num_iterations": 40, "extra_trees": true}', base_margin => 'm'
	goss|a, b, c, d, e, f, page, y|'y', '{"num_iterations": 40, "data_sample_strategy": "goss", "learning_rate": 0.5}'
	mvs, absolute error|a, b, c, d, e, f, i % 89 AS z|'z', '{"num_iterations": 40, "objective": "regression_l1", "data_sample_strategy": "mvs", "bagging_fraction": 0.5}'
	forest|a, b, c, d, e, f, page, y|'y', '{"algorithm": "forest", "num_iterations": 10, "num_leaves": 255}'
	tree, pruned|a, b, c, d, e, f, i % 89 AS z|'z', '{"algorithm": "tree", "num_leaves": 512, "min_data_in_leaf": 5, "ccp_folds": 5}'
EOT

# ---------------------------------------------------------------- from where

train="md5(grove.train('SELECT a, b, c, d, e, f, page, y FROM rows', 'y'))"
trained "SET grove.max_workers = 0" "SELECT $train"
reference=$digest
trained "SET grove.max_workers = 2" "INSERT INTO events VALUES ('one')" "SELECT digest FROM trained"
helped "in a trigger" 2
trained "SET grove.max_workers = 2" "BEGIN" "UPDATE rows SET a = a + 1 WHERE i = 5" "UPDATE rows SET a = a - 1 WHERE i = 5" "SELECT $train" "COMMIT"
helped "in a transaction that has written" 2
trained "SET grove.max_workers = 2" "BEGIN" "SAVEPOINT one" "DELETE FROM rows" "ROLLBACK TO one" "SAVEPOINT two" "UPDATE rows SET a = a WHERE i = 5" "SELECT $train" "COMMIT"
helped "behind savepoints" 2
trained "SET grove.max_workers = 2" "DO \$\$ BEGIN
		BEGIN TRUNCATE trained; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN TRUNCATE trained; INSERT INTO trained SELECT $train; END;
	EXCEPTION WHEN OTHERS THEN NULL; END \$\$" "SELECT digest FROM trained"
helped "in an exception block" 2
trained "SET grove.max_workers = 2" "SET default_transaction_isolation = 'serializable'" "SELECT $train"
helped "in a serializable transaction" 2

# -------------------------------------------------------------- the settings

trained "SET max_parallel_maintenance_workers = 3" "SELECT $train"
helped "max_parallel_maintenance_workers, where grove.max_workers says nothing" 3
trained "SET max_parallel_maintenance_workers = 0" "SELECT $train"
alone "no max_parallel_maintenance_workers"
trained "SET max_parallel_maintenance_workers = 0" "SET grove.max_workers = 2" "SELECT $train"
helped "grove.max_workers goes before it" 2
trained "SET max_parallel_workers = 1" "SET grove.max_workers = 4" "SELECT $train"
helped "max_parallel_workers bounds both" 1
# 70000 rows of three columns
narrow="SELECT md5(grove.train('SELECT a, b, c, y FROM rows', 'y'))"
trained "SET grove.max_workers = 2" "SET grove.min_parallel_cells = 210001" "$narrow"
alone "fewer cells than grove.min_parallel_cells"
reference=$digest
trained "SET grove.max_workers = 2" "SET grove.min_parallel_cells = 210000" "$narrow"
helped "as many cells as grove.min_parallel_cells" 2
trained "SET grove.max_workers = 2" "RESET grove.min_parallel_cells" "$narrow"
alone "a table of this size without settings"
exit $status
