-- models by name: save, deploy, drop, grant, predict; who may do what
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE ROLE grove_registry_ann;
CREATE ROLE grove_registry_bob;
CREATE SCHEMA registry;
GRANT USAGE ON SCHEMA registry TO PUBLIC;
SET search_path = registry;

CREATE TABLE visits (id int PRIMARY KEY, pages int, source text, bought boolean);
INSERT INTO visits
SELECT i, 1 + floor(30 * grove.u01(1, i))::int, ('{mail,search}'::text[])[1 + i % 2],
	   grove.u01(2, i) < grove.u01(1, i) * (1 + i % 2) / 2.0
FROM generate_series(1, 2000) AS i;
GRANT SELECT ON visits TO PUBLIC;
CREATE FUNCTION model_of(trees int) RETURNS bytea LANGUAGE sql AS $$
	SELECT grove.train('registry.visits', 'bought', jsonb_build_object('num_iterations', trees), ignore => '{id}') $$;

CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

SET ROLE grove_registry_ann;
SELECT grove.save('propensity', model_of(2), source => 'registry.visits', key => '{id}');
SELECT grove.save('propensity', model_of(4), deploy => false);
SELECT name, version, target, task, source, params -> 'num_iterations' AS trees, rows, owner, is_current, readers, recipe
FROM grove.models ORDER BY version;

-- every function by name says what it says by value
SELECT count(*) FILTER (WHERE grove.predict('propensity', v) = grove.predict(m.model, v)) AS row,
	   count(*) FILTER (WHERE grove.predict('propensity', v.pages, v.source) = grove.predict(m.model, v)) AS positions,
	   count(*) FILTER (WHERE grove.predict('propensity'::text, to_jsonb(v)) = grove.predict(m.model, v)) AS json,
	   count(*) FILTER (WHERE grove.predict_raw('propensity', v) = grove.predict_raw(m.model, v)) AS raw,
	   count(*) FILTER (WHERE grove.predict_class('propensity', v) = grove.predict_class(m.model, v)) AS class,
	   count(*) FILTER (WHERE grove.predict_proba('propensity', v) = grove.predict_proba(m.model, v)) AS proba,
	   count(*) FILTER (WHERE grove.predict_leaf('propensity', v) = grove.predict_leaf(m.model, v)) AS leaf
FROM visits AS v, grove.models AS m WHERE m.version = 1;
SELECT grove.describe('propensity') = grove.describe(model), grove.metrics('propensity') = grove.metrics(model),
	   grove.classes('propensity') = grove.classes(model), grove.tree_text('propensity', 0) = grove.tree_text(model, 0),
	   grove.tree_dot('propensity', 0) = grove.tree_dot(model, 0), grove.model('propensity') = model, grove.model('propensity', 1) = model
FROM grove.models WHERE is_current;
SELECT (SELECT array_agg(i) FROM grove.importance('propensity') AS i) = (SELECT array_agg(i) FROM grove.importance(grove.model('propensity')) AS i) AS importance,
	   (SELECT array_agg(e) FROM grove.evaluate('propensity', 'visits') AS e) = (SELECT array_agg(e) FROM grove.evaluate(grove.model('propensity'), 'visits') AS e) AS evaluate,
	   (SELECT array_agg(e) FROM grove.explain('propensity', 3, 'mail'::text) AS e) = (SELECT array_agg(e) FROM grove.explain(grove.model('propensity'), 3, 'mail'::text) AS e) AS explain;
SELECT (SELECT array_agg(n) FROM grove.nodes('propensity') AS n) = (SELECT array_agg(n) FROM grove.nodes(grove.model('propensity')) AS n) AS nodes,
	   (SELECT array_agg(p) FROM grove.permutation_importance('propensity', 'visits') AS p) = (SELECT array_agg(p) FROM grove.permutation_importance(grove.model('propensity'), 'visits') AS p) AS permutation,
	   (SELECT array_agg(p) FROM grove.partial_dependence('propensity', 'visits', 'pages') AS p) = (SELECT array_agg(p) FROM grove.partial_dependence(grove.model('propensity'), 'visits', 'pages') AS p) AS partial;
SELECT grove.predict(NULL::text, 1, 'mail') IS NULL AS null_name, grove.model(NULL) IS NULL AS null_model;

-- deploying
SELECT grove.deploy('propensity', 2);
SELECT version, is_current FROM grove.models ORDER BY version;
SELECT grove.describe('propensity') -> 'trees' AS trees;

-- what another role may do: nothing, then predict, then nothing again
SET ROLE grove_registry_bob;
SELECT count(*) FROM grove.models;
SELECT try($$SELECT grove.predict('propensity', 1, 'mail')$$);
SELECT try($$SELECT grove.save('propensity', registry.model_of(1))$$);
SELECT try($$SELECT grove.deploy('propensity', 1)$$);
SELECT try($$SELECT grove.drop_model('propensity')$$);
SELECT try($$SELECT grove.grant_model('propensity', 'grove_registry_bob')$$);
SELECT try($$SELECT grove.retrain('propensity')$$);
SELECT try($$INSERT INTO grove.models SELECT * FROM grove.models$$);
SELECT try($$UPDATE grove.models SET version = 7$$);
SELECT try($$DELETE FROM grove.models$$);
SET ROLE grove_registry_ann;
SELECT grove.grant_model('propensity', 'grove_registry_bob');
SELECT grove.grant_model('propensity', 'grove_registry_bob');
SELECT grove.save('propensity', model_of(3));
SELECT version, readers FROM grove.models ORDER BY version;
SET ROLE grove_registry_bob;
SELECT count(*) FROM grove.models;
SELECT grove.predict('propensity', 1, 'mail') IS NOT NULL AS predicts;
SELECT try($$SELECT grove.save('propensity', registry.model_of(1))$$);
SELECT try($$SELECT grove.retrain('propensity')$$);
SET ROLE grove_registry_ann;
SELECT grove.revoke_model('propensity', 'grove_registry_bob');
SELECT grove.grant_model('propensity', 'public');
SELECT readers FROM grove.models WHERE is_current;
SET ROLE grove_registry_bob;
SELECT grove.predict('propensity', 1, 'mail') IS NOT NULL AS predicts;
SET ROLE grove_registry_ann;
SELECT grove.revoke_model('propensity', 'public');
SET ROLE grove_registry_bob;
SELECT try($$SELECT grove.predict('propensity', 1, 'mail')$$);

-- a function of the owner looks the name up with the owner's rights
RESET ROLE;
CREATE FUNCTION propensity(pages int, source text) RETURNS float8 LANGUAGE sql SECURITY DEFINER STABLE
AS $$ SELECT grove.predict('propensity', pages, source) $$;
ALTER FUNCTION propensity OWNER TO grove_registry_ann;
SET ROLE grove_registry_bob;
SELECT propensity(1, 'mail') IS NOT NULL AS predicts;

-- names belong to who came first, whatever others can see
SELECT grove.save('other', model_of(1));
SET ROLE grove_registry_ann;
SELECT try($$SELECT grove.save('other', registry.model_of(1))$$);

-- objects of the same names in front of ours and the server's change nothing
CREATE TEMP TABLE models (name text, version int);
RESET ROLE;
CREATE FUNCTION registry.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed operator'; END $$;
CREATE OPERATOR registry.= (LEFTARG = text, RIGHTARG = text, FUNCTION = registry.eq);
CREATE FUNCTION registry.describe(bytea) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed function'; END $$;
SET ROLE grove_registry_ann;
SET search_path = registry, pg_catalog;
SELECT grove.save('propensity', model_of(2), source => 'registry.visits', key => '{id}');
SELECT version, deployed, metric FROM grove.retrain('propensity', only_if_better => false);
SELECT grove.predict('propensity', 1, 'mail'::text) IS NOT NULL AS predicts;
SET search_path = registry;
RESET ROLE;
DROP OPERATOR registry.= (text, text);
DROP FUNCTION registry.eq, registry.describe;
DROP TABLE pg_temp.models;

-- bad arguments
SET ROLE grove_registry_ann;
SELECT try(s) FROM (VALUES
	(1, $$SELECT grove.save('', registry.model_of(1))$$),
	(2, $$SELECT grove.save(repeat('x', 257), registry.model_of(1))$$),
	(3, $$SELECT grove.save(NULL, registry.model_of(1))$$),
	(4, $$SELECT grove.save('x', NULL)$$),
	(5, $$SELECT grove.save('x', '\x0011')$$),
	(6, $$SELECT grove.deploy('nobody', 1)$$),
	(7, $$SELECT grove.deploy('propensity', 99)$$),
	(8, $$SELECT grove.drop_model('nobody')$$),
	(9, $$SELECT grove.drop_model('propensity', 99)$$),
	(10, $$SELECT grove.drop_model('propensity', version) FROM grove.models WHERE is_current AND name = 'propensity'$$),
	(11, $$SELECT grove.grant_model('propensity', 'nobody at all')$$),
	(12, $$SELECT grove.predict('nobody', 1)$$),
	(13, $$SELECT grove.predict('\x00', 1)$$),
	(14, $$SELECT grove.predict('propensity', 1)$$),
	(15, $$SELECT grove.model('propensity', 0)$$),
	(16, $$SELECT grove.model('propensity', 99)$$)) AS t (n, s) ORDER BY n;

-- a first version that is not deployed serves nobody
SELECT grove.save('waiting', model_of(1), deploy => false);
SELECT is_current FROM grove.models WHERE name = 'waiting';
SELECT try($$SELECT grove.predict('waiting', 1, 'mail')$$);
SELECT grove.deploy('waiting', 1);
SELECT grove.predict('waiting', 1, 'mail') IS NOT NULL AS predicts;
SELECT grove.drop_model('waiting');

-- dropping
SELECT grove.drop_model('propensity', 1);
SELECT grove.drop_model('propensity') > 1 AS dropped;
SELECT count(*) FROM grove.models;
SELECT try($$SELECT grove.predict('propensity', 1, 'mail')$$);

-- a superuser may drop what another role owns
RESET ROLE;
SELECT count(*) FROM grove.models;
SELECT grove.drop_model('other');

DROP SCHEMA registry CASCADE;
DROP ROLE grove_registry_ann, grove_registry_bob;
