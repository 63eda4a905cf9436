/* sample.sql: sampling aggregates */

CREATE FUNCTION sample_trans(state internal, elem anyelement, k integer, seed bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_sample_trans' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION sample_trans(internal, anyelement, integer, bigint) IS
	'transition function of sample()';

CREATE FUNCTION weighted_sample_trans(state internal, elem anyelement, weight double precision, k integer, seed bigint)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_weighted_sample_trans' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION weighted_sample_trans(internal, anyelement, double precision, integer, bigint) IS
	'transition function of weighted_sample()';

CREATE FUNCTION inverse_sample_trans(state internal, elem anyelement, frequency double precision, k integer, seed bigint)
	RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_inverse_sample_trans' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION inverse_sample_trans(internal, anyelement, double precision, integer, bigint) IS
	'transition function of inverse_sample()';

CREATE FUNCTION sample_combine(state internal, other internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_sample_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sample_combine(internal, internal) IS
	'combine function of the sampling aggregates';

CREATE FUNCTION sample_serial(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_sample_serial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sample_serial(internal) IS
	'serialisation function of the sampling aggregates';

CREATE FUNCTION sample_deserial(bytes bytea, dummy internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'grove_sample_deserial' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sample_deserial(bytea, internal) IS
	'deserialisation function of the sampling aggregates';

CREATE FUNCTION sample_final(state internal, elem anyelement, k integer, seed bigint) RETURNS anyarray
	AS 'MODULE_PATHNAME', 'grove_sample_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION sample_final(internal, anyelement, integer, bigint) IS
	'final function of sample()';

CREATE FUNCTION weighted_sample_final(state internal, elem anyelement, weight double precision, k integer, seed bigint)
	RETURNS anyarray
	AS 'MODULE_PATHNAME', 'grove_sample_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION weighted_sample_final(internal, anyelement, double precision, integer, bigint) IS
	'final function of weighted_sample() and inverse_sample()';

CREATE AGGREGATE sample(elem anyelement, k integer, seed bigint) (
	SFUNC = sample_trans, STYPE = internal, SSPACE = 8192,
	FINALFUNC = sample_final, FINALFUNC_EXTRA,
	COMBINEFUNC = sample_combine, SERIALFUNC = sample_serial, DESERIALFUNC = sample_deserial,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE sample(anyelement, integer, bigint) IS
	'k rows, each with the same probability, as an array in the order of their hashes; all when there are not more';

CREATE AGGREGATE weighted_sample(elem anyelement, weight double precision, k integer, seed bigint) (
	SFUNC = weighted_sample_trans, STYPE = internal, SSPACE = 16384,
	FINALFUNC = weighted_sample_final, FINALFUNC_EXTRA,
	COMBINEFUNC = sample_combine, SERIALFUNC = sample_serial, DESERIALFUNC = sample_deserial,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE weighted_sample(anyelement, double precision, integer, bigint) IS
	'k rows with probability proportional to weight, min(1, weight / tau) where the probabilities sum to k, as an array in random order';

CREATE AGGREGATE inverse_sample(elem anyelement, frequency double precision, k integer, seed bigint) (
	SFUNC = inverse_sample_trans, STYPE = internal, SSPACE = 16384,
	FINALFUNC = weighted_sample_final, FINALFUNC_EXTRA,
	COMBINEFUNC = sample_combine, SERIALFUNC = sample_serial, DESERIALFUNC = sample_deserial,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE inverse_sample(anyelement, double precision, integer, bigint) IS
	'k rows with probability inversely proportional to frequency, so that what is common does not drown what is rare; as an array in random order';
