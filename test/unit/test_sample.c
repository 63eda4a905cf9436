/*
 * test_sample.c: which units a sampler keeps, in any order and any parts,
 * against what sorting all rows at once says.
 */
#include <float.h>

#include "sampler.h"

static uint64_t
random_word(uint64_t seed, uint64_t i)
{
	return grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i);
}

static void
test_sort(void)
{
	static GroveSamplePair pairs[2 * 3000];
	const size_t sizes[] = {0, 1, 2, 17, 63, 64, 65, 1000, 3000};

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
	{
		for (int kind = 0; kind < 4; kind++)
		{
			size_t		n = sizes[s];
			uint64_t	sum = 0;
			bool		sorted = true;
			bool		stable = true;

			for (size_t i = 0; i < n; i++)
			{
				uint64_t	word = random_word((uint64_t) kind, i);

				pairs[i].key = kind == 0 ? word : kind == 1 ? word % 3 : kind == 2 ? 7 : word << 40;
				pairs[i].index = i;
				sum += pairs[i].key ^ i;
			}
			grove_sample_sort_pairs(pairs, n);
			for (size_t i = 0; i < n; i++)
			{
				uint64_t	word = random_word((uint64_t) kind, pairs[i].index);

				/* the pair is still one of those that went in */
				sorted &= pairs[i].key == (kind == 0 ? word : kind == 1 ? word % 3 : kind == 2 ? 7 : word << 40);
				sum -= pairs[i].key ^ pairs[i].index;
				if (i > 0)
				{
					sorted &= pairs[i - 1].key <= pairs[i].key;
					stable &= pairs[i - 1].key < pairs[i].key || pairs[i - 1].index < pairs[i].index;
				}
			}
			CHECK(sorted);
			CHECK(stable);
			CHECK(sum == 0);
		}
	}
}

/* The order of u / weight, with a range that doubles do not have. */
static int
slow_order(uint64_t a, double wa, uint64_t b, double wb)
{
	int			ea = 1200;
	int			eb = 1200;
	long double ra = (long double) grove_rng_u01(a) / (isinf(wa) ? 1 : frexp(wa, &ea));
	long double rb = (long double) grove_rng_u01(b) / (isinf(wb) ? 1 : frexp(wb, &eb));

	ra = ldexpl(ra, -ea);
	rb = ldexpl(rb, -eb);
	if (fabsl(ra / rb - 1) < 1e-15L)
		return 0;
	return ra < rb ? -1 : 1;
}

static double
test_weight(uint64_t word)
{
	switch (word % 8)
	{
		case 0:
			return ldexp(1, (int) ((word >> 8) % 2098) - 1074);
		case 1:
			return DBL_TRUE_MIN * (double) (1 + (word >> 8) % 1000);
		case 2:
			return DBL_MAX;
		case 3:
			return HUGE_VAL;
		case 4:
			return ldexp(1 + (double) (word >> 12) / 4503599627370496.0, (int) ((word >> 3) % 2000) - 1000);
		default:
			return 1 + (double) (word >> 12) / 4503599627370496.0;
	}
}

static void
test_priority(void)
{
	for (uint64_t i = 0; i < 20000; i++)
	{
		uint64_t	a = random_word(11, i);
		uint64_t	b = random_word(12, i);
		double		wa = test_weight(random_word(13, i));
		double		wb = test_weight(random_word(14, i));
		int			order = slow_order(a, wa, b, wb);
		uint64_t	pa = grove_sample_priority(a, wa);
		uint64_t	pb = grove_sample_priority(b, wb);

		CHECK(order == 0 || (order < 0) == (pa < pb));
		CHECK(pa < GROVE_SAMPLE_NO_CUT - 1);
		/* finite weights rank below infinite ones */
		CHECK(isinf(wa) || grove_sample_priority(b, HUGE_VAL) < pa);
	}

	/* a power of two shifts all priorities alike and changes no hash */
	for (uint64_t i = 0; i < 1000; i++)
	{
		uint64_t	hash = random_word(15, i);
		double		weight = 1 + (double) i / 7;

		CHECK(grove_sample_priority(hash, ldexp(weight, 900)) ==
			  grove_sample_priority(hash, weight) - (UINT64_C(900) << 52));
		CHECK(grove_sample_priority(hash, ldexp(weight, -900)) ==
			  grove_sample_priority(hash, weight) + (UINT64_C(900) << 52));
		CHECK(grove_sample_hash(hash, ldexp(weight, 900)) == grove_sample_hash(hash, weight));
		CHECK(grove_sample_hash(hash, weight) != grove_sample_hash(hash, weight + 0.3));
	}
}

/* A unit of the whole set of rows, as sorting finds it. */
static int
by_priority(const void *a, const void *b)
{
	const GroveSampleUnit *x = a;
	const GroveSampleUnit *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return (x->element > y->element) - (x->element < y->element);
}

/* All units of the rows, in order. */
static size_t
all_units(const Row *rows, size_t n, bool weighted, uint64_t key, GroveSampleUnit *units)
{
	size_t		m = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	hash = grove_rng_hash(key, rows[i].element);

		units[i] = (GroveSampleUnit) {hash, hash, rows[i].weight, 1, rows[i].element, false};
		if (weighted)
		{
			units[i].hash = grove_sample_hash(hash, rows[i].weight);
			units[i].priority = grove_sample_priority(units[i].hash, rows[i].weight);
		}
	}
	qsort(units, n, sizeof(units[0]), by_priority);
	for (size_t i = 0; i < n; i++)
	{
		if (m > 0 && by_priority(&units[m - 1], &units[i]) == 0)
			units[m - 1].rows++;
		else
			units[m++] = units[i];
	}
	return m;
}

/* Feeds rows in some order and in some parts, merged in some tree. */
static Sampler *
feed(const Row *rows, size_t n, bool weighted, uint64_t k, uint64_t spare, uint64_t seed, int parts, uint64_t order)
{
	Sampler    *samplers[8];
	Row		   *shuffled = malloc(n * sizeof(Row));

	memcpy(shuffled, rows, n * sizeof(Row));
	if (order > 0)
		shuffle_rows(shuffled, n, order);
	for (int part = 0; part < parts; part++)
		samplers[part] = sampler_make(weighted, k, spare, seed);
	for (size_t i = 0; i < n; i++)
	{
		/* parts of very different sizes, some perhaps empty */
		int			part = parts == 1 ? 0 : (int) (random_word(order, i) % 100 < 60 ? 0 : random_word(order + 1, i) % (uint64_t) parts);

		sampler_add(samplers[part], shuffled[i]);
	}
	for (int part = 1; part < parts; part++)
	{
		if (part % 2 == 0)
			sampler_compact(samplers[part]);
		sampler_merge(samplers[0], samplers[part]);
		sampler_free(samplers[part]);
	}
	free(shuffled);
	sampler_compact(samplers[0]);
	return samplers[0];
}

static bool
same_unit(const GroveSampleUnit *a, const GroveSampleUnit *b)
{
	return by_priority(a, b) == 0 && a->hash == b->hash && a->rows == b->rows;
}

static void
check_uniform(const Row *rows, size_t n, uint64_t k, uint64_t seed, int parts, uint64_t order)
{
	GroveSampleUnit *units = malloc(n * sizeof(GroveSampleUnit));
	Sampler    *sampler = feed(rows, n, false, k, 0, seed, parts, order);
	size_t		m = all_units(rows, n, false, sampler->key, units);
	size_t		kept = 0;
	uint64_t	sum = 0;
	bool		same = true;

	while (kept < m && (sum < k || (kept > 0 && units[kept].priority == units[kept - 1].priority && k > 0)))
		sum += units[kept++].rows;
	CHECK(sampler->n == kept);
	for (size_t i = 0; i < kept && i < sampler->n; i++)
		same &= same_unit(&sampler->units[i], &units[i]);
	CHECK(same);
	CHECK(sampler->set.rows == n);
	CHECK(parts > 1 || sampler->stored == sampler->n);
	CHECK(parts > 1 || sampler->largest <= 2 * k + 16);
	free(units);
	sampler_free(sampler);
}

/* Priority in a rank, from 0, of a class; NO_CUT when it has not so many. */
static uint64_t
slow_rank(const GroveSampleUnit *units, size_t m, uint64_t class, uint64_t rank)
{
	for (size_t i = 0; i < m; i++)
	{
		if (units[i].hash % 4 == class && rank-- == 0)
			return units[i].priority;
	}
	return GROVE_SAMPLE_NO_CUT;
}

static void
check_weighted(const Row *rows, size_t n, uint64_t k, uint64_t spare, uint64_t seed, int parts, uint64_t order)
{
	GroveSampleUnit *units = malloc(n * sizeof(GroveSampleUnit));
	Sampler    *sampler = feed(rows, n, true, k, spare, seed, parts, order);
	size_t		m = all_units(rows, n, true, sampler->key, units);
	uint64_t	cut[2] = {slow_rank(units, m, 2, sampler->set.ranked), slow_rank(units, m, 0, sampler->set.ranked)};
	size_t		place = 0;
	uint64_t	infinite = 0;
	bool		same = true;

	CHECK(sampler->set.cut[0] == cut[0]);
	CHECK(sampler->set.cut[1] == cut[1]);
	for (uint64_t class = 0; class < 4; class++)
	{
		GroveSampleRest *rest = &sampler->rest[class];
		GroveExactSum sum;
		uint64_t	left = 0;
		uint64_t	certain = 0;

		grove_exactsum_init(&sum);
		for (size_t i = 0; i < m; i++)
		{
			bool		kept = units[i].priority < cut[class / 2] ||
				(class % 2 == 0 && units[i].priority <= cut[1 - class / 2]);

			if (units[i].hash % 4 != class || kept)
				continue;
			if (isinf(units[i].weight))
				certain += units[i].rows;
			else
			{
				left += units[i].rows;
				for (uint64_t row = 0; row < units[i].rows; row++)
					grove_exactsum_add(&sum, units[i].weight);
			}
		}
		CHECK(rest->rows == left);
		CHECK(rest->certain_rows == certain);
		CHECK(grove_exactsum_round(&rest->weights) == grove_exactsum_round(&sum));
	}
	for (size_t i = 0; i < m; i++)
	{
		uint64_t	class = units[i].hash % 4;

		if (isinf(units[i].weight))
			infinite += units[i].rows;
		if (units[i].priority < cut[class / 2] || (class % 2 == 0 && units[i].priority <= cut[1 - class / 2]))
		{
			same &= place < sampler->n && same_unit(&sampler->units[place], &units[i]);
			place++;
		}
	}
	CHECK(same);
	CHECK(sampler->n == place);
	CHECK(sampler->set.rows == n);
	CHECK(sampler->set.certain_rows == infinite);
	CHECK(parts > 1 || sampler->stored == sampler->n);
	free(units);
	sampler_free(sampler);
}

/* Kinds of data: distinct, few distinct, some heavy, weights of all sizes and infinite ones. */
static void
make_rows(Row *rows, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	word = random_word(100 + (uint64_t) kind, i);

		rows[i].element = kind == 1 ? word % 40 : kind == 2 ? (i < n / 2 ? 7 : i) : i;
		rows[i].weight = kind == 3 ? test_weight(word) : kind == 4 ? 1 + (double) (word % 5) :
			kind == 5 ? (word % 4 == 0 ? HUGE_VAL : 1) : 1 / (1 + (double) (rows[i].element % 50));
		if (kind == 4)
			rows[i].element = word >> 20 & 255;
	}
}

static void
test_kept_units(void)
{
	enum
	{
		N = 4000
	};
	static Row	rows[N];
	const uint64_t sizes[] = {0, 1, 5, 100, 1000, 4000, 5000};

	for (int kind = 0; kind < 6; kind++)
	{
		make_rows(rows, N, kind);
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		{
			for (int parts = 1; parts <= 5; parts += 2)
			{
				uint64_t	order = (uint64_t) parts * 1000 + s;

				check_uniform(rows, N, sizes[s], s + 1, parts, order);
				if (sizes[s] > 0)
					check_weighted(rows, N, sizes[s], s % 2 == 0 ? 40 : 400, s + 1, parts, order);
			}
		}
	}
}

/* What a sampler holds does not grow with the number of rows. */
static void
test_memory(void)
{
	const size_t numbers[] = {20000, 200000};

	for (int i = 0; i < 2; i++)
	{
		Sampler    *uniform = sampler_make(false, 500, 0, 3);
		Sampler    *weighted = sampler_make(true, 500, 1000, 3);

		for (uint64_t element = 0; element < numbers[i]; element++)
		{
			sampler_add(uniform, (Row) {element, 1});
			sampler_add(weighted, (Row) {element, 1 + (double) (element % 100)});
		}
		CHECK(uniform->largest <= 1000);
		CHECK(weighted->largest <= 3000);
		sampler_free(uniform);
		sampler_free(weighted);
	}
}

/* No rows wanted: all are counted, none is stored. */
static void
test_nothing_wanted(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		Sampler    *sampler = sampler_make(weighted, 0, 1000, 3);

		for (uint64_t element = 0; element < 100; element++)
			sampler_add(sampler, (Row) {element, 1});
		CHECK(sampler->n == 0);
		CHECK(sampler->set.rows == 100);
		sampler_free(sampler);
	}
}

/* Two different elements with one hash are two units, in the order of the elements. */
static void
test_collision(void)
{
	Sampler    *sampler = sampler_make(false, 3, 0, 1);
	const uint64_t elements[] = {9, 4, 9, 7, 4, 9, 7, 1};

	for (size_t i = 0; i < 8; i++)
	{
		GroveSampleUnit unit;

		CHECK(grove_sample_offer(&sampler->set, 1234, 1, &unit));
		unit.element = elements[i];
		sampler_store(sampler, unit);
	}
	sampler_compact(sampler);
	CHECK(sampler->n == 4);
	CHECK(sampler->stored == 4);
	for (size_t i = 0; i < 4 && sampler->n == 4; i++)
	{
		const uint64_t order[] = {1, 4, 7, 9};
		const uint64_t rows[] = {1, 2, 2, 3};

		CHECK(sampler->units[i].element == order[i]);
		CHECK(sampler->units[i].rows == rows[i]);
	}
	sampler_free(sampler);
}

int
main(void)
{
	test_sort();
	test_priority();
	test_kept_units();
	test_memory();
	test_nothing_wanted();
	test_collision();
	return unit_done();
}
