-- permutation_importance: which features a metric needs; the same for any order
-- of the rows; errors.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
\set SHOW_CONTEXT never
CREATE SCHEMA permutation;
SET search_path = permutation;
SET jit = off;
SET extra_float_digits = 0;

CREATE TABLE rows AS
SELECT i * 37 % 101 AS strong, CASE WHEN i % 9 > 0 THEN i * 31 % 53 END AS weak, CASE WHEN i % 7 > 0 THEN 'c' || i % 4 END AS label,
	   i * 17 % 19 AS noise, 1 AS constant, 1 + i % 3 AS w
FROM generate_series(1, 1200) AS i;
CREATE VIEW truths AS SELECT *, strong * 10 + coalesce(weak, 70) + ascii(coalesce(right(label, 1), '9')) * 3 AS y FROM rows;
CREATE VIEW answers AS SELECT r.*, y > 600 AS positive, y / 300 AS class FROM truths AS r;
CREATE TABLE models AS
SELECT 1 AS id, grove.train('truths', 'y', '{"num_iterations": 30}', ignore => '{w}') AS model
UNION ALL SELECT 2, grove.train('answers', 'positive', '{"num_iterations": 10}', ignore => '{w,y,class}')
UNION ALL SELECT 3, grove.train('answers', 'class', '{"num_iterations": 5}', 'multiclass', ignore => '{w,y,positive}')
UNION ALL SELECT 4, grove.train('SELECT *, i % 40 AS query FROM (SELECT class, strong, weak, strong + coalesce(weak, 0) AS i FROM answers) AS a', 'class',
								'{"num_iterations": 2}', 'ranking', group_by => 'query', ignore => '{i}');

SELECT m.id, string_agg(p.feature, ' ' ORDER BY p.ordinality) FILTER (WHERE p.feature IN ('strong', 'weak', 'label')) AS features,
	   bool_and(smallest <= importance AND importance <= largest AND std >= 0) AS consistent,
	   max(importance) FILTER (WHERE feature = 'constant') AS constant
FROM models AS m, grove.permutation_importance(m.model, 'answers') WITH ORDINALITY AS p
WHERE m.id < 4 GROUP BY m.id ORDER BY m.id;

-- what it is: the metric of predictions from permuted values.  One feature decides, so that the rest does not matter.
CREATE TABLE one AS SELECT i AS a, i > 50 AS y FROM generate_series(1, 100) AS i;
SELECT round(importance::numeric, 2) BETWEEN 0.4 AND 0.6 AS half, std > 0 AS spread
FROM grove.permutation_importance(grove.train('one', 'y', '{"algorithm": "tree", "min_data_in_leaf": 1}'), 'one', 'accuracy', n_repeats => 50);
SELECT m.name, sign(p.importance) AS worse
FROM models, unnest(ARRAY['auc', 'log_loss', 'brier', 'accuracy', 'average_precision']) AS m (name),
	 grove.permutation_importance(model, 'answers', m.name) AS p
WHERE id = 2 AND p.feature = 'strong' ORDER BY m.name;
SELECT m.name, sign(p.importance) AS worse
FROM models, unnest(ARRAY['rmse', 'mae', 'r2']) AS m (name), grove.permutation_importance(model, 'answers', m.name) AS p
WHERE id = 1 AND p.feature = 'strong' ORDER BY m.name;

-- any order of the rows, other seeds, weights
CREATE TABLE shuffled AS SELECT * FROM answers ORDER BY grove.hash64(1, strong, noise, w), weak;
SELECT count(*) AS differ FROM (
	SELECT p.* FROM models, grove.permutation_importance(model, 'answers', weight => 'w') AS p WHERE id = 2
	EXCEPT SELECT p.* FROM models, grove.permutation_importance(model, 'SELECT y, w, noise, label, weak, strong, constant, positive FROM shuffled', weight => 'w') AS p WHERE id = 2) AS d;
SELECT count(DISTINCT importance) AS importances
FROM models, generate_series(1, 3) AS seed, grove.permutation_importance(model, 'answers', seed => seed) WHERE id = 1 AND feature = 'weak';
SELECT count(*) AS differ FROM (
	SELECT feature, importance > 0.001 FROM models, grove.permutation_importance(model, 'answers', weight => 'w', n_repeats => 1) WHERE id = 3
	EXCEPT SELECT feature, importance > 0.001 FROM models, grove.permutation_importance(model, 'SELECT a.* FROM answers AS a, generate_series(1, w)', n_repeats => 1) WHERE id = 3) AS d;

-- one repeat has no spread, no rows have no metric, a NULL truth does not count
SELECT feature, importance > 1 AS high, std FROM models, grove.permutation_importance(model, 'answers', n_repeats => 1) WHERE id = 1 AND feature = 'strong';
SELECT p.* FROM models, grove.permutation_importance(model, 'SELECT * FROM answers WHERE false') AS p WHERE id = 2 AND feature = 'strong';
SELECT count(*) AS differ FROM (
	SELECT p.* FROM models, grove.permutation_importance(model, 'answers') AS p WHERE id = 1
	EXCEPT SELECT p.* FROM models, grove.permutation_importance(model, 'SELECT * FROM truths UNION ALL SELECT 1, 2, NULL, 3, 4, 5, NULL') AS p WHERE id = 1) AS d;
SELECT count(*) FROM grove.permutation_importance(NULL, 'answers');

-- errors
SELECT * FROM models, grove.permutation_importance(model, 'answers', 'rsme') WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'answers', 'auc') WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'answers', 'calibration_ratio') WHERE id = 2;
SELECT * FROM models, grove.permutation_importance(model, 'answers') WHERE id = 4;
SELECT * FROM models, grove.permutation_importance(model, 'answers', n_repeats => 0) WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'answers', n_repeats => NULL) WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'answers', seed => NULL) WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, NULL) WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'rows') WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'answers', weight => 'label') WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'SELECT *, -1 AS minus FROM answers', weight => 'minus') WHERE id = 1;
SELECT * FROM models, grove.permutation_importance(model, 'DELETE FROM answers') WHERE id = 1;
SET grove.max_memory = '64kB';
SELECT * FROM models, grove.permutation_importance(model, 'SELECT a.* FROM answers AS a, generate_series(1, 100)') WHERE id = 1;
DROP SCHEMA permutation CASCADE;
