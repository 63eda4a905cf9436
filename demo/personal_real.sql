/*
 * personal_real.sql: the personal side on real purchases.
 *
 * Included by demo.sql if demo/run.sh found the Online Retail data (541,909
 * invoice lines of a shop for gifts, December 2010 to December 2011; see
 * demo/data/README.md), whose directory GROVE_RETAIL names.  The question:
 * which things will a customer who comes next month put into the basket?
 */
\echo
\echo '== 13. The personal side with REAL purchases (Online Retail, UCI Machine Learning Repository 352)'
CREATE TABLE lines (
	invoice_no	text,
	stock_code	text,
	quantity	int,
	invoice_date timestamp,
	unit_price	numeric,		-- sums of it are exact, whatever the order of the rows
	customer_id int,
	country		text
);
CREATE TABLE products (stock_code text, description text, line_count int);
\copy lines FROM PROGRAM 'gzip -dc "$GROVE_RETAIL/online_retail_lines.csv.gz"' WITH (FORMAT csv, HEADER true)
\copy products FROM PROGRAM 'gzip -dc "$GROVE_RETAIL/online_retail_products.csv.gz"' WITH (FORMAT csv, HEADER true)

-- Who bought what on which day.  Cancellations, postage and buyers without a number are left out.
CREATE TABLE purchases AS
SELECT customer_id, stock_code, invoice_date::date AS day, avg(unit_price) AS price
FROM lines
WHERE quantity > 0 AND unit_price > 0 AND customer_id IS NOT NULL AND stock_code ~ '^[0-9]{5}'
GROUP BY 1, 2, 3;

SELECT (SELECT count(*) FROM lines) AS "invoice lines", count(*) AS purchases, count(DISTINCT customer_id) AS customers,
	   count(DISTINCT stock_code) AS things, min(day) AS "from", max(day) AS "to"
FROM purchases;

\echo 'The past makes the features, the month behind it the label.  The model learns from October, and is'
\echo 'judged on November and on customers that it has not seen.'
CREATE TABLE months (part text PRIMARY KEY, begins date);
INSERT INTO months VALUES ('training', '2011-10-01'), ('holdout', '2011-11-01');

CREATE TABLE basket AS
SELECT DISTINCT part, customer_id, stock_code
FROM months JOIN purchases ON day >= begins AND day < begins + interval '1 month'
WHERE grove.split('{0.7,0.3}', 5, customer_id) = CASE part WHEN 'training' THEN 1 ELSE 2 END;

-- What was known on the first of the month: of the 400 things that most customers bought in the quarter before, ...
CREATE TABLE things AS
SELECT part, stock_code, left(stock_code, 3) AS kind, count(DISTINCT customer_id) AS customers, avg(price)::float8 AS price
FROM months JOIN purchases ON day >= begins - 90 AND day < begins
GROUP BY part, stock_code;
DELETE FROM things AS t USING (SELECT part, stock_code, row_number() OVER (PARTITION BY part ORDER BY customers DESC, stock_code) AS place
							   FROM things) AS r
WHERE (r.part, r.stock_code) = (t.part, t.stock_code) AND place > 400;

-- ... of the customers, those who came back in the month (the others bought none of the things), ...
CREATE TABLE history AS
SELECT part, purchases.*, begins - day AS days_ago
FROM months JOIN purchases ON day < begins
WHERE (part, customer_id) IN (SELECT part, customer_id FROM basket);
CREATE TABLE buyers AS
SELECT part, customer_id, count(DISTINCT day) AS visits, count(DISTINCT stock_code) AS different,
	   min(days_ago) AS days_ago, avg(price)::float8 AS usual_price
FROM history
GROUP BY part, customer_id;

-- ... and of both together.  The first three digits of a stock code tell what kind of thing it is.
CREATE TABLE met AS
SELECT part, customer_id, stock_code, count(*) AS times, min(days_ago) AS bought_days_ago
FROM history
GROUP BY part, customer_id, stock_code;
CREATE TABLE tastes AS
SELECT part, customer_id, left(stock_code, 3) AS kind, count(*)::float8 / sum(count(*)) OVER (PARTITION BY part, customer_id) AS taste
FROM met
GROUP BY part, customer_id, left(stock_code, 3);
ANALYZE things, buyers, met, tastes, basket;

CREATE TABLE real_pairs AS
SELECT part, customer_id, stock_code, t.customers, t.price, b.visits, b.different, b.days_ago, b.usual_price,
	   t.price / b.usual_price AS price_ratio, coalesce(k.taste, 0) AS taste, coalesce(m.times, 0) AS times, m.bought_days_ago,
	   a.stock_code IS NOT NULL AS bought
FROM buyers AS b JOIN things AS t USING (part)
	 LEFT JOIN met AS m USING (part, customer_id, stock_code)
	 LEFT JOIN tastes AS k USING (part, customer_id, kind)
	 LEFT JOIN basket AS a USING (part, customer_id, stock_code);
ANALYZE real_pairs;

\echo 'Every customer with every thing is a pair, few of them were bought: keep a tenth, every purchase among them'
CREATE TABLE real_pruned AS
SELECT (kept).*, log_offset
FROM grove.prune(NULL::real_pairs, 'SELECT * FROM real_pairs WHERE part = ''training''', keep => 0.1, method => 'negatives',
				 target => 'bought', key => '{customer_id,stock_code}', seed => 3);

SELECT part, count(DISTINCT customer_id) AS customers, count(*) AS pairs, count(*) FILTER (WHERE bought) AS bought
FROM real_pairs
GROUP BY part
UNION ALL
SELECT 'pruned', count(DISTINCT customer_id), count(*), count(*) FILTER (WHERE bought)
FROM real_pruned
ORDER BY pairs DESC;

INSERT INTO models (name, model)
SELECT 'personal real', grove.train('SELECT * FROM real_pruned', 'bought', :'options', base_margin => 'log_offset',
									ignore => '{part,customer_id,stock_code}', seed => 1);

\echo 'What most customers bought against what this customer would: all pairs of the hold-out, none left out'
CREATE TABLE real_scored AS
SELECT h.*, grove.predict((SELECT model FROM models WHERE name = 'personal real'), h) AS probability
FROM real_pairs AS h
WHERE part = 'holdout';

SELECT round(grove.auc(bought, customers::float8)::numeric, 4) AS "auc popular things first",
	   round(grove.auc(bought, probability)::numeric, 4) AS "auc personal",
	   round(grove.ndcg(customer_id, bought, customers::float8, 5)::numeric, 4) AS "ndcg of five, popular",
	   round(grove.ndcg(customer_id, bought, probability, 5)::numeric, 4) AS "ndcg of five, personal",
	   round(100 * avg(bought::int), 2) AS "bought %",
	   round(100 * avg(probability)::numeric, 2) AS "predicted %"
FROM real_scored;

\echo '== 14. Five things for one customer of the hold-out, and what the customer did buy that month'
-- The customer is the one in the middle, by purchases before the month.
SELECT customer_id AS shown FROM buyers WHERE part = 'holdout'
ORDER BY different, customer_id
OFFSET (SELECT count(*) / 2 FROM buyers WHERE part = 'holdout') LIMIT 1 \gset
SELECT customer_id, visits, different AS "different things", days_ago AS "days ago", round(usual_price::numeric, 2) AS "usual price"
FROM buyers
WHERE part = 'holdout' AND customer_id = :shown;

SELECT candidate.stock_code, d.description, round(grove.predict(m.model, candidate)::numeric, 3) AS probability,
	   candidate.times AS "bought before", candidate.bought
FROM models AS m, real_pairs AS candidate
	 LEFT JOIN (SELECT DISTINCT ON (stock_code) stock_code, description FROM products WHERE description IS NOT NULL
				ORDER BY stock_code, line_count DESC, description) AS d USING (stock_code)
WHERE m.name = 'personal real' AND candidate.part = 'holdout' AND candidate.customer_id = :shown
ORDER BY grove.predict(m.model, candidate) DESC, candidate.stock_code
LIMIT 5;
