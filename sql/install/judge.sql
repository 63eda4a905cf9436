/*
 * judge.sql: metrics as aggregates, curves, and the evaluation of a model.
 *
 * Arguments come in the order (truth, score [, weight]).  Rows in which one of
 * them is NULL are skipped.  Results depend on the set of rows only: not on
 * their order, not on the plan.
 */

CREATE TYPE grove.metric_state;

CREATE FUNCTION grove.metric_state_in(cstring) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_state_in';

CREATE FUNCTION grove.metric_state_out(grove.metric_state) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_state_out';

CREATE FUNCTION grove.metric_state_recv(internal) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_state_recv';

CREATE FUNCTION grove.metric_state_send(grove.metric_state) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_state_send';

CREATE TYPE grove.metric_state (
	INPUT = grove.metric_state_in, OUTPUT = grove.metric_state_out,
	RECEIVE = grove.metric_state_recv, SEND = grove.metric_state_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);

COMMENT ON TYPE grove.metric_state IS 'state of a metric aggregate between processes';
COMMENT ON FUNCTION grove.metric_state_in(cstring) IS 'input of type metric_state: hexadecimal digits';
COMMENT ON FUNCTION grove.metric_state_out(grove.metric_state) IS 'output of type metric_state: hexadecimal digits';
COMMENT ON FUNCTION grove.metric_state_recv(internal) IS 'binary input of type metric_state';
COMMENT ON FUNCTION grove.metric_state_send(grove.metric_state) IS 'binary output of type metric_state';

CREATE TYPE grove.auc_delong_result AS (
	auc_a float8, auc_b float8, difference float8, standard_error float8,
	z float8, p_value float8, lower float8, upper float8
);

COMMENT ON TYPE grove.auc_delong_result IS
	'paired comparison of two AUCs: difference is auc_a - auc_b, p_value is two-sided, lower and upper are its 95 % interval';

/* Functions that the aggregates are made of. */

CREATE FUNCTION grove.metric_combine(grove.metric_state, grove.metric_state) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_combine';

COMMENT ON FUNCTION grove.metric_combine(grove.metric_state, grove.metric_state) IS 'combine function of the metric aggregates';

CREATE FUNCTION grove.metric_final(grove.metric_state) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_metric_final';

COMMENT ON FUNCTION grove.metric_final(grove.metric_state) IS 'final function of the metrics that are means, and of r2';

CREATE FUNCTION grove.auc_final(grove.metric_state) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_auc_final';

COMMENT ON FUNCTION grove.auc_final(grove.metric_state) IS 'final function of auc';

CREATE FUNCTION grove.average_precision_final(grove.metric_state) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_average_precision_final';

COMMENT ON FUNCTION grove.average_precision_final(grove.metric_state) IS 'final function of average_precision';

CREATE FUNCTION grove.auc_delong_final(grove.metric_state) RETURNS grove.auc_delong_result
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_auc_delong_final';

COMMENT ON FUNCTION grove.auc_delong_final(grove.metric_state) IS 'final function of auc_delong';

CREATE FUNCTION grove.ndcg_final(grove.metric_state) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ndcg_final';

COMMENT ON FUNCTION grove.ndcg_final(grove.metric_state) IS 'final function of ndcg';

CREATE FUNCTION grove.log_loss_trans_bool(grove.metric_state, truth boolean, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans_bool';

COMMENT ON FUNCTION grove.log_loss_trans_bool(grove.metric_state, boolean, float8) IS 'transition function of log_loss';

CREATE FUNCTION grove.log_loss_trans_bool(grove.metric_state, truth boolean, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans_bool';

COMMENT ON FUNCTION grove.log_loss_trans_bool(grove.metric_state, boolean, float8, float8) IS 'transition function of log_loss';

CREATE FUNCTION grove.log_loss_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans';

COMMENT ON FUNCTION grove.log_loss_trans(grove.metric_state, float8, float8) IS 'transition function of log_loss';

CREATE FUNCTION grove.log_loss_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans';

COMMENT ON FUNCTION grove.log_loss_trans(grove.metric_state, float8, float8, float8) IS 'transition function of log_loss';

CREATE FUNCTION grove.brier_trans_bool(grove.metric_state, truth boolean, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_brier_trans_bool';

COMMENT ON FUNCTION grove.brier_trans_bool(grove.metric_state, boolean, float8) IS 'transition function of brier';

CREATE FUNCTION grove.brier_trans_bool(grove.metric_state, truth boolean, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_brier_trans_bool';

COMMENT ON FUNCTION grove.brier_trans_bool(grove.metric_state, boolean, float8, float8) IS 'transition function of brier';

CREATE FUNCTION grove.brier_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_brier_trans';

COMMENT ON FUNCTION grove.brier_trans(grove.metric_state, float8, float8) IS 'transition function of brier';

CREATE FUNCTION grove.brier_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_brier_trans';

COMMENT ON FUNCTION grove.brier_trans(grove.metric_state, float8, float8, float8) IS 'transition function of brier';

CREATE FUNCTION grove.accuracy_trans_bool(grove.metric_state, truth boolean, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans_bool';

COMMENT ON FUNCTION grove.accuracy_trans_bool(grove.metric_state, boolean, float8) IS 'transition function of accuracy';

CREATE FUNCTION grove.accuracy_trans_bool(grove.metric_state, truth boolean, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans_bool';

COMMENT ON FUNCTION grove.accuracy_trans_bool(grove.metric_state, boolean, float8, float8) IS 'transition function of accuracy';

CREATE FUNCTION grove.accuracy_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans';

COMMENT ON FUNCTION grove.accuracy_trans(grove.metric_state, float8, float8) IS 'transition function of accuracy';

CREATE FUNCTION grove.accuracy_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans';

COMMENT ON FUNCTION grove.accuracy_trans(grove.metric_state, float8, float8, float8) IS 'transition function of accuracy';

CREATE FUNCTION grove.accuracy_trans_text(grove.metric_state, truth text, predicted text) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans_text';

COMMENT ON FUNCTION grove.accuracy_trans_text(grove.metric_state, text, text) IS 'transition function of accuracy';

CREATE FUNCTION grove.accuracy_trans_text(grove.metric_state, truth text, predicted text, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_accuracy_trans_text';

COMMENT ON FUNCTION grove.accuracy_trans_text(grove.metric_state, text, text, float8) IS 'transition function of accuracy';

CREATE FUNCTION grove.log_loss_trans_classes(grove.metric_state, truth text, probabilities float8[], classes text[]) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans_classes';

COMMENT ON FUNCTION grove.log_loss_trans_classes(grove.metric_state, text, float8[], text[]) IS 'transition function of log_loss';

CREATE FUNCTION grove.log_loss_trans_classes(grove.metric_state, truth text, probabilities float8[], classes text[], weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_log_loss_trans_classes';

COMMENT ON FUNCTION grove.log_loss_trans_classes(grove.metric_state, text, float8[], text[], float8) IS 'transition function of log_loss';

CREATE FUNCTION grove.rmse_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_rmse_trans';

COMMENT ON FUNCTION grove.rmse_trans(grove.metric_state, float8, float8) IS 'transition function of rmse';

CREATE FUNCTION grove.rmse_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_rmse_trans';

COMMENT ON FUNCTION grove.rmse_trans(grove.metric_state, float8, float8, float8) IS 'transition function of rmse';

CREATE FUNCTION grove.mae_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_mae_trans';

COMMENT ON FUNCTION grove.mae_trans(grove.metric_state, float8, float8) IS 'transition function of mae';

CREATE FUNCTION grove.mae_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_mae_trans';

COMMENT ON FUNCTION grove.mae_trans(grove.metric_state, float8, float8, float8) IS 'transition function of mae';

CREATE FUNCTION grove.r2_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_r2_trans';

COMMENT ON FUNCTION grove.r2_trans(grove.metric_state, float8, float8) IS 'transition function of r2';

CREATE FUNCTION grove.r2_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_r2_trans';

COMMENT ON FUNCTION grove.r2_trans(grove.metric_state, float8, float8, float8) IS 'transition function of r2';

CREATE FUNCTION grove.ranked_trans_bool(grove.metric_state, truth boolean, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ranked_trans_bool';

COMMENT ON FUNCTION grove.ranked_trans_bool(grove.metric_state, boolean, float8) IS 'transition function of auc and average_precision';

CREATE FUNCTION grove.ranked_trans_bool(grove.metric_state, truth boolean, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ranked_trans_bool';

COMMENT ON FUNCTION grove.ranked_trans_bool(grove.metric_state, boolean, float8, float8) IS 'transition function of auc and average_precision';

CREATE FUNCTION grove.ranked_trans(grove.metric_state, truth float8, score float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ranked_trans';

COMMENT ON FUNCTION grove.ranked_trans(grove.metric_state, float8, float8) IS 'transition function of auc and average_precision';

CREATE FUNCTION grove.ranked_trans(grove.metric_state, truth float8, score float8, weight float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ranked_trans';

COMMENT ON FUNCTION grove.ranked_trans(grove.metric_state, float8, float8, float8) IS 'transition function of auc and average_precision';

CREATE FUNCTION grove.auc_delong_trans_bool(grove.metric_state, truth boolean, score_a float8, score_b float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_auc_delong_trans_bool';

COMMENT ON FUNCTION grove.auc_delong_trans_bool(grove.metric_state, boolean, float8, float8) IS 'transition function of auc_delong';

CREATE FUNCTION grove.auc_delong_trans(grove.metric_state, truth float8, score_a float8, score_b float8) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_auc_delong_trans';

COMMENT ON FUNCTION grove.auc_delong_trans(grove.metric_state, float8, float8, float8) IS 'transition function of auc_delong';

CREATE FUNCTION grove.ndcg_trans(grove.metric_state, query_id bigint, truth float8, score float8, k integer) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ndcg_trans';

COMMENT ON FUNCTION grove.ndcg_trans(grove.metric_state, bigint, float8, float8, integer) IS 'transition function of ndcg';

CREATE FUNCTION grove.ndcg_trans_bool(grove.metric_state, query_id bigint, truth boolean, score float8, k integer) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ndcg_trans_bool';

COMMENT ON FUNCTION grove.ndcg_trans_bool(grove.metric_state, bigint, boolean, float8, integer) IS 'transition function of ndcg';

CREATE FUNCTION grove.ndcg_trans_text(grove.metric_state, query_id text, truth float8, score float8, k integer) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ndcg_trans_text';

COMMENT ON FUNCTION grove.ndcg_trans_text(grove.metric_state, text, float8, float8, integer) IS 'transition function of ndcg';

CREATE FUNCTION grove.ndcg_trans_text_bool(grove.metric_state, query_id text, truth boolean, score float8, k integer) RETURNS grove.metric_state
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'grove_ndcg_trans_text_bool';

COMMENT ON FUNCTION grove.ndcg_trans_text_bool(grove.metric_state, text, boolean, float8, integer) IS 'transition function of ndcg';

/* The aggregates. */

CREATE AGGREGATE grove.auc(truth boolean, score float8) (
	SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc(boolean, float8) IS
	'area under the ROC curve, ties count half; NULL unless both classes have weight';

CREATE AGGREGATE grove.auc(truth boolean, score float8, weight float8) (
	SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc(boolean, float8, float8) IS
	'area under the ROC curve, ties count half; NULL unless both classes have weight; rows count by weight';

CREATE AGGREGATE grove.auc(truth float8, score float8) (
	SFUNC = grove.ranked_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc(float8, float8) IS
	'area under the ROC curve, ties count half; NULL unless both classes have weight';

CREATE AGGREGATE grove.auc(truth float8, score float8, weight float8) (
	SFUNC = grove.ranked_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc(float8, float8, float8) IS
	'area under the ROC curve, ties count half; NULL unless both classes have weight; rows count by weight';

CREATE AGGREGATE grove.average_precision(truth boolean, score float8) (
	SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.average_precision_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.average_precision(boolean, float8) IS
	'average precision: sum over the scores of precision times the step in recall; NULL without positives';

CREATE AGGREGATE grove.average_precision(truth boolean, score float8, weight float8) (
	SFUNC = grove.ranked_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.average_precision_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.average_precision(boolean, float8, float8) IS
	'average precision: sum over the scores of precision times the step in recall; NULL without positives; rows count by weight';

CREATE AGGREGATE grove.average_precision(truth float8, score float8) (
	SFUNC = grove.ranked_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.average_precision_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.average_precision(float8, float8) IS
	'average precision: sum over the scores of precision times the step in recall; NULL without positives';

CREATE AGGREGATE grove.average_precision(truth float8, score float8, weight float8) (
	SFUNC = grove.ranked_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.average_precision_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.average_precision(float8, float8, float8) IS
	'average precision: sum over the scores of precision times the step in recall; NULL without positives; rows count by weight';

CREATE AGGREGATE grove.log_loss(truth boolean, score float8) (
	SFUNC = grove.log_loss_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(boolean, float8) IS
	'mean of -ln of the probability given to what happened; probabilities are cut to [1e-15, 1 - 1e-15]';

CREATE AGGREGATE grove.log_loss(truth boolean, score float8, weight float8) (
	SFUNC = grove.log_loss_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(boolean, float8, float8) IS
	'mean of -ln of the probability given to what happened; probabilities are cut to [1e-15, 1 - 1e-15]; rows count by weight';

CREATE AGGREGATE grove.log_loss(truth float8, score float8) (
	SFUNC = grove.log_loss_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(float8, float8) IS
	'mean of -ln of the probability given to what happened; probabilities are cut to [1e-15, 1 - 1e-15]';

CREATE AGGREGATE grove.log_loss(truth float8, score float8, weight float8) (
	SFUNC = grove.log_loss_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(float8, float8, float8) IS
	'mean of -ln of the probability given to what happened; probabilities are cut to [1e-15, 1 - 1e-15]; rows count by weight';

CREATE AGGREGATE grove.brier(truth boolean, score float8) (
	SFUNC = grove.brier_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.brier(boolean, float8) IS
	'Brier score: mean of (probability - truth)^2';

CREATE AGGREGATE grove.brier(truth boolean, score float8, weight float8) (
	SFUNC = grove.brier_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.brier(boolean, float8, float8) IS
	'Brier score: mean of (probability - truth)^2; rows count by weight';

CREATE AGGREGATE grove.brier(truth float8, score float8) (
	SFUNC = grove.brier_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.brier(float8, float8) IS
	'Brier score: mean of (probability - truth)^2';

CREATE AGGREGATE grove.brier(truth float8, score float8, weight float8) (
	SFUNC = grove.brier_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.brier(float8, float8, float8) IS
	'Brier score: mean of (probability - truth)^2; rows count by weight';

CREATE AGGREGATE grove.accuracy(truth boolean, score float8) (
	SFUNC = grove.accuracy_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(boolean, float8) IS
	'share of the rows for which score >= 0.5 is the truth';

CREATE AGGREGATE grove.accuracy(truth boolean, score float8, weight float8) (
	SFUNC = grove.accuracy_trans_bool, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(boolean, float8, float8) IS
	'share of the rows for which score >= 0.5 is the truth; rows count by weight';

CREATE AGGREGATE grove.accuracy(truth float8, score float8) (
	SFUNC = grove.accuracy_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(float8, float8) IS
	'share of the rows for which score >= 0.5 is the truth';

CREATE AGGREGATE grove.accuracy(truth float8, score float8, weight float8) (
	SFUNC = grove.accuracy_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(float8, float8, float8) IS
	'share of the rows for which score >= 0.5 is the truth; rows count by weight';

CREATE AGGREGATE grove.accuracy(truth text, predicted text) (
	SFUNC = grove.accuracy_trans_text, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(text, text) IS
	'share of the rows whose predicted label is the true one';

CREATE AGGREGATE grove.accuracy(truth text, predicted text, weight float8) (
	SFUNC = grove.accuracy_trans_text, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.accuracy(text, text, float8) IS
	'share of the rows whose predicted label is the true one; rows count by weight';

CREATE AGGREGATE grove.log_loss(truth text, probabilities float8[], classes text[]) (
	SFUNC = grove.log_loss_trans_classes, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(text, float8[], text[]) IS
	'mean of -ln of the probability given to the true class; 0 for a class that is not listed, cut to 1e-15';

CREATE AGGREGATE grove.log_loss(truth text, probabilities float8[], classes text[], weight float8) (
	SFUNC = grove.log_loss_trans_classes, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.log_loss(text, float8[], text[], float8) IS
	'mean of -ln of the probability given to the true class; 0 for a class that is not listed, cut to 1e-15; rows count by weight';

CREATE AGGREGATE grove.rmse(truth float8, score float8) (
	SFUNC = grove.rmse_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.rmse(float8, float8) IS
	'root of the mean of (score - truth)^2';

CREATE AGGREGATE grove.rmse(truth float8, score float8, weight float8) (
	SFUNC = grove.rmse_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.rmse(float8, float8, float8) IS
	'root of the mean of (score - truth)^2; rows count by weight';

CREATE AGGREGATE grove.mae(truth float8, score float8) (
	SFUNC = grove.mae_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.mae(float8, float8) IS
	'mean of |score - truth|';

CREATE AGGREGATE grove.mae(truth float8, score float8, weight float8) (
	SFUNC = grove.mae_trans, STYPE = grove.metric_state, SSPACE = 2400,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.mae(float8, float8, float8) IS
	'mean of |score - truth|; rows count by weight';

CREATE AGGREGATE grove.r2(truth float8, score float8) (
	SFUNC = grove.r2_trans, STYPE = grove.metric_state, SSPACE = 3600,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.r2(float8, float8) IS
	'coefficient of determination: 1 - sum of (score - truth)^2 / sum of (truth - mean truth)^2; NULL when the truth is constant';

CREATE AGGREGATE grove.r2(truth float8, score float8, weight float8) (
	SFUNC = grove.r2_trans, STYPE = grove.metric_state, SSPACE = 3600,
	FINALFUNC = grove.metric_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.r2(float8, float8, float8) IS
	'coefficient of determination: 1 - sum of (score - truth)^2 / sum of (truth - mean truth)^2; NULL when the truth is constant; rows count by weight';

CREATE AGGREGATE grove.ndcg(query_id bigint, truth float8, score float8, k integer) (
	SFUNC = grove.ndcg_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.ndcg_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.ndcg(bigint, float8, float8, integer) IS
	'mean over the queries of DCG / best DCG of the first k rows (NULL: all), DCG = sum of truth / log2(rank + 1); ties of the score are averaged; 0 for a query without gain';

CREATE AGGREGATE grove.ndcg(query_id bigint, truth boolean, score float8, k integer) (
	SFUNC = grove.ndcg_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.ndcg_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.ndcg(bigint, boolean, float8, integer) IS
	'mean over the queries of DCG / best DCG of the first k rows (NULL: all), DCG = sum of truth / log2(rank + 1); ties of the score are averaged; 0 for a query without gain';

CREATE AGGREGATE grove.ndcg(query_id text, truth float8, score float8, k integer) (
	SFUNC = grove.ndcg_trans_text, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.ndcg_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.ndcg(text, float8, float8, integer) IS
	'mean over the queries of DCG / best DCG of the first k rows (NULL: all), DCG = sum of truth / log2(rank + 1); ties of the score are averaged; 0 for a query without gain';

CREATE AGGREGATE grove.ndcg(query_id text, truth boolean, score float8, k integer) (
	SFUNC = grove.ndcg_trans_text_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.ndcg_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.ndcg(text, boolean, float8, integer) IS
	'mean over the queries of DCG / best DCG of the first k rows (NULL: all), DCG = sum of truth / log2(rank + 1); ties of the score are averaged; 0 for a query without gain';

CREATE AGGREGATE grove.auc_delong(truth boolean, score_a float8, score_b float8) (
	SFUNC = grove.auc_delong_trans_bool, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_delong_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc_delong(boolean, float8, float8) IS
	'DeLong test of two scores on the same rows; NULL unless both classes occur';

CREATE AGGREGATE grove.auc_delong(truth float8, score_a float8, score_b float8) (
	SFUNC = grove.auc_delong_trans, STYPE = grove.metric_state, SSPACE = 4096,
	FINALFUNC = grove.auc_delong_final, COMBINEFUNC = grove.metric_combine, PARALLEL = SAFE
);

COMMENT ON AGGREGATE grove.auc_delong(float8, float8, float8) IS
	'DeLong test of two scores on the same rows; NULL unless both classes occur';

/* The evaluation of a model. */

CREATE FUNCTION grove.evaluate(model bytea, source text, weight text DEFAULT NULL,
	group_by text DEFAULT NULL, item text DEFAULT NULL, popularity text DEFAULT NULL, k bigint DEFAULT 10,
	OUT metric text, OUT value float8, OUT lower float8, OUT upper float8) RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_evaluate';

COMMENT ON FUNCTION grove.evaluate(bytea, text, text, text, text, text, bigint) IS
	'metrics of a model on the rows of a source, which has the columns of the training query by name, with 95 % intervals: auc after DeLong; means of a loss (log_loss, brier, accuracy, mae) +- 1.96 sqrt(n/(n-1) sum w^2 (loss - mean)^2) / sum w; rmse, r2 and calibration_ratio (sum of predicted / sum of observed) by the delta method; average_precision on the logit scale. Rows with a NULL target or weight are skipped. With group_by the lists that the model makes: ndcg and recall of the k best rows of each group, with item catalogue_coverage, with popularity long_tail_recall, intervals over groups';

/* Curves of a binary score; truth, score and weight name columns of the source. */

CREATE FUNCTION grove.roc_curve(source text, truth text, score text, weight text DEFAULT NULL,
	OUT threshold float8, OUT false_positive_rate float8, OUT true_positive_rate float8) RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_roc_curve';

COMMENT ON FUNCTION grove.roc_curve(text, text, text, text) IS
	'ROC curve: rates of the rows whose score is at least the threshold, from the highest threshold to the lowest, without points in the middle of a straight line';

CREATE FUNCTION grove.lift_curve(source text, truth text, score text, weight text DEFAULT NULL, buckets integer DEFAULT 10,
	OUT bucket integer, OUT share float8, OUT lowest_score float8, OUT rate float8, OUT lift float8, OUT gain float8) RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_lift_curve';

COMMENT ON FUNCTION grove.lift_curve(text, text, text, text, integer) IS
	'buckets of equal size, highest scores first: share of all rows so far, lowest score of the bucket, its rate of positives, that rate over the rate of all rows (lift), share of all positives so far (gain); a bucket that ends within equal scores gets its share of their positives';

CREATE FUNCTION grove.calibration(source text, truth text, score text, weight text DEFAULT NULL, bins integer DEFAULT 10,
	OUT bin integer, OUT weight_sum float8, OUT mean_score float8, OUT observed float8, OUT lower float8, OUT upper float8) RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_calibration';

COMMENT ON FUNCTION grove.calibration(text, text, text, text, integer) IS
	'bins of about equal size, lowest probabilities first: sum of the weights (rows without one), mean probability, observed rate of positives and its 95 % interval (Wilson); equal scores stay in one bin, empty bins are left out';

CREATE FUNCTION grove.confusion_matrix(source text, truth text, predicted text,
	OUT truth_label text, OUT predicted_label text, OUT rows bigint) RETURNS SETOF record
LANGUAGE C VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'grove_confusion_matrix';

COMMENT ON FUNCTION grove.confusion_matrix(text, text, text) IS
	'how many rows have each pair of true and predicted label, pairs that occur; rows with a NULL are left out';
