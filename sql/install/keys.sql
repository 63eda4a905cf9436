/* keys.sql: decisions about one row by the hash of its key */

/*
 * The schema is made here and not by the control file: so it is a part of the
 * extension and goes with it, belongs to nobody who could put functions of his
 * own beside these, and cannot be somebody's schema from before.
 */
CREATE SCHEMA grove;
COMMENT ON SCHEMA grove IS 'pg_grove: prune the rows, grow the trees, predict in SQL';
GRANT USAGE ON SCHEMA grove TO PUBLIC;
SET LOCAL search_path = grove, pg_temp;

CREATE FUNCTION hash64(seed bigint, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_hash64' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hash64(bigint, "any") IS
	'64-bit hash of a key under a seed; ORDER BY it is a full, repeatable shuffle';

CREATE FUNCTION u01(seed bigint, VARIADIC key "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_u01' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION u01(bigint, "any") IS
	'uniform number strictly between 0 and 1 that belongs to a key and a seed';

CREATE FUNCTION keep_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_keep_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION keep_support(internal) IS
	'tells the planner how many rows keep() lets through';

CREATE FUNCTION keep(fraction double precision, seed bigint, VARIADIC key "any") RETURNS boolean
	AS 'MODULE_PATHNAME', 'grove_keep' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT keep_support;
COMMENT ON FUNCTION keep(double precision, bigint, "any") IS
	'true for a share of the keys: Poisson sampling in WHERE; the fraction may differ from row to row';

CREATE FUNCTION split(fractions double precision[], seed bigint, VARIADIC key "any") RETURNS integer
	AS 'MODULE_PATHNAME', 'grove_split' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION split(double precision[], bigint, "any") IS
	'number, from 1, of the part a key falls into; parts have the given fractions, which sum to 1';

CREATE FUNCTION fold(k integer, seed bigint, VARIADIC key "any") RETURNS integer
	AS 'MODULE_PATHNAME', 'grove_fold' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION fold(integer, bigint, "any") IS
	'fold of a key for cross-validation, 0 to k - 1';

CREATE FUNCTION shuffle_hash(seed bigint, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_shuffle_hash' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION shuffle_hash(bigint, "any") IS
	'the hash that shuffle() orders by';

CREATE FUNCTION key_bytes(VARIADIC key "any") RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_key_bytes' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION key_bytes("any") IS
	'canonical bytes of a key, which break ties between hashes';

CREATE FUNCTION permute(i bigint, n bigint, seed bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_permute' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION permute(bigint, bigint, bigint) IS
	'place of i in a seeded shuffle of 0 to n - 1, without memory and without sorting';

CREATE FUNCTION unpermute(place bigint, n bigint, seed bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_unpermute' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION unpermute(bigint, bigint, bigint) IS
	'inverse of permute(): what stands at this place';

CREATE FUNCTION inverse_pi(frequency double precision, gamma double precision, tau double precision,
						   pi_min double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_inverse_pi' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION inverse_pi(double precision, double precision, double precision, double precision) IS
	'inclusion probability inversely proportional to a frequency: min(1, max(pi_min, tau * frequency^-gamma))';

CREATE FUNCTION prior_correct(p double precision, keep_positive double precision, keep_negative double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_prior_correct' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION prior_correct(double precision, double precision, double precision) IS
	'probability in the whole population from one of a model trained on rows kept with these probabilities by class';
