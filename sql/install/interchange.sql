/*
 * interchange.sql: models of other libraries, and ours for them.
 */
CREATE FUNCTION import_lightgbm(model text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_import_lightgbm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION import_lightgbm(text) IS
	'the model in the text that LightGBM saves; the cover of its nodes is their count of rows; ERROR for what has no exact counterpart';

CREATE FUNCTION import_xgboost(model text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'grove_import_xgboost' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION import_xgboost(text) IS
	'the model in the JSON that XGBoost saves; numeric features are of type real, as there; the cover of its nodes is their sum of hessians; ERROR for what has no counterpart';

CREATE FUNCTION export_lightgbm(model bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_export_lightgbm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION export_lightgbm(bytea) IS
	'the model as text that LightGBM loads; a label is its number, or its place, from 0, in the feature''s levels of export_json()';

CREATE FUNCTION export_json(model bytea) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'grove_export_json' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION export_json(bytea) IS
	'everything in a model: what describe() tells, with the labels of its features, link, base margins, and trees as arrays of nodes; features and levels by their place, from 0';

CREATE FUNCTION export_sql(model bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'grove_export_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION export_sql(bytea) IS
	'an SQL expression over columns with the names of the features that gives what predict() gives, of several classes what predict_proba() gives';
