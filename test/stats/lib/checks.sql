-- checks.sql: what the statistical tests share.  Include it with \ir lib/checks.sql.
--
-- A check compares counts over many seeds with probabilities.  Frequencies
-- are judged by Chernoff's bound, P(frequency of m trials is at least as far
-- on its side of p) <= exp(-m * KL(frequency, p)), which holds for any m and
-- p without an approximation.  One run is wrong about a right sampler with
-- probability below 10^-7: each check may fail with 10^-7 / 1000, divided
-- by the number of frequencies that it looks at.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA IF NOT EXISTS stats;
SET search_path = stats, public;

-- -ln of the probability with which one of n looks in one check may be wrong.
CREATE OR REPLACE FUNCTION stats.limit_of(n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
	$$SELECT ln(1e7 * 1000 * greatest(n, 1))$$;

-- -ln of Chernoff's bound for c successes in m trials of probability p, two-sided.
CREATE OR REPLACE FUNCTION stats.chernoff(c bigint, m bigint, p float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN p <= 0 THEN CASE WHEN c = 0 THEN 0 ELSE 'Infinity'::float8 END
				WHEN p >= 1 THEN CASE WHEN c = m THEN 0 ELSE 'Infinity'::float8 END
				ELSE m * (CASE WHEN c = 0 THEN 0 ELSE c::float8 / m * ln(c::float8 / m / p) END +
						  CASE WHEN c = m THEN 0 ELSE (1 - c::float8 / m) * ln((1 - c::float8 / m) / (1 - p)) END) - ln(2::float8)
		   END
$$;

-- -ln of the probability that a binomial variable of m trials of probability p is c or more (or, as "at most", c or less), added up exactly.
CREATE OR REPLACE FUNCTION stats.binomial_tail(side text, c bigint, m bigint, p float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	WITH log_factorials AS MATERIALIZED (SELECT n, sum(CASE WHEN n = 0 THEN 0 ELSE ln(n::float8) END) OVER (ORDER BY n) AS l FROM generate_series(0, m) n),
	terms AS (SELECT k.n, (SELECT l FROM log_factorials WHERE n = m) - k.l - r.l + k.n * ln(p) + (m - k.n) * ln(1 - p) AS l
			  FROM log_factorials k JOIN log_factorials r ON r.n = m - k.n)
	SELECT -(max(l) + ln(sum(exp(greatest(l - m, -700))))) FROM (SELECT l, max(l) OVER () AS m FROM terms
																  WHERE CASE side WHEN 'at least' THEN n >= c WHEN 'at most' THEN n <= c END) t
$$;

-- The number of standard deviations that a normal variable exceeds with exp(-bound) at most (Mills' bound).
CREATE OR REPLACE FUNCTION stats.z_limit(n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
	$$SELECT sqrt(2 * stats.limit_of(2 * n))$$;

-- A chi-square value as a standard normal one (Wilson and Hilferty).
CREATE OR REPLACE FUNCTION stats.z_of_chi_square(t float8, df float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS
	$$SELECT ((t / df) ^ (1::float8 / 3) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df))$$;

CREATE OR REPLACE FUNCTION stats.line(ok boolean, name text, detail text DEFAULT '') RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT CASE WHEN ok THEN 'ok ' ELSE 'not ok ' END || name || CASE WHEN ok THEN '' ELSE ' ' || detail END$$;

-- Judges a table of counts: worst of (count, trials, probability).  What was never drawn has to be in it, with a count
-- of 0: so a query counts from all rows or pairs there are, by LEFT JOIN, and not from those that were drawn.
CREATE OR REPLACE FUNCTION stats.frequencies(name text, counts bigint[], trials bigint, probabilities float8[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(stats.line(bool_and(bound <= stats.limit_of(n)), name,
						'count ' || (array_agg(c ORDER BY bound DESC))[1] || ' of ' || trials || ' against ' || (array_agg(p ORDER BY bound DESC))[1]),
					stats.line(false, name, 'no counts'))
	FROM (SELECT c, p, stats.chernoff(c, trials, p) AS bound, count(*) OVER () AS n FROM unnest(counts, probabilities) u(c, p)) q
$$;
