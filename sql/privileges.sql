-- What a query sees and may do is decided by the rights of the role that runs it, and by nothing that others put into its search path.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
DROP ROLE IF EXISTS grove_p_owner, grove_p_reader, grove_p_other;
RESET client_min_messages;

SELECT e.trusted, e.superuser FROM pg_available_extension_versions AS e JOIN pg_extension AS x ON e.name = x.extname AND e.version = x.extversion WHERE e.name = 'pg_grove';
CREATE ROLE grove_p_owner;
CREATE ROLE grove_p_reader;
CREATE ROLE grove_p_other;
CREATE SCHEMA grove_p AUTHORIZATION grove_p_owner;
GRANT USAGE ON SCHEMA grove_p TO PUBLIC;

CREATE FUNCTION grove_p.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' | ' || SQLERRM;
END $$;

SET ROLE grove_p_owner;
SET search_path = grove_p;
CREATE TABLE sales (id integer PRIMARY KEY, region text, amount integer, secret text, y boolean);
INSERT INTO sales SELECT i, 'r' || i % 2, i % 50, 'classified ' || i, i % 50 > 20 FROM generate_series(1, 400) AS i;
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_region ON sales USING (region = 'r1' OR current_user = 'grove_p_owner');
GRANT SELECT (id, region, amount, y) ON sales TO grove_p_reader;
CREATE VIEW r0 WITH (security_barrier) AS SELECT id, amount, y FROM sales WHERE region = 'r0';
GRANT SELECT ON r0 TO grove_p_reader;
CREATE TABLE model AS SELECT grove.train('SELECT region, amount, y FROM sales', 'y', '{"num_iterations": 5}') AS bytes;
CREATE FUNCTION train_for_all(source text) RETURNS bytea LANGUAGE sql SECURITY DEFINER SET search_path = grove_p, pg_temp
	AS $$SELECT grove.train(source, 'y', '{"num_iterations": 2}')$$;
RESET ROLE;

-- Reading: a role without rights, one with rights to columns, one behind a policy, and a view with the rights of its owner.
SET ROLE grove_p_other;
SELECT statement, error_of(statement) FROM (VALUES
	(1, $$SELECT grove.train('SELECT amount, y FROM sales', 'y')$$), (2, $$SELECT grove.train('sales', 'y')$$),
	(3, $$SELECT count(*) FROM grove.prune(NULL::sales, 'sales', keep => 0.5)$$), (4, $$SELECT count(*) FROM grove.shuffle(NULL::sales, 'sales')$$),
	(5, $$SELECT grove.predict(bytes, 'r0', 1) FROM model$$), (6, $$SELECT grove.train('r0', 'y')$$)) AS v (n, statement) ORDER BY n;
RESET ROLE;
SET ROLE grove_p_reader;
SELECT error_of($$SELECT grove.train('sales', 'y')$$) AS all_columns, error_of($$SELECT grove.train('SELECT amount, secret, y FROM sales', 'y')$$) AS the_secret,
	error_of($$SELECT grove.train('SELECT amount, y FROM sales', 'y')$$) AS the_others;
SELECT grove.describe(grove.train('SELECT amount, y FROM sales', 'y')) -> 'rows' AS behind_the_policy,
	grove.describe(grove.train('SELECT amount, y FROM r0', 'y')) -> 'rows' AS through_the_view;
SELECT count(*) AS shuffled, count(DISTINCT region) AS regions FROM grove.shuffle(NULL::record, 'SELECT id, region FROM sales', '{id}') AS s (id integer, region text);
-- A function of the owner reads as the owner; the caller's own rights are what they were.
SELECT grove.describe(train_for_all('SELECT region, amount, y FROM sales')) -> 'rows' AS as_the_owner,
	grove.describe(grove.train('SELECT region, amount, y FROM sales', 'y')) -> 'rows' AS as_the_caller;
-- A source is one SELECT, and it cannot write even where the role could.
SELECT error_of($$SELECT grove.train('DELETE FROM model RETURNING 1 AS y', 'y')$$) AS deletes, error_of($$SELECT grove.train('SELECT 1 AS y; SELECT 2', 'y')$$) AS two;
SELECT current_user;
RESET ROLE;

-- Objects of the same names in front of the extension's and of pg_catalog change nothing.
CREATE SCHEMA grove_p_attack AUTHORIZATION grove_p_other;
GRANT USAGE ON SCHEMA grove_p_attack TO PUBLIC;
SET ROLE grove_p_other;
SET search_path = grove_p_attack;
CREATE FUNCTION attacked() RETURNS integer LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'attacked as %', current_user; END $$;
DO $$
DECLARE
	f record;
BEGIN
	-- every function of the extension and the commonest of the server's that have simple arguments
	FOR f IN SELECT DISTINCT proname, pg_catalog.oidvectortypes(proargtypes) AS arguments, pg_catalog.format_type(prorettype, NULL) AS result
		FROM pg_catalog.pg_proc
		WHERE prokind = 'f' AND NOT proretset AND prorettype NOT IN (SELECT oid FROM pg_catalog.pg_type WHERE typtype = 'p') AND provariadic = 0
			AND NOT EXISTS (SELECT FROM pg_catalog.unnest(proargtypes) AS a JOIN pg_catalog.pg_type AS t ON t.oid = a WHERE t.typtype = 'p')
			AND (pronamespace = 'grove'::regnamespace OR proname IN ('float8', 'int8', 'text', 'abs', 'length', 'lower', 'upper', 'md5', 'quote_ident', 'format_type', 'current_setting',
				'int4pl', 'int8pl', 'float8lt', 'int4eq', 'int8eq', 'texteq', 'jsonb_object_field_text', 'to_regclass', 'pg_get_userbyid')) LOOP
		EXECUTE pg_catalog.format('CREATE FUNCTION grove_p_attack.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$BEGIN RAISE EXCEPTION ''attacked as %%'', current_user; END $f$', f.proname, f.arguments, f.result);
	END LOOP;
END $$;
CREATE FUNCTION lies_int(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'attacked as %', current_user; END $$;
CREATE FUNCTION lies_text(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'attacked as %', current_user; END $$;
CREATE FUNCTION lies_bigint(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'attacked as %', current_user; END $$;
CREATE OPERATOR = (LEFTARG = integer, RIGHTARG = integer, FUNCTION = lies_int);
CREATE OPERATOR < (LEFTARG = integer, RIGHTARG = integer, FUNCTION = lies_int);
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = lies_text);
CREATE OPERATOR < (LEFTARG = text, RIGHTARG = text, FUNCTION = lies_text);
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = lies_bigint);
CREATE OPERATOR < (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = lies_bigint);
CREATE VIEW training_progress AS SELECT attacked();
CREATE DOMAIN tally_state AS text CHECK (false);
CREATE DOMAIN float8 AS text CHECK (false);
CREATE DOMAIN jsonb AS text CHECK (false);
GRANT SELECT ON training_progress TO PUBLIC;
RESET ROLE;
SET ROLE grove_p_owner;
SET search_path = grove_p_attack, grove, pg_catalog, grove_p;
-- the attack works where names are not qualified
SELECT grove_p.error_of('SELECT 1 = 1') AS bait;
SELECT grove.train('SELECT region, amount, y FROM grove_p.sales', 'y', '{"num_iterations": 5}') OPERATOR(pg_catalog.=) bytes AS trains FROM grove_p.model;
SELECT grove.predict(bytes, 'r0'::pg_catalog.text, 1) OPERATOR(pg_catalog.>) 0 AS predicts, grove.describe(bytes) IS NOT NULL AS describes, grove.tree_text(bytes, 0) IS NOT NULL AS draws FROM grove_p.model;
SELECT pg_catalog.count(*) AS kept FROM grove.prune(NULL::grove_p.sales, 'grove_p.sales', n => 100, by => '{region}');
SELECT pg_catalog.count(*) AS duplicates FROM grove.prune(NULL::grove_p.sales, 'grove_p.sales', method => 'duplicates', target => 'y', params => '{"ignore": ["secret", "region"]}');
SELECT pg_catalog.count(*) AS shuffled FROM grove.shuffle(NULL::grove_p.sales, 'grove_p.sales');
SELECT pg_catalog.array_length(grove.sample(id, 10, 1), 1) AS sampled, grove.block_design_effect(amount, id) IS NOT NULL AS design, grove.auc(y, amount) AS auc FROM grove_p.sales;
SELECT pg_catalog.count(*) AS trainings FROM grove.training_progress;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS evaluates FROM grove.evaluate((SELECT bytes FROM grove_p.model), 'grove_p.sales');
-- the registry: saved, retrained, used and dropped by name
SELECT grove.save('grove_p_model', grove.train('grove_p.sales', 'y', '{"num_iterations": 2}', ignore => '{id,secret}'), source => 'grove_p.sales', key => '{id}') AS version;
SELECT version, deployed FROM grove.retrain('grove_p_model', only_if_better => false);
SELECT pg_catalog.count(*) AS evaluates FROM grove.evaluate('grove_p_model'::pg_catalog.text, 'grove_p.sales') WHERE metric OPERATOR(pg_catalog.=) 'auc'::pg_catalog.text;
RESET ROLE;
SET ROLE grove_p_other;
SELECT grove_p.error_of($$SELECT grove.predict('grove_p_model', 'r0', 1)$$) AS of_another, grove_p.error_of($$SELECT grove.retrain('grove_p_model')$$) AS retrained_by_another,
	(SELECT pg_catalog.count(*) FROM grove.models WHERE name OPERATOR(pg_catalog.=) 'grove_p_model') AS seen;
RESET ROLE;
SET ROLE grove_p_owner;
SELECT grove.drop_model('grove_p_model') IS NOT NULL AS dropped;
RESET ROLE;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA grove_p, grove_p_attack CASCADE;
DROP ROLE grove_p_owner, grove_p_reader, grove_p_other;
