/*
 * explain.sql: what features do to predictions.
 */
CREATE FUNCTION explain(model bytea, VARIADIC features "any", OUT feature text, OUT value text, OUT contribution double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION explain(bytea, "any") IS
	'exact TreeSHAP values of one row, largest first, after a row without feature for the base value; they add up to predict_raw(), for several classes to the margin of the likeliest one';
