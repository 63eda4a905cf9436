/* rows.sql: the rows of a source: what to keep of them, with which probability, and how well it stands for all */

CREATE FUNCTION prune(
	row_type anyelement,
	source text,
	keep double precision DEFAULT NULL,
	n bigint DEFAULT NULL,
	method text DEFAULT NULL,
	key text[] DEFAULT NULL,
	by text[] DEFAULT NULL,
	readmit double precision DEFAULT 0,
	gamma double precision DEFAULT 1,
	target text DEFAULT NULL,
	model bytea DEFAULT NULL,
	exact boolean DEFAULT true,
	seed bigint DEFAULT 0,
	params jsonb DEFAULT NULL)
RETURNS TABLE (kept anyelement, pi double precision, weight double precision, log_offset double precision)
	AS 'MODULE_PATHNAME', 'grove_prune' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION prune(anyelement, text, double precision, bigint, text, text[], text[], double precision,
						  double precision, text, bytea, boolean, bigint, jsonb) IS
	'rows of a source that a method keeps: random, stratified, inverse, negatives, weighted (in proportion to the by column), and by a model surprise and gradient, with exact inclusion probabilities; noise without contradicted labels; duplicates with the number of equal rows as weight';

CREATE FUNCTION prune_plan(
	row_type anyelement,
	source text,
	keep double precision DEFAULT NULL,
	n bigint DEFAULT NULL,
	method text DEFAULT NULL,
	key text[] DEFAULT NULL,
	by text[] DEFAULT NULL,
	readmit double precision DEFAULT 0,
	gamma double precision DEFAULT 1,
	target text DEFAULT NULL,
	model bytea DEFAULT NULL,
	exact boolean DEFAULT true,
	seed bigint DEFAULT 0,
	params jsonb DEFAULT NULL,
	OUT design text,
	OUT rows bigint,
	OUT units bigint,
	OUT strata bigint,
	OUT kept_rows double precision,
	OUT sum_weights double precision,
	OUT effective_size double precision,
	OUT threshold double precision,
	OUT readmit_threshold double precision,
	OUT beta double precision,
	OUT pi_low double precision,
	OUT pi_high double precision,
	OUT zero_rows bigint,
	OUT certainty_rows bigint)
	AS 'MODULE_PATHNAME', 'grove_prune_plan' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION prune_plan(anyelement, text, double precision, bigint, text, text[], text[], double precision,
							   double precision, text, bytea, boolean, bigint, jsonb) IS
	'what prune() would do with the same arguments: counts, expected size, sum of weights, effective size, threshold';

CREATE FUNCTION balance(
	source text,
	kept text,
	weight text DEFAULT NULL,
	ignore text[] DEFAULT NULL)
RETURNS TABLE (feature text, kind text, rows bigint, kept_rows bigint, missing double precision, kept_missing double precision,
	mean double precision, kept_mean double precision, weighted_mean double precision,
	smd double precision, weighted_smd double precision, psi double precision, weighted_psi double precision,
	ks double precision, weighted_ks double precision)
	AS 'MODULE_PATHNAME', 'grove_balance' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION balance(text, text, text, text[]) IS
	'how well kept rows stand for the full set, per column: standardised mean difference, PSI, Kolmogorov-Smirnov distance, without and with weights';
