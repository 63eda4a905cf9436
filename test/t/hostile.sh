#!/usr/bin/env bash
# hostile.sh: bytes and options that nobody should pass, to a running server.
#
# Models with changed bytes and a repaired checksum, states of aggregates and
# rows of train_agg() with changed bytes in their text and binary form, models of
# other libraries with changed lines and values, and training options made of
# real names and odd values; the options that a model of these tells, given
# again, are the same.  Each must give a result or an ERROR that is not
# XX000 (internal error), and the server must have restarted never.  CASES is
# how many there are of all kinds together; libpq's environment names the server.
#
#   CASES=100000 test/t/hostile.sh       the long run; SEED chooses the mutations

set -u
cd "$(dirname "$0")/../.." || exit 1
. test/scripts/results.sh
CASES=${CASES:-9000}
SEED=${SEED:-1}
. test/scripts/scratch_db.sh
scratch_db grove_hostile
work=$(mktemp -d) || exit 1
trap 'drop_scratch_db; rm -rf "$work"' EXIT
models=$((CASES * 5 / 10))
states=$((CASES * 2 / 10))
rows=$((CASES / 10))
texts=$((CASES / 20))			# of each of two formats
options=$((CASES - models - states - rows - 2 * texts))

# What each kind of case ended with; XX000 must not be among it.
report()
{
	local name=$1 wanted=$2

	query -c "SELECT '#   ' || outcome || ': ' || count(*) FROM hostile.outcomes WHERE kind = '$name' GROUP BY outcome ORDER BY count(*) DESC"
	result "$wanted hostile $name: a result, or an error that says what is wrong" \
		"$(query -c "SELECT count(*) = $wanted AND count(*) FILTER (WHERE outcome LIKE 'XX000%') = 0 FROM hostile.outcomes WHERE kind = '$name'")"
}

query <<-'SQL' || { echo "not ok - set-up"; exit 1; }
	SET client_min_messages = warning;
	CREATE EXTENSION pg_grove;
	CREATE SCHEMA hostile;
	CREATE TABLE hostile.outcomes (kind text, outcome text);
	CREATE TABLE hostile.models (original integer, model bytea);
	CREATE TABLE hostile.arguments (original integer, list text);
	CREATE TABLE hostile.states (type text, final text, state bytea);

	-- runs a statement; how it ended
	CREATE FUNCTION hostile.try(statement text, bytes bytea DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement USING bytes;
		RETURN 'result';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || CASE WHEN SQLSTATE = 'XX000' THEN ' ' || SQLERRM || ': ' || left(statement, 2000) ELSE '' END;
	END $$;

	CREATE FUNCTION hostile.use(bytes bytea, arguments text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		outcome text;
		call text;
	BEGIN
		FOREACH call IN ARRAY ARRAY['SELECT grove.describe($1)', 'SELECT grove.classes($1)', 'SELECT count(*) FROM grove.nodes($1)',
				'SELECT grove.tree_text($1, 0)', 'SELECT grove.metrics($1), count(*) FROM grove.importance($1)',
				'SELECT grove.export_json($1), grove.tree_dot($1, 0)', 'SELECT grove.export_sql($1)', 'SELECT grove.export_lightgbm($1)',
				format('SELECT grove.predict($1, %1$s), grove.predict_class($1, %1$s)', arguments), format('SELECT grove.predict_leaf($1, %s)', arguments),
				format('SELECT sum(contribution) FROM grove.explain($1, %s)', arguments), format('SELECT grove.predict_proba($1, %s)', arguments)] LOOP
			outcome := hostile.try(call, bytes);
			EXIT WHEN outcome LIKE 'XX000%';
		END LOOP;
		RETURN outcome;
	END $$;
SQL

# ----------------------------------------------------------------------- models

"${CC:-cc}" -std=c11 -O1 -o "$work/mutate" test/t/mutate_models.c src/core/*.c -lm || { echo "not ok - mutate_models.c compiles"; exit 1; }
files=$(find test/golden -name 'model_v1_*.bin' ! -name '*_bad_*' | sort)
i=0
for file in $files; do
	i=$((i + 1))
	query -c "INSERT INTO hostile.arguments SELECT $i, string_agg(CASE WHEN f ->> 'type' = 'categorical' THEN '''a''::text' ELSE '1.5::float8' END, ', ' ORDER BY n)
		FROM jsonb_array_elements(grove.describe('\\x$(od -An -v -tx1 "$file" | tr -d ' \n')'::bytea) -> 'features') WITH ORDINALITY AS x (f, n)"
done
# shellcheck disable=SC2086
"$work/mutate" "$models" "$SEED" $files | query -c "COPY hostile.models FROM STDIN"
query -c "INSERT INTO hostile.outcomes SELECT 'models', hostile.use(model, list) FROM hostile.models JOIN hostile.arguments USING (original)"
report models "$models"
result "some changed models were read and some refused" \
	"$(query -c "SELECT count(DISTINCT outcome) > 1 AND bool_or(outcome = 'result') FROM hostile.outcomes WHERE kind = 'models'")"

# ----------------------------------------------------------------------- states

query <<-SQL || status=1
	CREATE AGGREGATE hostile.design(float8, bigint) (SFUNC = grove.block_design_trans, STYPE = grove.tally_state);
	CREATE AGGREGATE hostile.pps(float8, bigint) (SFUNC = grove.pps_threshold_trans, STYPE = grove.tally_state);
	CREATE AGGREGATE hostile.quantile(bigint, float8) (SFUNC = grove.hash_quantile_trans, STYPE = grove.tally_state);
	CREATE AGGREGATE hostile.threshold(bigint, bigint) (SFUNC = grove.hash_threshold_trans, STYPE = grove.tally_state);
	CREATE AGGREGATE hostile.log_loss(boolean, float8, float8) (SFUNC = grove.log_loss_trans_bool, STYPE = grove.metric_state);
	CREATE AGGREGATE hostile.r2(float8, float8, float8) (SFUNC = grove.r2_trans, STYPE = grove.metric_state);
	CREATE AGGREGATE hostile.ranked(boolean, float8, float8) (SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state);
	CREATE AGGREGATE hostile.delong(boolean, float8, float8) (SFUNC = grove.auc_delong_trans_bool, STYPE = grove.metric_state);
	CREATE AGGREGATE hostile.ndcg(bigint, float8, float8, integer) (SFUNC = grove.ndcg_trans, STYPE = grove.metric_state);
	INSERT INTO hostile.states
	SELECT v.* FROM (SELECT hostile.design(u, i % 5) AS a, hostile.pps(u, 4) AS b, hostile.quantile(h, 0.5) AS c, hostile.threshold(h, 5) AS d,
			hostile.log_loss(i % 2 = 0, u, 1) AS e, hostile.r2(u, i, 1) AS f, hostile.ranked(i % 2 = 0, u, 1) AS g, hostile.delong(i % 2 = 0, u, 1 - u) AS h, hostile.ndcg(i % 3, i, u, 2) AS k
		FROM (SELECT i, grove.u01(1, i) AS u, grove.hash64(1, i) AS h FROM generate_series(1, 20) AS i) AS r) AS s,
		LATERAL (VALUES ('tally', 'block_design_final', grove.tally_state_send(a)), ('tally', 'pps_threshold_final', grove.tally_state_send(b)),
			('tally', 'hash_quantile_final', grove.tally_state_send(c)), ('tally', 'hash_threshold_final', grove.tally_state_send(d)),
			('metric', 'metric_final', grove.metric_state_send(e)), ('metric', 'metric_final', grove.metric_state_send(f)),
			('metric', 'auc_final', grove.metric_state_send(g)), ('metric', 'auc_delong_final', grove.metric_state_send(h)), ('metric', 'ndcg_final', grove.metric_state_send(k))) AS v;

	CREATE FUNCTION hostile.mutate(bytes bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS \$\$
	DECLARE
		at integer;
	BEGIN
		FOR n IN 0 .. floor(random() * 3)::integer LOOP
			at := floor(random() * length(bytes))::integer;
			bytes := CASE floor(random() * 8)
				WHEN 0 THEN substr(bytes, 1, at + 1)
				WHEN 1 THEN bytes || substr(bytes, at + 1)
				WHEN 2 THEN overlay(bytes PLACING '\\xffffffffffffffff' FROM least(at + 1, greatest(length(bytes) - 7, 1)))
				WHEN 3 THEN overlay(bytes PLACING '\\x0000000000000000' FROM least(at + 1, greatest(length(bytes) - 7, 1)))
				WHEN 4 THEN set_byte(bytes, at, get_byte(bytes, at) # (1 << floor(random() * 8)::integer))
				ELSE set_byte(bytes, at, floor(random() * 256)::integer) END;
		END LOOP;
		RETURN bytes;
	END \$\$;
	CREATE TABLE hostile.tally_in (state grove.tally_state);
	CREATE TABLE hostile.metric_in (state grove.metric_state);
	CREATE TABLE hostile.feature_rows_in (state grove.feature_rows);
	SELECT setseed(1.0 / (1 + $SEED)) \\g /dev/null
	-- text form, final function, and combined with what it was
	INSERT INTO hostile.outcomes SELECT 'states', hostile.try(format('SELECT grove.%1\$s(s), grove.%1\$s(grove.%2\$s_combine(s, %4\$L::grove.%2\$s_state)), s::text FROM (SELECT %3\$L::grove.%2\$s_state AS s) AS x',
		final, type, encode(hostile.mutate(state), 'hex'), encode(state, 'hex')))
	FROM hostile.states, generate_series(1, $states / 9 + 1) AS n LIMIT $states;
	-- binary form: a bytea is sent as what the type receives
	SELECT setseed(1.0 / (2 + $SEED)) \\g /dev/null
	CREATE FUNCTION hostile.binary_form(type text, bytes bytea) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', bytes, '$work/state');
		RETURN hostile.try(format('COPY hostile.%s_in FROM %L (FORMAT binary)', type, '$work/state'));
	END \$\$;
SQL
report states "$states"

# rows of a target and features as train_agg() gathers them
query <<-SQL || status=1
	CREATE TYPE hostile.size AS ENUM ('s', 'm', 'l');
	CREATE AGGREGATE hostile.gather(grove.feature_rows, jsonb) (SFUNC = grove.train_agg_trans, STYPE = grove.feature_rows);
	CREATE TABLE hostile.gathered AS
	SELECT grove.feature_rows_send(v.state) AS state
	FROM (SELECT hostile.gather(grove.features(i % 2, i / 3.0, 'l' || i % 3, i % 2 = 0), '{"num_iterations": 2, "min_data_in_leaf": 1, "max_seconds": 0.05}') AS a,
			hostile.gather(grove.features('c' || i % 3, nullif(i, 4), ('[0:2]={s,m,l}'::hostile.size[])[i % 3]), '{"num_iterations": 1, "max_seconds": 0.05}') AS b,
			hostile.gather(grove.features(i::float8, date '2020-01-01' + i), '{"num_iterations": 2, "max_seconds": 0.05}') AS c
		FROM generate_series(1, 12) AS i) AS s, LATERAL (VALUES (a), (b), (c)) AS v (state);
	INSERT INTO hostile.states SELECT 'feature_rows', NULL, state FROM hostile.gathered;
	SELECT setseed(1.0 / (4 + $SEED)) \\g /dev/null
	SET client_min_messages = error;
	INSERT INTO hostile.outcomes SELECT 'rows', hostile.try(format('SELECT grove.describe(grove.train_agg_final(s)), grove.train_agg_final(grove.train_agg_combine(s, %2\$L::grove.feature_rows)), s::text FROM (SELECT %1\$L::grove.feature_rows AS s) AS x',
		encode(hostile.mutate(state), 'hex'), encode(state, 'hex')))
	FROM hostile.gathered, generate_series(1, $rows / 3 + 1) AS n LIMIT $rows;
SQL
report rows "$rows"
result "some changed rows were trained on and some refused" \
	"$(query -c "SELECT count(DISTINCT outcome) > 1 AND bool_or(outcome = 'result') FROM hostile.outcomes WHERE kind = 'rows'")"
chmod 777 "$work"
if query -c "SELECT hostile.binary_form('tally', state) FROM hostile.states WHERE type = 'tally' LIMIT 1" 2>/dev/null | grep -q result; then
	query -c "SELECT setseed(0.5)" -c "INSERT INTO hostile.outcomes SELECT 'binary states', hostile.binary_form(type, hostile.mutate(state)) FROM hostile.states, generate_series(1, 30) AS n" >/dev/null
	report "binary states" 360
else
	echo "ok - hostile binary states # SKIP the server cannot write where this script can"
fi

# ------------------------------------------------------ models of other libraries

# The texts of the regression test, and ours in LightGBM's form.
query -c "CREATE SCHEMA texts" -c "SET search_path = texts" -f <(sed -n '/^CREATE TABLE texts/,/\$\$);$/p' sql/interchange.sql)
query <<-SQL || status=1
	INSERT INTO texts.texts
	SELECT 'lightgbm', grove.export_lightgbm(grove.train(v.source, 'y', '{"num_iterations": 2, "num_leaves": 4, "min_data_in_leaf": 1, "min_data_per_group": 1}'))
	FROM (VALUES ('SELECT i % 7 AS a, ''l'' || i % 3 AS b, i AS y FROM generate_series(1, 40) AS i'),
		('SELECT i % 7 AS a, i % 5 AS b, (i % 3)::text AS y FROM generate_series(1, 40) AS i')) AS v (source);
	CREATE FUNCTION hostile.odd() RETURNS text LANGUAGE sql VOLATILE AS \$\$
		SELECT (ARRAY['0', '1', '2', '-1', '-2', '3', '31', '32', '255', '256', '65535', '65536', '1e7', '2147483647', '2147483648', '4294967295', '4294967296', '-9223372036854775808',
			'1e308', '-1e308', '1e309', '1e-320', '0.5', 'nan', 'inf', '-inf', '', 'x', '0x10', '1:2', '-1:0:1', '[0:1]', 'none', 'sqrt', 'sigmoid:0', 'multiclass'])[1 + floor(random() * 36)::integer]
	\$\$;
	-- a line goes, comes twice, or one of its words is another
	CREATE FUNCTION hostile.mutate_lines(body text) RETURNS text LANGUAGE plpgsql VOLATILE AS \$\$
	DECLARE
		lines text[] := string_to_array(body, E'\n');
		words text[];
		at integer;
		word integer;
	BEGIN
		FOR n IN 0 .. floor(random() * 3)::integer LOOP
			at := 1 + floor(random() * cardinality(lines))::integer;
			words := regexp_split_to_array(replace(lines[at], '=', '= '), ' ');
			word := 1 + floor(random() * cardinality(words))::integer;
			CASE floor(random() * 10)
				WHEN 0 THEN lines := lines[:at - 1] || lines[at + 1:];
				WHEN 1 THEN lines := lines[:at] || lines[at:];
				WHEN 2 THEN lines[at] := replace(array_to_string(words[:word - 1] || words[word + 1:], ' '), '= ', '=');
				ELSE words[word] := hostile.odd(); lines[at] := replace(array_to_string(words, ' '), '= ', '=');
			END CASE;
		END LOOP;
		RETURN array_to_string(lines, E'\n');
	END \$\$;
	-- a document and all paths in it
	CREATE TABLE hostile.documents AS
	SELECT body::jsonb AS body, ARRAY(
		WITH RECURSIVE p (path, value) AS (
			SELECT '{}'::text[], body::jsonb
			UNION ALL
			SELECT p.path || m.key, m.value FROM p, LATERAL (
				SELECT key, value FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ELSE '{}' END)
				UNION ALL
				SELECT (i - 1)::text, value FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value ELSE '[]' END) WITH ORDINALITY AS e (value, i)) AS m)
		SELECT to_jsonb(path) FROM p WHERE path <> '{}') AS paths
	FROM texts.texts WHERE name <> 'lightgbm';
	-- a value goes, or is another
	CREATE FUNCTION hostile.mutate_json(body jsonb, paths jsonb[]) RETURNS text LANGUAGE plpgsql VOLATILE AS \$\$
	DECLARE
		path text[];
		value text;
	BEGIN
		FOR n IN 0 .. floor(random() * 3)::integer LOOP
			path := ARRAY(SELECT jsonb_array_elements_text(paths[1 + floor(random() * cardinality(paths))::integer]));
			value := hostile.odd();
			BEGIN
				body := CASE floor(random() * 8)
					WHEN 0 THEN body #- path
					WHEN 1 THEN jsonb_set(body, path, (ARRAY['null', '[]', '{}', '[[]]', 'true', '[1, 2]', '"[5E-1,1]"', '{"enc": [1]}'])[1 + floor(random() * 8)::integer]::jsonb)
					WHEN 2 THEN jsonb_set(body, path, coalesce(body #> path[:cardinality(path) - 1], body))
					WHEN 3 THEN jsonb_set(body, path, to_jsonb(value))
					ELSE jsonb_set(body, path, CASE WHEN value ~ '^-?[1-9][0-9.]*(e-?[0-9]+)?\$' THEN value::jsonb ELSE '0' END) END;
			EXCEPTION WHEN invalid_text_representation THEN
				NULL;			-- the path went with an earlier change
			END;
		END LOOP;
		RETURN body::text;
	END \$\$;
	SELECT setseed(1.0 / (5 + $SEED)) \\g /dev/null
	INSERT INTO hostile.outcomes
	SELECT format, hostile.try(format('SELECT count(*) FROM (SELECT grove.import_%s(%L) AS model OFFSET 0) AS m, grove.nodes(model) UNION ALL SELECT length(grove.export_lightgbm(grove.import_%1\$s(%2\$L)))', format, text))
	FROM ((SELECT 'lightgbm' AS format, hostile.mutate_lines(body) AS text FROM texts.texts, generate_series(1, $texts) AS n WHERE name = 'lightgbm' ORDER BY n LIMIT $texts)
		UNION ALL (SELECT 'xgboost', hostile.mutate_json(body, paths) FROM hostile.documents, generate_series(1, $texts) AS n LIMIT $texts)) AS t;
SQL
for format in lightgbm xgboost; do
	report $format "$texts"
	result "some changed $format texts were read and some refused" \
		"$(query -c "SELECT count(DISTINCT outcome) > 1 AND bool_or(outcome = 'result') FROM hostile.outcomes WHERE kind = '$format'")"
done

# ---------------------------------------------------------------------- options

names=$(sed -n 's/^GROVE_[A-Z]*(\([a-z_0-9]*\),.*/\1/p' src/core/params.def | paste -sd ,)
query <<-SQL || status=1
	CREATE TABLE hostile.rows AS SELECT i, i % 7 AS a, 'l' || i % 3 AS b, i % 2 AS y, i % 4 AS g, i % 5 = 0 AS held FROM generate_series(1, 40) AS i;
	CREATE FUNCTION hostile.document() RETURNS text LANGUAGE plpgsql VOLATILE AS \$\$
	DECLARE
		names text[] := string_to_array('$names', ',') || ARRAY['', 'seed', 'nothing', E'\\\\u00e4', repeat('x', 200)];
		vals text[] := ARRAY['0', '1', '-1', '2', '3', '0.5', '1e308', '-1e308', '1e-320', '1e400', '9999999999999999999999', '255', '256', '32768', 'null', 'true', 'false',
			'"auto"', '"gbdt"', '"forest"', '"tree"', '"goss"', '"mvs"', '"bagging"', '"multiclass"', '"lambdarank"', '"quantile"', '"poisson"', '"regression_l1"', '"balanced"', '"NaN"', '"Infinity"', '""', '" 1"', '"0x10"',
			'[]', '{}', '[[]]', '[["a"]]', '[["a", "b"], ["a"]]', '{"a": 1}', '{"a": -1}', '{"a": 1e9}', '{"0": 5, "1": 2}', '{"b": 1}', '[1, 2]', '[1, null]', '"' || repeat('y', 500) || '"', repeat('[', 60) || repeat(']', 60)];
		result text := '';
	BEGIN
		FOR n IN 1 .. floor(random() * 3)::integer LOOP
			result := result || format('"%s": %s, ', names[1 + floor(random() * array_length(names, 1))::integer], vals[1 + floor(random() * array_length(vals, 1))::integer]);
		END LOOP;
		RETURN '{"num_iterations": 2, ' || result || '"max_seconds": 0.05}';
	END \$\$;
	-- the options that a model tells, given again, are the same
	CREATE FUNCTION hostile.again(model bytea, source text, roles text) RETURNS boolean LANGUAGE plpgsql AS \$\$
	DECLARE
		told jsonb := grove.describe(model) -> 'params';
		again jsonb;
	BEGIN
		EXECUTE format('SELECT grove.describe(grove.train(%L, %L, %L%s)) -> %L', source, 'y', told, roles, 'params') INTO again;
		IF again IS DISTINCT FROM told THEN
			RAISE EXCEPTION 'they change';
		END IF;
		RETURN true;
	EXCEPTION WHEN OTHERS THEN
		RAISE EXCEPTION USING ERRCODE = 'internal_error', MESSAGE = format('%s given again: %s', told, SQLERRM);
	END \$\$;
	SELECT setseed(1.0 / (3 + $SEED)) \\g /dev/null
	SET client_min_messages = error;
	INSERT INTO hostile.outcomes SELECT 'options', hostile.try(format('SELECT grove.predict(model, 1, %4\$L), hostile.again(model, %1\$L, %3\$L) FROM (SELECT grove.train(%1\$L, %5\$L, %2\$L%3\$s) AS model OFFSET 0) AS m',
		CASE n % 4 WHEN 0 THEN 'SELECT a, b, y FROM hostile.rows' WHEN 1 THEN 'SELECT a, b, y, held FROM hostile.rows' WHEN 2 THEN 'SELECT a, b, y, g FROM hostile.rows' ELSE 'SELECT a, b, i AS y FROM hostile.rows' END,
		hostile.document(), CASE n % 4 WHEN 1 THEN ', validation => ''held''' WHEN 2 THEN ', group_by => ''g''' ELSE '' END, 'l1', 'y'))
	FROM generate_series(1, $options) AS n;
SQL
report options "$options"

result "the server is still up, and no backend was lost" "$(query -c 'SELECT true')"
exit $status
