/* shuffle.sql: rows in seeded random order */

CREATE FUNCTION shuffle(row_type anyelement, source text, key text[] DEFAULT NULL, seed bigint DEFAULT 0)
	RETURNS SETOF anyelement
	AS 'MODULE_PATHNAME', 'grove_shuffle' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION shuffle(anyelement, text, text[], bigint) IS
	'every row of a source exactly once, in the order of its key''s hash; row_type is only a type, as in NULL::my_table';

CREATE FUNCTION shuffle_stream(row_type anyelement, source text, buffer_rows bigint DEFAULT 10000, seed bigint DEFAULT 0)
	RETURNS SETOF anyelement
	AS 'MODULE_PATHNAME', 'grove_shuffle_stream' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION shuffle_stream(anyelement, text, bigint, bigint) IS
	'every row of a source exactly once, shuffled within buffers of buffer_rows rows: one pass, bounded memory';

/* Without REPEATABLE each process has a seed of its own: workers of a parallel plan would draw different rows. */
CREATE FUNCTION block_shuffle(internal) RETURNS tsm_handler
	AS 'MODULE_PATHNAME', 'grove_block_shuffle' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION block_shuffle(internal) IS
	'TABLESAMPLE grove.block_shuffle(percent): blocks of a table in random order, REPEATABLE by seed';

CREATE FUNCTION sample_rows(internal) RETURNS tsm_handler
	AS 'MODULE_PATHNAME', 'grove_sample_rows' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION sample_rows(internal) IS
	'TABLESAMPLE grove.sample_rows(k): exactly k random rows of a table, all when it has no more, REPEATABLE by seed';

/* Aggregates that plan a sample.  Results depend on the set of rows only: not on their order, not on the plan. */

CREATE TYPE tally_state;

CREATE FUNCTION tally_state_in(cstring) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_tally_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tally_state_in(cstring) IS 'input of type tally_state: hexadecimal digits';
CREATE FUNCTION tally_state_out(tally_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'grove_tally_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tally_state_out(tally_state) IS 'output of type tally_state: hexadecimal digits';
CREATE FUNCTION tally_state_recv(internal) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_tally_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tally_state_recv(internal) IS 'binary input of type tally_state';
CREATE FUNCTION tally_state_send(tally_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_tally_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION tally_state_send(tally_state) IS 'binary output of type tally_state';

CREATE TYPE tally_state (
	INPUT = tally_state_in, OUTPUT = tally_state_out, RECEIVE = tally_state_recv, SEND = tally_state_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
COMMENT ON TYPE tally_state IS 'state of the aggregates that plan a sample, between processes';

CREATE FUNCTION tally_combine(tally_state, tally_state) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_tally_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION tally_combine(tally_state, tally_state) IS 'combine function of the aggregates that plan a sample';

CREATE FUNCTION block_design_trans(tally_state, value double precision, block bigint) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_block_design_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION block_design_trans(tally_state, double precision, bigint) IS 'transition function of block_design_effect';
CREATE FUNCTION block_design_final(tally_state) RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_block_design_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION block_design_final(tally_state) IS 'final function of block_design_effect';
CREATE AGGREGATE block_design_effect(value double precision, block bigint) (
	SFUNC = block_design_trans, STYPE = tally_state, FINALFUNC = block_design_final,
	COMBINEFUNC = tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE block_design_effect(double precision, bigint) IS
	'how many times more a sample of whole blocks varies than one of rows: 1 + (b - 1) * rho; 1: as good as rows, b rows a block: each block is constant; a notice above 2, where blocks mislead';

CREATE FUNCTION pps_threshold_trans(tally_state, weight double precision, n bigint) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_pps_threshold_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pps_threshold_trans(tally_state, double precision, bigint) IS 'transition function of pps_threshold';
CREATE FUNCTION pps_threshold_final(tally_state) RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_pps_threshold_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pps_threshold_final(tally_state) IS 'final function of pps_threshold';
CREATE AGGREGATE pps_threshold(weight double precision, n bigint) (
	SFUNC = pps_threshold_trans, STYPE = tally_state, FINALFUNC = pps_threshold_final,
	COMBINEFUNC = tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE pps_threshold(double precision, bigint) IS
	'tau with sum(least(1, weight / tau)) = n; exact to the last bits for up to 32,768 distinct weights; with more of them the sum is off by at most 2^-b of the rows whose weight equals tau in its b leading bits (b = 11 for weights between 1 and 65,536, 4 for all doubles)';

CREATE FUNCTION hash_quantile_trans(tally_state, hash bigint, fraction double precision) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_hash_quantile_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hash_quantile_trans(tally_state, bigint, double precision) IS 'transition function of hash_quantile';
CREATE FUNCTION hash_quantile_final(tally_state) RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_hash_quantile_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hash_quantile_final(tally_state) IS 'final function of hash_quantile';
CREATE AGGREGATE hash_quantile(hash bigint, fraction double precision) (
	SFUNC = hash_quantile_trans, STYPE = tally_state, FINALFUNC = hash_quantile_final,
	COMBINEFUNC = tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hash_quantile(bigint, double precision) IS
	'cut for an exact share by key: hash <= cut holds for round(fraction * rows) rows, if hashes are distinct';

CREATE FUNCTION hash_threshold_trans(tally_state, hash bigint, k bigint) RETURNS tally_state
	AS 'MODULE_PATHNAME', 'grove_hash_threshold_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION hash_threshold_trans(tally_state, bigint, bigint) IS 'transition function of hash_threshold';
CREATE FUNCTION hash_threshold_final(tally_state) RETURNS bigint
	AS 'MODULE_PATHNAME', 'grove_hash_threshold_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hash_threshold_final(tally_state) IS 'final function of hash_threshold';
CREATE AGGREGATE hash_threshold(hash bigint, k bigint) (
	SFUNC = hash_threshold_trans, STYPE = tally_state, FINALFUNC = hash_threshold_final,
	COMBINEFUNC = tally_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE hash_threshold(bigint, bigint) IS
	'cut for a sample of k rows by key: hash <= cut holds for k rows, if hashes are distinct; k up to 262,144';
