/*
 * registry.sql: models by name.
 *
 * One table for the database.  Everybody may look at it, row security shows
 * what a role owns or was granted; changes go through the functions below,
 * which check the caller against the owner of the name.
 */

CREATE FUNCTION grove.may_use_model(owner oid, readers oid[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'grove_may_use_model' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.may_use_model(oid, oid[]) IS
	'whether the current role has the privileges of the owner or of one of the readers; 0 among these is PUBLIC';

CREATE TABLE grove.models (
	name text COLLATE "C" NOT NULL,
	version int NOT NULL,
	model bytea NOT NULL,
	target text NOT NULL,
	task text NOT NULL,
	source text,
	params jsonb NOT NULL,
	metrics jsonb NOT NULL,
	rows bigint NOT NULL,
	owner regrole NOT NULL,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	is_current boolean NOT NULL,
	readers regrole[] NOT NULL DEFAULT '{}',
	recipe jsonb NOT NULL DEFAULT '{}',
	CONSTRAINT models_pkey PRIMARY KEY (name, version)
);
CREATE UNIQUE INDEX models_current ON grove.models (name) WHERE is_current;
-- a model does not compress
ALTER TABLE grove.models ALTER COLUMN model SET STORAGE EXTERNAL;

COMMENT ON TABLE grove.models IS
	'saved models; a role sees the rows of the names that it owns or was granted';
COMMENT ON COLUMN grove.models.version IS 'from 1, in the order of saving; never used again while a later version is there';
COMMENT ON COLUMN grove.models.source IS 'what grove.retrain() reads: a query or a table name; NULL: it cannot be retrained';
COMMENT ON COLUMN grove.models.params IS 'the effective options of training, of which retrain() makes the next one';
COMMENT ON COLUMN grove.models.metrics IS 'what training measured, and under "retrain" what retrain() did';
COMMENT ON COLUMN grove.models.rows IS 'rows that it was trained on';
COMMENT ON COLUMN grove.models.owner IS 'the role that may save, deploy, drop, grant and retrain the name';
COMMENT ON COLUMN grove.models.is_current IS 'the version that the name stands for; one at most of each name';
COMMENT ON COLUMN grove.models.readers IS 'roles that may predict with the name and read its rows; 0 (-) is PUBLIC';
COMMENT ON COLUMN grove.models.recipe IS 'arguments of training besides source, target and params: weight, base_margin, group_by, validation, seed; and the key of the hold-out';

ALTER TABLE grove.models ENABLE ROW LEVEL SECURITY;
CREATE POLICY models_use ON grove.models FOR SELECT USING (grove.may_use_model(owner, readers::oid[]));
COMMENT ON POLICY models_use ON grove.models IS 'a role sees the models that it owns or was granted';
COMMENT ON INDEX grove.models_current IS 'finds the current version of a name';
COMMENT ON CONSTRAINT models_pkey ON grove.models IS 'one row a version';
GRANT SELECT ON grove.models TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('grove.models', '');

CREATE FUNCTION grove.save(name text, model bytea, source text DEFAULT NULL,
						   weight text DEFAULT NULL, base_margin text DEFAULT NULL, group_by text DEFAULT NULL,
						   validation text DEFAULT NULL, key text[] DEFAULT NULL, seed bigint DEFAULT 0,
						   deploy boolean DEFAULT true) RETURNS int
	AS 'MODULE_PATHNAME', 'grove_save' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.save(text, bytea, text, text, text, text, text, text[], bigint, boolean) IS
	'stores a model as the next version of a name, current unless deploy is false, and returns the version; the other arguments are those of training that retrain() shall use again, and key the columns whose hash decides which rows it holds out';

CREATE FUNCTION grove.deploy(name text, version int) RETURNS void
	AS 'MODULE_PATHNAME', 'grove_deploy' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.deploy(text, int) IS 'makes a version of a name the current one';

CREATE FUNCTION grove.drop_model(name text, version int DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'grove_drop_model' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.drop_model(text, int) IS
	'deletes a version that is not current, or the name with all its versions; returns how many versions';

CREATE FUNCTION grove.grant_model(name text, role text) RETURNS void
	AS 'MODULE_PATHNAME', 'grove_grant_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.grant_model(text, text) IS
	'lets a role, or public, predict with a name and read its rows, which tell values of the training data';

CREATE FUNCTION grove.revoke_model(name text, role text) RETURNS void
	AS 'MODULE_PATHNAME', 'grove_revoke_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.revoke_model(text, text) IS 'takes back what grant_model() gave';

CREATE FUNCTION grove.model(name text, version int DEFAULT NULL) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_model' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION grove.model(text, int) IS 'the bytes of the current version of a name, or of the version given';

CREATE FUNCTION grove.retrain(name text, only_if_better boolean DEFAULT true, holdout float8 DEFAULT 0.2,
							  OUT version int, OUT deployed boolean, OUT metric text,
							  OUT current_value float8, OUT new_value float8, OUT holdout_rows bigint)
	AS 'MODULE_PATHNAME', 'grove_retrain' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.retrain(text, boolean, float8) IS
	'trains the next version of a name from its stored source, as the owner, who must be the caller; judges it and the current version on the rows held out by a hash of their key, the same rows each time, and saves it; makes it current if it is not worse, or in any case when only_if_better is false';

CREATE FUNCTION grove.create_scoring_view(name text, source regclass, view text DEFAULT NULL,
										  score text DEFAULT 'score') RETURNS regclass
	AS 'MODULE_PATHNAME', 'grove_create_scoring_view' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION grove.create_scoring_view(text, regclass, text, text) IS
	'creates a view of a table with one column more, what grove.predict() says by the name; the view is <table>_scored beside the table unless view names it';

/* The functions that take a model, by name. */

CREATE FUNCTION grove.predict(name text, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict(text, "any") IS
	'value, probability of the positive class, or ranking score, by the current version of a name';

CREATE FUNCTION grove.predict_class(name text, VARIADIC features "any") RETURNS text
	AS 'MODULE_PATHNAME', 'grove_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict_class(text, "any") IS 'label of the likeliest class, by the current version of a name';

CREATE FUNCTION grove.predict_proba(name text, VARIADIC features "any") RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'grove_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict_proba(text, "any") IS 'probability of each class, by the current version of a name';

CREATE FUNCTION grove.predict_raw(name text, VARIADIC features "any") RETURNS double precision
	AS 'MODULE_PATHNAME', 'grove_predict_raw' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict_raw(text, "any") IS 'margin, by the current version of a name';

CREATE FUNCTION grove.predict_leaf(name text, VARIADIC features "any") RETURNS integer[]
	AS 'MODULE_PATHNAME', 'grove_predict_leaf' LANGUAGE C STABLE PARALLEL SAFE COST 115 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict_leaf(text, "any") IS 'leaf of each tree, by the current version of a name';

CREATE FUNCTION grove.predict_top(name text, n integer, VARIADIC features "any")
	RETURNS TABLE (class text, probability double precision)
	AS 'MODULE_PATHNAME', 'grove_predict_top' LANGUAGE C STABLE PARALLEL SAFE COST 115 ROWS 3 SUPPORT grove.predict_support;
COMMENT ON FUNCTION grove.predict_top(text, integer, "any") IS
	'the n likeliest classes, likeliest first, by the current version of a name';

CREATE FUNCTION grove.score(row_type anyelement, name text, source text)
	RETURNS TABLE (scored anyelement, score double precision)
	AS 'MODULE_PATHNAME', 'grove_score' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 SUPPORT grove.score_support;
COMMENT ON FUNCTION grove.score(anyelement, text, text) IS
	'the rows of a source with what grove.predict() gives for each, by the current version of a name';

CREATE FUNCTION grove.explain(name text, VARIADIC features "any", OUT feature text, OUT value text, OUT contribution double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION grove.explain(text, "any") IS 'exact TreeSHAP values of one row, by the current version of a name';

CREATE FUNCTION grove.classes(name text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'grove_classes' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.classes(text) IS 'classes(), of the current version of a name';

CREATE FUNCTION grove.describe(name text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'grove_describe' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.describe(text) IS 'describe(), of the current version of a name';

CREATE FUNCTION grove.metrics(name text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'grove_metrics' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.metrics(text) IS 'metrics(), of the current version of a name';

CREATE FUNCTION grove.importance(name text, OUT feature text, OUT gain double precision, OUT splits bigint,
								 OUT cover double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_importance' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 30;
COMMENT ON FUNCTION grove.importance(text) IS 'importance(), of the current version of a name';

CREATE FUNCTION grove.nodes(name text, OUT tree integer, OUT node integer, OUT parent integer, OUT depth integer,
							OUT feature text, OUT threshold double precision, OUT categories text[],
							OUT missing_left boolean, OUT left_child integer, OUT right_child integer,
							OUT gain double precision, OUT cover double precision, OUT count bigint,
							OUT value double precision, OUT class text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_nodes' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 5000;
COMMENT ON FUNCTION grove.nodes(text) IS 'nodes(), of the current version of a name';

CREATE FUNCTION grove.tree_text(name text, tree integer) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_tree_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.tree_text(text, integer) IS 'tree_text(), of the current version of a name';

CREATE FUNCTION grove.tree_dot(name text, tree integer) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_tree_dot' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION grove.tree_dot(text, integer) IS 'tree_dot(), of the current version of a name';

CREATE FUNCTION grove.evaluate(name text, source text, weight text DEFAULT NULL,
							   group_by text DEFAULT NULL, item text DEFAULT NULL, popularity text DEFAULT NULL, k bigint DEFAULT 10,
							   OUT metric text, OUT value float8, OUT lower float8, OUT upper float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_evaluate';
COMMENT ON FUNCTION grove.evaluate(text, text, text, text, text, text, bigint) IS 'evaluate(), of the current version of a name';

CREATE FUNCTION grove.permutation_importance(name text, source text, metric text DEFAULT NULL, weight text DEFAULT NULL,
											 n_repeats integer DEFAULT 5, seed bigint DEFAULT 0, OUT feature text,
											 OUT importance double precision, OUT std double precision,
											 OUT smallest double precision, OUT largest double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_permutation_importance' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 30;
COMMENT ON FUNCTION grove.permutation_importance(text, text, text, text, integer, bigint) IS
	'permutation_importance(), of the current version of a name';

CREATE FUNCTION grove.partial_dependence(name text, source text, feature text, grid integer DEFAULT 20, weight text DEFAULT NULL,
										 OUT value text, OUT class text, OUT prediction double precision,
										 OUT share double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'grove_partial_dependence' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION grove.partial_dependence(text, text, text, integer, text) IS
	'partial_dependence(), of the current version of a name';

CREATE FUNCTION grove.recommend(name text, users text, candidates text, k int DEFAULT 10,
								user_key text DEFAULT NULL, item_key text DEFAULT NULL,
								pair text DEFAULT NULL, exclude text DEFAULT NULL,
								OUT user_id text, OUT item_id text, OUT rank int, OUT score float8)
RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000 AS 'MODULE_PATHNAME', 'grove_recommend';
COMMENT ON FUNCTION grove.recommend(text, text, text, int, text, text, text, text) IS
	'recommend(), by the current version of a name';
