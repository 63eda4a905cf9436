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
