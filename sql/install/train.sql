/*
 * Training.
 */
CREATE FUNCTION train(source text, target text,
					  params jsonb DEFAULT '{}', task text DEFAULT 'auto',
					  weight text DEFAULT NULL, base_margin text DEFAULT NULL,
					  group_by text DEFAULT NULL, validation text DEFAULT NULL,
					  ignore text[] DEFAULT '{}', seed bigint DEFAULT 0)
RETURNS bytea
AS 'MODULE_PATHNAME', 'grove_train'
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

COMMENT ON FUNCTION train(text, text, jsonb, text, text, text, text, text, text[], bigint) IS
'Trains a tree model on the rows of a source (one SELECT statement or a table name) and returns its bytes. Every column that is not the target or named for another role is a feature. The same rows, options and seed give the same bytes in any row order.';

CREATE TYPE feature_rows;

CREATE FUNCTION feature_rows_in(cstring) RETURNS feature_rows
	AS 'MODULE_PATHNAME', 'grove_feature_rows_in' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_rows_in(cstring) IS 'input of type feature_rows: hexadecimal digits';
CREATE FUNCTION feature_rows_out(feature_rows) RETURNS cstring
	AS 'MODULE_PATHNAME', 'grove_feature_rows_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_rows_out(feature_rows) IS 'output of type feature_rows: hexadecimal digits';
CREATE FUNCTION feature_rows_recv(internal) RETURNS feature_rows
	AS 'MODULE_PATHNAME', 'grove_feature_rows_recv' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_rows_recv(internal) IS 'binary input of type feature_rows';
CREATE FUNCTION feature_rows_send(feature_rows) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_feature_rows_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION feature_rows_send(feature_rows) IS 'binary output of type feature_rows';

CREATE TYPE feature_rows (
	INPUT = feature_rows_in, OUTPUT = feature_rows_out, RECEIVE = feature_rows_recv, SEND = feature_rows_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE feature_rows IS 'rows of a target and its features: what features() makes and train_agg() gathers';

CREATE FUNCTION features(target "any", VARIADIC features "any") RETURNS feature_rows
	AS 'MODULE_PATHNAME', 'grove_features' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION features("any", "any") IS
'A target and its features for train_agg(): values, which are called f1, f2, ..., or one row, whose columns keep their names.';

CREATE FUNCTION train_agg_trans(feature_rows, features feature_rows, params jsonb) RETURNS feature_rows
	AS 'MODULE_PATHNAME', 'grove_train_agg_trans' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION train_agg_trans(feature_rows, feature_rows, jsonb) IS 'transition function of train_agg';
CREATE FUNCTION train_agg_combine(feature_rows, feature_rows) RETURNS feature_rows
	AS 'MODULE_PATHNAME', 'grove_train_agg_combine' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION train_agg_combine(feature_rows, feature_rows) IS 'combine function of train_agg';
CREATE FUNCTION train_agg_final(feature_rows) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_train_agg_final' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION train_agg_final(feature_rows) IS 'final function of train_agg';
CREATE AGGREGATE train_agg(features feature_rows, params jsonb) (
	SFUNC = train_agg_trans, STYPE = feature_rows, SSPACE = 65536, FINALFUNC = train_agg_final,
	COMBINEFUNC = train_agg_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE train_agg(feature_rows, jsonb) IS
'Trains a model on the rows of each group, train_agg(features(target, f1, f2, ...), params). Beside the options of train(), params may have task, seed, weight, base_margin, validation and ignore. The same rows give the bytes that train() gives, in any order and plan.';

CREATE FUNCTION training_progress_rows(OUT pid integer, OUT datid oid, OUT usesysid oid,
									   OUT started_at timestamptz, OUT phase text,
									   OUT rows_read bigint, OUT rows_total bigint,
									   OUT rounds_done bigint, OUT rounds_total bigint,
									   OUT validation_loss double precision)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'grove_training_progress_rows'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 10;

COMMENT ON FUNCTION training_progress_rows() IS
'What the view training_progress shows, with the database and the user as numbers.';

CREATE VIEW training_progress AS
	SELECT p.pid, p.datid, d.datname, p.usesysid, pg_catalog.pg_get_userbyid(p.usesysid) AS usename,
		p.started_at, p.phase, p.rows_read, p.rows_total, p.rounds_done, p.rounds_total, p.validation_loss
	FROM grove.training_progress_rows() AS p
		LEFT JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) p.datid;

COMMENT ON VIEW training_progress IS
'One row for each training that is running in the cluster: its phase (first reading, second reading, trees, writing), rows read in the reading at hand, rounds done and asked for, and the mean loss of the validation rows after the last round (NULL for forests). Roles without the privileges of the training role or of pg_read_all_stats see who trains where, and NULL for the rest.';

GRANT SELECT ON training_progress TO PUBLIC;
