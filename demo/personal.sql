/*
 * personal.sql: the personal side, which items to show to which customer.
 *
 * Included by demo.sql.  The table is GENERATED: a shop's log of what was
 * shown to whom and bought, with a hidden taste of each customer for each kind
 * of item.  A model that only knows what is popular cannot use that taste; one
 * that sees customer and item together can.
 */
\echo
\echo '== 11. The personal side: what was shown to whom, and bought (GENERATED data)'
CREATE TABLE customers (
	customer_id	int PRIMARY KEY,
	age			int,
	favourite	text,			-- kind bought most in the past
	usual_price	float8			-- average price paid so far
);
CREATE TABLE items (
	item_id		int PRIMARY KEY,
	kind		text,
	price		float8,
	shown_often	int				-- how often the shop shows it
);
CREATE TABLE impressions (
	id			int PRIMARY KEY,
	customer_id	int REFERENCES customers,
	item_id		int REFERENCES items,
	bought		boolean NOT NULL
);

INSERT INTO customers
SELECT c, 18 + floor(60 * grove.u01(11, c, 'age'))::int,
	   ('{shoes,shirts,coats,bags,books,toys}'::text[])[1 + floor(6 * grove.u01(11, c, 'favourite'))::int],
	   round((15 * exp(1.5 * grove.u01(11, c, 'price')))::numeric, 2)
FROM generate_series(1, 1500) AS c;

INSERT INTO items
SELECT i, ('{shoes,shirts,coats,bags,books,toys}'::text[])[1 + i % 6],
	   round((8 * exp(2.2 * grove.u01(12, i, 'price')))::numeric, 2),
	   ceil(1000 / i ^ 0.8)::int		-- a few items get most of the attention
FROM generate_series(1, 240) AS i;

-- 40 items shown to each customer, popular ones more often.
INSERT INTO impressions
SELECT row_number() OVER (ORDER BY customer_id, item_id), customer_id, item_id,
	   grove.u01(13, customer_id, item_id) < 1 / (1 + exp(-(-4.2
			+ 0.4 * ln(shown_often / 30.0)	-- what is shown often is also liked by many
			+ CASE WHEN kind = favourite THEN 2.2 ELSE 0 END
			+ CASE WHEN kind = 'toys' AND age BETWEEN 28 AND 45 THEN 1.2 ELSE 0 END
			- 0.9 * abs(ln(price / usual_price)))))
FROM customers
CROSS JOIN LATERAL (
	SELECT * FROM items
	ORDER BY -ln(grove.u01(14, customer_id, item_id)) / shown_often
	LIMIT 40) AS shown;

-- What a model may look at: the customer and the item side by side.
CREATE VIEW pairs AS
SELECT i.id, i.customer_id, i.item_id, c.age, c.favourite, c.usual_price, t.kind, t.price, t.shown_often,
	   t.price / c.usual_price AS price_ratio, c.favourite = t.kind AS is_favourite, i.bought
FROM impressions AS i JOIN customers AS c USING (customer_id) JOIN items AS t USING (item_id);

-- All rows of a customer are on one side: the hold-out has customers that the model never saw.
CREATE VIEW pairs_training AS SELECT * FROM pairs WHERE grove.split('{0.8,0.2}', 5, customer_id) = 1;
CREATE VIEW pairs_holdout  AS SELECT * FROM pairs WHERE grove.split('{0.8,0.2}', 5, customer_id) = 2;
ANALYZE customers, items, impressions;

\echo 'Few positives: keep a fifth of the rows, every purchase among them.  log_offset carries the'
\echo 'correction into training, so that predict() gives probabilities of the full table.'
CREATE TABLE pairs_pruned AS
SELECT (kept).*, log_offset
FROM grove.prune(NULL::pairs, 'SELECT * FROM pairs_training', keep => 0.2, method => 'negatives',
				 target => 'bought', key => '{id}', seed => 3);

SELECT 'training' AS part, count(*) AS "rows", count(*) FILTER (WHERE bought) AS purchases FROM pairs_training
UNION ALL
SELECT 'pruned', count(*), count(*) FILTER (WHERE bought) FROM pairs_pruned
UNION ALL
SELECT 'holdout', count(*), count(*) FILTER (WHERE bought) FROM pairs_holdout;

INSERT INTO models (name, "rows", model)
SELECT 'personal', (SELECT count(*) FROM pairs_pruned),
	   grove.train('SELECT * FROM pairs_pruned', 'bought', :'options', base_margin => 'log_offset',
				   ignore => '{id,customer_id,item_id}', seed => 1);

\echo 'Customers that the model never saw: what is popular against what is personal'
SELECT round(grove.auc(h.bought, t.shown_often::float8)::numeric, 4) AS "auc popular items first",
	   round(grove.auc(h.bought, grove.predict(m.model, h))::numeric, 4) AS "auc personal",
	   round(100 * avg(h.bought::int), 2) AS "bought %",
	   round(100 * avg(grove.predict(m.model, h))::numeric, 2) AS "predicted %"
FROM pairs_holdout AS h JOIN items AS t USING (item_id), models AS m
WHERE m.name = 'personal';

\echo '== 12. Five items for one customer: predict() in ORDER BY'
SELECT customer_id, age, favourite, usual_price FROM customers WHERE customer_id = 17;

SELECT candidate.item_id, candidate.kind, candidate.price,
	   round(grove.predict(m.model, candidate)::numeric, 3) AS probability
FROM models AS m,
	 (SELECT t.item_id, c.age, c.favourite, c.usual_price, t.kind, t.price, t.shown_often,
			 t.price / c.usual_price AS price_ratio, c.favourite = t.kind AS is_favourite
	  FROM customers AS c CROSS JOIN items AS t
	  WHERE c.customer_id = 17
		AND NOT EXISTS (SELECT FROM impressions AS i
						WHERE (i.customer_id, i.item_id, i.bought) = (c.customer_id, t.item_id, true))) AS candidate
WHERE m.name = 'personal'
ORDER BY grove.predict(m.model, candidate) DESC, candidate.item_id
LIMIT 5;
