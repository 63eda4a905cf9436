-- The params argument of train(): names, aliases, types, ranges; what is
-- refused gets SQLSTATE 22023 and a hint with the nearest option and its range.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;

CREATE TABLE options_rows AS SELECT i % 7 AS a, i % 7 + (i * 37 % 11) / 3.0::float8 AS y FROM generate_series(1, 200) AS i;
CREATE FUNCTION pg_temp.try(params text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	PERFORM grove.train('SELECT a, y FROM options_rows', 'y', params::jsonb);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
\pset tuples_only on

-- names
SELECT pg_temp.try('{"num_leafs": 15}');
SELECT pg_temp.try('{"Num_Leaves": 15}');
SELECT pg_temp.try('{"etaa": 0.1}');
SELECT pg_temp.try('{"": 1}');
SELECT pg_temp.try(jsonb_build_object(repeat('é', 100), 1)::text);
SELECT pg_temp.try('{"num_leaves": 15, "max_leaves": 15}');
SELECT pg_temp.try('{"eta": 0.1, "learning_rate": null}');

-- types
SELECT pg_temp.try('{"num_leaves": "15"}');
SELECT pg_temp.try('{"learning_rate": "0.1"}');
SELECT pg_temp.try('{"num_leaves": true}');
SELECT pg_temp.try('{"num_leaves": [15]}');
SELECT pg_temp.try('{"num_leaves": {"value": 15}}');
SELECT pg_temp.try('{"boost_from_average": 1}');
SELECT pg_temp.try('{"boost_from_average": "true"}');
SELECT pg_temp.try('{"algorithm": 1}');
SELECT pg_temp.try('{"positive_class": 1}');
SELECT pg_temp.try('[{"num_leaves": 15}]');
SELECT pg_temp.try('15');
SELECT pg_temp.try('"num_leaves"');
SELECT pg_temp.try('null');

-- ranges
SELECT pg_temp.try('{"num_leaves": 1}');
SELECT pg_temp.try('{"num_leaves": 32769}');
SELECT pg_temp.try('{"num_leaves": 15.5}');
SELECT pg_temp.try('{"num_leaves": 1e400}');
SELECT pg_temp.try('{"num_leaves": -999}');
SELECT pg_temp.try('{"eta": 0}');
SELECT pg_temp.try('{"eta": 1.0001}');
SELECT pg_temp.try('{"lambda": -0.5}');
SELECT pg_temp.try('{"max_depth": -2}');
SELECT pg_temp.try('{"subsample": 0}');
SELECT pg_temp.try('{"algorithm": "gdbt"}');
SELECT pg_temp.try('{"algorithm": ""}');
SELECT pg_temp.try('{"objective": "lambda"}');
SELECT pg_temp.try('{"positive_class": ""}');
SELECT pg_temp.try(jsonb_build_object('positive_class', repeat('x', 64))::text);

-- options that the algorithm would not look at
SELECT pg_temp.try('{"algorithm": "tree", "num_iterations": 2}');
SELECT pg_temp.try('{"algorithm": "tree", "eta": 0.5}');
SELECT pg_temp.try('{"algorithm": "forest", "bagging_freq": 0}');

-- what is taken: defaults, null, bounds, whole numbers in any notation
SELECT pg_temp.try('{}');
SELECT pg_temp.try('{"num_leaves": null, "eta": null, "algorithm": null, "positive_class": null, "boost_from_average": null}');
SELECT pg_temp.try('{"num_leaves": 2, "num_iterations": 1, "eta": 1e-6, "min_child_samples": 0, "max_bin": 2, "max_depth": -1}');
SELECT pg_temp.try('{"num_leaves": 32768, "n_estimators": 2.0, "learning_rate": 1, "max_depth": 1e3, "lambda_l2": 1e300, "bagging_fraction": 1}');
SELECT pg_temp.try('{"algorithm": "tree", "num_iterations": 1, "eta": 0.1, "bagging_freq": 1}');

\pset tuples_only off
\pset format aligned
-- two names of one option make the same model, and other values another one
SELECT grove.train('options_rows', 'y', '{"eta": 0.2, "n_estimators": 3, "min_child_samples": 5, "gamma": 0.5}') =
	grove.train('options_rows', 'y', '{"learning_rate": 0.2, "num_iterations": 3, "min_data_in_leaf": 5, "min_gain_to_split": 0.5}') AS same,
	grove.train('options_rows', 'y', '{"max_depth": 0, "n_estimators": 3}') = grove.train('options_rows', 'y', '{"max_depth": -1, "n_estimators": 3}') AS no_limit,
	grove.train('options_rows', 'y', '{"eta": 0.2, "n_estimators": 3}') <> grove.train('options_rows', 'y', '{"eta": 0.3, "n_estimators": 3}') AS differ;

DROP TABLE options_rows;
