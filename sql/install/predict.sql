/*
 * predict.sql: scoring in any query.  Not strict: a NULL feature is a missing
 * value.  STABLE: how enums and numbers print and dates are read depends on
 * the catalogue and on settings.
 */
CREATE FUNCTION predict(model bytea, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION predict(bytea, "any") IS
	'value, probability of the positive class, or ranking score; multiclass: probability of the likeliest class';

CREATE FUNCTION predict_class(model bytea, VARIADIC features "any") RETURNS text
	AS 'MODULE_PATHNAME', 'grove_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION predict_class(bytea, "any") IS
	'label of the likeliest class, as it was in the table';

CREATE FUNCTION predict_proba(model bytea, VARIADIC features "any") RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'grove_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION predict_proba(bytea, "any") IS
	'probability of each class, in the order of grove.classes(model)';

CREATE FUNCTION predict_raw(model bytea, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict_raw' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION predict_raw(bytea, "any") IS
	'margin: sum of the leaves before it becomes a probability; multiclass: of the likeliest class';

CREATE FUNCTION predict_leaf(model bytea, VARIADIC features "any") RETURNS integer[]
	AS 'MODULE_PATHNAME', 'grove_predict_leaf' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION predict_leaf(bytea, "any") IS
	'for each tree the node that the row ends in, numbered as in grove.nodes(model)';
