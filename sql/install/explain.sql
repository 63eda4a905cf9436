/*
 * explain.sql: what features do to predictions.
 */
CREATE FUNCTION explain(model bytea, VARIADIC features "any", OUT feature text, OUT value text, OUT contribution double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION explain(bytea, "any") IS
	'exact TreeSHAP values of one row, largest first, after a row without feature for the base value; they add up to predict_raw(), for several classes to the margin of the likeliest one';

CREATE FUNCTION permutation_importance(model bytea, source text, metric text DEFAULT NULL, weight text DEFAULT NULL,
									   n_repeats integer DEFAULT 5, seed bigint DEFAULT 0, OUT feature text,
									   OUT importance double precision, OUT std double precision,
									   OUT smallest double precision, OUT largest double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_permutation_importance' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 30;
COMMENT ON FUNCTION permutation_importance(bytea, text, text, text, integer, bigint) IS
	'how much worse a metric of evaluate() becomes (default: rmse, or log_loss) when the values of a feature are permuted among the rows of a source: mean, standard deviation and range of the repeats, most important first; depends on the rows and the seed, not on their order';

CREATE FUNCTION partial_dependence(model bytea, source text, feature text, grid integer DEFAULT 20, weight text DEFAULT NULL,
								   OUT value text, OUT class text, OUT prediction double precision, OUT share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_partial_dependence' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION partial_dependence(bytea, text, text, integer, text) IS
	'mean prediction of the rows of a source when all have this value of a feature (of several classes: the probability of each), and the share of the rows that have it or, of a number, lie above the value before and up to it; NULL last';
