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

CREATE FUNCTION block_shuffle(internal) RETURNS tsm_handler
	AS 'MODULE_PATHNAME', 'grove_block_shuffle' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION block_shuffle(internal) IS
	'TABLESAMPLE grove.block_shuffle(percent): blocks of a table in random order, REPEATABLE by seed';
