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
