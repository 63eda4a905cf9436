/*
 * generate_sessions.sql: shop sessions out of nothing, for a machine without
 * the real ones.
 *
 * The columns are those of the Online Shoppers data; the values are drawn from
 * distributions chosen by hand so that the table poses the same problem: about
 * one session in six buys, a few months and traffic types are common and the
 * rest rare, and page_values is known only because the purchase happened.  The
 * numbers say nothing about any shop.  grove.u01 makes every value a function
 * of (seed, session, column), so each run on each machine has the same rows.
 */
INSERT INTO sessions
	(administrative, administrative_duration, informational, informational_duration,
	 product_related, product_related_duration, bounce_rates, exit_rates, page_values,
	 special_day, month, operating_systems, browser, region, traffic_type, visitor_type,
	 weekend, revenue)
WITH draws AS (
	SELECT i,
		grove.u01(468, i, 'month') AS u_month,
		grove.u01(468, i, 'traffic') AS u_traffic,
		grove.u01(468, i, 'visitor') AS u_visitor,
		grove.u01(468, i, 'value') AS u_value,
		-- a standard normal number out of two uniform ones
		sqrt(-2 * ln(grove.u01(468, i, 'depth a'))) * cos(2 * pi() * grove.u01(468, i, 'depth b')) AS z_depth,
		sqrt(-2 * ln(grove.u01(468, i, 'exit a'))) * cos(2 * pi() * grove.u01(468, i, 'exit b')) AS z_exit,
		sqrt(-2 * ln(grove.u01(468, i, 'pace a'))) * cos(2 * pi() * grove.u01(468, i, 'pace b')) AS z_pace,
		grove.u01(468, i, 'revenue') AS u_revenue
	FROM generate_series(1, 12000) AS i
),
visits AS (
	SELECT *,
		(ARRAY['May', 'Nov', 'Mar', 'Dec', 'Oct', 'Sep', 'Aug', 'Jul', 'June', 'Feb'])
			[width_bucket(u_month, '{0.27,0.52,0.67,0.81,0.86,0.90,0.935,0.97,0.99}'::float8[]) + 1] AS month,
		1 + floor(19 * u_traffic ^ 4)::int AS traffic,
		CASE WHEN u_visitor < 0.85 THEN 'Returning_Visitor'
			 WHEN u_visitor < 0.99 THEN 'New_Visitor' ELSE 'Other' END AS visitor,
		greatest(1, round(exp(2.9 + 1.05 * z_depth)))::int AS pages
	FROM draws
),
outcomes AS (
	SELECT *,
		least(0.2, exp(-3.3 - 0.35 * z_depth + 0.6 * z_exit)) AS exits,
		u_revenue < 1 / (1 + exp(-(-2.35
			+ 0.65 * z_depth - 1.0 * z_exit + 0.35 * z_pace
			+ CASE month WHEN 'Nov' THEN 0.9 WHEN 'Feb' THEN -1.2 WHEN 'Mar' THEN -0.4 ELSE 0 END
			+ CASE visitor WHEN 'New_Visitor' THEN 0.8 ELSE 0 END
			+ CASE WHEN traffic IN (2, 8, 11) THEN 0.6 WHEN traffic IN (3, 13) THEN -0.6 ELSE 0 END))) AS bought
	FROM visits
)
SELECT
	floor(6 * grove.u01(468, i, 'administrative') ^ 3 * ln(1 + pages))::int,
	round((80 * ln(1 + pages) * grove.u01(468, i, 'administrative') ^ 3)::numeric, 2),
	floor(3 * grove.u01(468, i, 'informational') ^ 6)::int,
	round((120 * grove.u01(468, i, 'informational') ^ 6)::numeric, 2),
	pages,
	round((pages * 30 * exp(0.6 * z_pace))::numeric, 2),
	round((exits * grove.u01(468, i, 'bounce') ^ 2)::numeric, 5),
	round(exits::numeric, 5),
	CASE WHEN u_value < CASE WHEN bought THEN 0.8 ELSE 0.12 END
		 THEN round((-20 * ln(1 - grove.u01(468, i, 'page value')))::numeric, 3) ELSE 0 END,
	CASE WHEN month IN ('Feb', 'May') AND grove.u01(468, i, 'special') < 0.3
		 THEN 0.2 * (1 + floor(5 * grove.u01(468, i, 'day')))  ELSE 0 END,
	month,
	(1 + floor(8 * grove.u01(468, i, 'system') ^ 2))::int::text,
	(1 + floor(13 * grove.u01(468, i, 'browser') ^ 3))::int::text,
	(1 + floor(9 * grove.u01(468, i, 'region') ^ 2))::int::text,
	traffic::text,
	visitor,
	grove.u01(468, i, 'weekend') < 0.23,
	bought
FROM outcomes
ORDER BY i;
