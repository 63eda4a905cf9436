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
