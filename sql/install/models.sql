/*
 * models.sql: what a model is.  Strict: a NULL model has no description.
 */
CREATE FUNCTION classes(model bytea) RETURNS text[]
	AS 'MODULE_PATHNAME', 'grove_classes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION classes(bytea) IS
	'labels in the order of predict_proba; empty when the model has none';

CREATE FUNCTION describe(model bytea) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'grove_describe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION describe(bytea) IS
	'task, algorithm, target, features, size, every effective option and what training measured';

CREATE FUNCTION metrics(model bytea) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'grove_metrics' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION metrics(bytea) IS
	'what training measured';

CREATE FUNCTION importance(model bytea, OUT feature text, OUT gain double precision, OUT splits bigint,
						   OUT cover double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_importance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 30;
COMMENT ON FUNCTION importance(bytea) IS
	'for each feature the sums over its splits of gain and cover, and their number; most gain first';

CREATE FUNCTION nodes(model bytea, OUT tree integer, OUT node integer, OUT parent integer, OUT depth integer,
					  OUT feature text, OUT threshold double precision, OUT categories text[],
					  OUT missing_left boolean, OUT left_child integer, OUT right_child integer,
					  OUT gain double precision, OUT cover double precision, OUT count bigint,
					  OUT value double precision, OUT class text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_nodes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 5000;
COMMENT ON FUNCTION nodes(bytea) IS
	'one row a node; trees and nodes count from 0; x <= threshold, or a label in categories, goes left';

CREATE FUNCTION tree_text(model bytea, tree integer) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_tree_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tree_text(bytea, integer) IS
	'a tree, from 0, as indented text; dates are days, times seconds since 2000-01-01';

CREATE FUNCTION tree_dot(model bytea, tree integer) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_tree_dot' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tree_dot(bytea, integer) IS
	'a tree, from 0, as a graph for Graphviz';
