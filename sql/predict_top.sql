-- predict_top: the likeliest classes, against predict_proba().
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA predict_top;
SET search_path = predict_top, public;

CREATE TABLE flowers AS
SELECT i AS id, (i * 37 % 101)::float8 AS width, i * 53 % 29 AS height, (ARRAY['lily', 'rose', 'tulip', 'iris'])[i * i % 7 % 4 + 1] AS name,
	   i % 3 = 0 AS rare
FROM generate_series(1, 400) AS i;
CREATE TABLE models AS SELECT
	grove.train('SELECT width, height, name FROM flowers', 'name', '{"num_iterations": 10, "min_data_in_leaf": 5}') AS flower,
	grove.train('SELECT width, height, rare FROM flowers', 'rare', '{"num_iterations": 10, "min_data_in_leaf": 5}') AS rare,
	grove.train('SELECT width, height FROM flowers', 'height', '{"num_iterations": 10}') AS height,
	grove.train('SELECT 1 AS same, name FROM (VALUES (''b''), (''a''), (''d''), (''c'')) AS v (name)', 'name',
				'{"num_iterations": 1, "algorithm": "tree"}') AS ties;

-- as many as there are, or as asked for, in order
SELECT n, count(*) AS rows, count(*) FILTER (WHERE wrong) AS wrong
FROM models AS m, flowers AS f, generate_series(1, 6) AS n,
	 LATERAL (SELECT (class, probability) IS DISTINCT FROM (expected.label, expected.p) AS wrong
			  FROM grove.predict_top(m.flower, n, f) WITH ORDINALITY AS top (class, probability, place)
			  FULL JOIN (SELECT row_number() OVER (ORDER BY p DESC, k) AS place, label, p
						 FROM unnest(grove.predict_proba(m.flower, f)) WITH ORDINALITY AS u (p, k)
						 JOIN unnest(grove.classes(m.flower)) WITH ORDINALITY AS c (label, k) USING (k)
						 ORDER BY p DESC, k LIMIT n) AS expected USING (place)) AS compared
GROUP BY n ORDER BY n;
SELECT top.class = grove.predict_class(m.flower, f) AS likeliest, count(*)
FROM models AS m, flowers AS f, grove.predict_top(m.flower, 1, f.width, f.height) AS top GROUP BY 1;
SELECT class, probability = grove.predict(rare, 50, 3) AS is_positive, probability = 1 - grove.predict(rare, 50, 3) AS is_negative
FROM models, grove.predict_top(rare, 5, '{"width": 50, "height": 3}'::jsonb) ORDER BY class;
SELECT class, probability FROM models, grove.predict_top(ties, 3, 1);
SELECT (grove.predict_top(ties, 2, VARIADIC ARRAY[1])).* FROM models;
SELECT count(*) AS of_null FROM grove.predict_top(NULL::bytea, 2, 1);

-- what does not fit
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT call, outcome('SELECT count(*) FROM models, grove.predict_top(' || call || ')') FROM unnest(ARRAY[
	'flower, 0, 1, 2',
	'flower, -1, 1, 2',
	'flower, NULL, 1, 2',
	'flower, 1, 1',
	'height, 1, 1',
	'''\x00''::bytea, 1, 1, 2']) AS call;
DROP SCHEMA predict_top CASCADE;
