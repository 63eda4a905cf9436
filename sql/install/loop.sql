/*
 * The loop: prune, train, test, as far as the model holds.
 */
CREATE FUNCTION grove.prune_train(source text, target text, key text[],
	schedule float8[] DEFAULT '{0.8,0.65,0.5,0.4,0.3,0.25,0.2,0.15,0.1}',
	max_loss float8 DEFAULT 0.002, confidence float8 DEFAULT 0.95, method text DEFAULT 'surprise',
	split_by text[] DEFAULT NULL, validation text DEFAULT NULL, params jsonb DEFAULT '{}', seed bigint DEFAULT 0)
RETURNS TABLE (round integer, rows bigint, share float8, metric text, full_value float8, pruned_value float8,
	difference float8, upper float8, train_ms float8, decision text, model bytea)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 12 AS 'MODULE_PATHNAME', 'grove_prune_train';

COMMENT ON FUNCTION grove.prune_train(text, text, text[], float8[], float8, float8, text, text[], text, jsonb, bigint) IS
'Trains on everything, then on less and less of it, and compares each model with the first on the same held-out rows, which are never pruned: difference is the quality lost (of AUC, or the relative rise of the loss), upper its one-sided confidence bound. Stops at the first round whose loss cannot be shown to stay within max_loss; the last accepted model is judged once on a sealed part.';

CREATE FUNCTION grove.report(model bytea, source text, title text DEFAULT NULL, pruning text DEFAULT NULL)
RETURNS text
LANGUAGE C VOLATILE PARALLEL RESTRICTED COST 100000 AS 'MODULE_PATHNAME', 'grove_report';

COMMENT ON FUNCTION grove.report(bytea, text, text, text) IS
'One HTML page that stands alone (no script, plots as inline SVG): model, features, options, metrics of the source with intervals, ROC, calibration, lift, importance, learning curve; with pruning, a query or table that holds rows of prune_train(), the pruning curve.';
