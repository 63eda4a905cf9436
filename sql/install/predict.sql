/*
 * predict.sql: scoring in any query.  Not strict: a NULL feature is a missing
 * value.  STABLE: how enums and numbers print and dates are read depends on
 * the catalogue and on settings.
 */
CREATE FUNCTION predict_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_predict_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION predict_support(internal) IS
	'tells the planner what a prediction costs';

CREATE FUNCTION score_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_score_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_support(internal) IS
	'tells the planner how many rows are scored';

CREATE FUNCTION predict(model bytea, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT predict_support;
COMMENT ON FUNCTION predict(bytea, "any") IS
	'value, probability of the positive class, or ranking score; multiclass: probability of the likeliest class';

CREATE FUNCTION predict_class(model bytea, VARIADIC features "any") RETURNS text
	AS 'MODULE_PATHNAME', 'grove_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT predict_support;
COMMENT ON FUNCTION predict_class(bytea, "any") IS
	'label of the likeliest class, as it was in the table';

CREATE FUNCTION predict_proba(model bytea, VARIADIC features "any") RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'grove_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT predict_support;
COMMENT ON FUNCTION predict_proba(bytea, "any") IS
	'probability of each class, in the order of grove.classes(model)';

CREATE FUNCTION predict_raw(model bytea, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict_raw' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT predict_support;
COMMENT ON FUNCTION predict_raw(bytea, "any") IS
	'margin: sum of the leaves before it becomes a probability; multiclass: of the likeliest class';

CREATE FUNCTION predict_leaf(model bytea, VARIADIC features "any") RETURNS integer[]
	AS 'MODULE_PATHNAME', 'grove_predict_leaf' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT predict_support;
COMMENT ON FUNCTION predict_leaf(bytea, "any") IS
	'for each tree the node that the row ends in, numbered as in grove.nodes(model)';

CREATE FUNCTION predict_top(model bytea, n integer, VARIADIC features "any")
	RETURNS TABLE (class text, probability double precision)
	AS 'MODULE_PATHNAME', 'grove_predict_top' LANGUAGE C STABLE PARALLEL SAFE COST 115 ROWS 3 SUPPORT predict_support;
COMMENT ON FUNCTION predict_top(bytea, integer, "any") IS
	'the n likeliest classes, likeliest first; ties in the order of grove.classes(model)';

/* VOLATILE as what the source calls may be. */
CREATE FUNCTION score(row_type anyelement, model bytea, source text)
	RETURNS TABLE (scored anyelement, score double precision)
	AS 'MODULE_PATHNAME', 'grove_score' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 SUPPORT score_support;
COMMENT ON FUNCTION score(anyelement, bytea, text) IS
	'the rows of a source with what grove.predict() gives for each: the fast way for whole tables';
