/*
 * recommend.sql: the items that score best for each user.
 */

CREATE FUNCTION grove.recommend(model bytea, users text, candidates text, k int DEFAULT 10,
								user_key text DEFAULT NULL, item_key text DEFAULT NULL,
								pair text DEFAULT NULL, exclude text DEFAULT NULL,
								OUT user_id text, OUT item_id text, OUT rank int, OUT score float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000 AS 'MODULE_PATHNAME', 'grove_recommend';

COMMENT ON FUNCTION grove.recommend(bytea, text, text, int, text, text, text, text) IS
	'the k items of candidates that score best for each row of users, keys as text; pair: expressions over u and i, the features of both together; exclude: source with both keys, the pairs to leave out';
