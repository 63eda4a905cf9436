/*
 * test_sketch.c: the sample and the edges as functions of the set of rows:
 * any order gives the same; the sample is what its definition says; edges
 * against a rule that walks over every row; extreme doubles.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/sketch.h"
#include "engine_kit.h"
#include "unit.h"

/* Rows of a few columns; equal rows have equal hashes. */
typedef struct Rows
{
	uint32_t	n;
	uint32_t	n_columns;
	uint64_t   *hash;
	double	   *values;			/* [n][n_columns] */
} Rows;

typedef struct Cut
{
	GroveSketch sketch;
	void	   *memory;
	void	   *scratch;
} Cut;

static Rows
make_rows(uint32_t n, uint32_t n_columns)
{
	Rows		rows;

	rows.n = n;
	rows.n_columns = n_columns;
	rows.hash = kit_alloc(n, sizeof(uint64_t));
	rows.values = kit_alloc((size_t) n * n_columns, sizeof(double));
	return rows;
}

static void
free_rows(Rows *rows)
{
	free(rows->hash);
	free(rows->values);
}

/* The sketch of all rows in this order. */
static Cut
sketch_rows(const Rows *rows, const uint32_t *order, uint32_t capacity)
{
	Cut			cut;
	size_t		size;

	if (grove_sketch_size(rows->n_columns, capacity, &size) != GROVE_OK)
		abort();
	cut.memory = malloc(size);
	if (cut.memory == NULL)
		abort();
	memset(cut.memory, 0x5a, size);
	grove_sketch_init(&cut.sketch, cut.memory, rows->n_columns, capacity);
	for (uint32_t i = 0; i < rows->n; i++)
	{
		uint32_t	row = order ? order[i] : i;

		grove_sketch_add(&cut.sketch, &rows->hash[row], 1, rows->values + (size_t) row * rows->n_columns, 1, NULL);
	}
	cut.scratch = kit_alloc(grove_sketch_scratch(&cut.sketch), 1);
	return cut;
}

static void
free_cut(Cut *cut)
{
	free(cut->memory);
	free(cut->scratch);
}

/* A few kinds of columns; each row is a function of its number below distinct. */
static Rows
random_rows(KitRandom *random, uint32_t n, uint32_t distinct)
{
	Rows		rows = make_rows(n, 6);
	uint64_t	key = kit_next(random);

	for (uint32_t i = 0; i < n; i++)
	{
		KitRandom	one = {key, (uint64_t) kit_below(random, distinct) << 20};
		double	   *v = rows.values + (size_t) i * 6;

		rows.hash[i] = kit_next(&one);
		v[0] = kit_normal(&one);
		v[1] = kit_chance(&one, 0.4) ? 0.0 : kit_chance(&one, 0.5) ? -0.0 : floor(kit_normal(&one) * 300.0);
		v[2] = kit_chance(&one, 0.3) ? NAN : floor(kit_normal(&one) * 20.0);
		v[3] = (double) kit_below(&one, 3);
		v[4] = 1e9 + kit_below(&one, 1000) * 0.001; /* all of them round to two singles */
		v[5] = 1000.0 + kit_normal(&one) * 0.01;	/* many round to the same one */
	}
	return rows;
}

/* ------------------------------------------------------------------- sample */

static uint32_t
count_distinct_below(const Rows *rows, uint64_t threshold)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < rows->n; i++)
	{
		bool		first = rows->hash[i] < threshold;

		for (uint32_t j = 0; j < i && first; j++)
			first = rows->hash[j] != rows->hash[i];
		n += first;
	}
	return n;
}

static uint32_t
count_rows(const Rows *rows, uint64_t hash)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; i < rows->n; i++)
		n += rows->hash[i] == hash;
	return n;
}

/*
 * The definition: the threshold falls by an eighth (plus one) until the
 * distinct rows below it fit; the sample is all of these, with their numbers.
 */
static void
check_sample(const Rows *rows, const GroveSketch *sketch)
{
	uint64_t	threshold = UINT64_MAX;
	uint32_t	n;

	while ((n = count_distinct_below(rows, threshold)) > sketch->capacity)
		threshold -= threshold / 8 + 1;
	CHECK(sketch->threshold == threshold);
	CHECK(sketch->n_rows == n);
	for (uint32_t i = 0; i < sketch->n_rows; i++)
	{
		CHECK(sketch->hash[i] < threshold);
		CHECK(sketch->count[i] == count_rows(rows, sketch->hash[i]));
	}
}

/* Two sketches whose edges and medians must be the same. */
static bool
same_cuts(Cut *a, Cut *b, uint32_t max_bins)
{
	double		edges_a[GROVE_BINS];
	double		edges_b[GROVE_BINS];
	uint32_t	n_a,
				n_b;

	for (uint32_t column = 0; column < a->sketch.n_columns; column++)
	{
		grove_sketch_edges(&a->sketch, column, max_bins, a->scratch, edges_a, &n_a);
		grove_sketch_edges(&b->sketch, column, max_bins, b->scratch, edges_b, &n_b);
		if (n_a != n_b || (n_a > 1 && memcmp(edges_a, edges_b, (n_a - 1) * sizeof(double)) != 0))
			return false;
		if (grove_sketch_median(&a->sketch, column, a->scratch) != grove_sketch_median(&b->sketch, column, b->scratch))
			return false;
	}
	return a->sketch.n_rows == b->sketch.n_rows && a->sketch.threshold == b->sketch.threshold;
}

static void
test_order(void)
{
	KitRandom	random = kit_random(1);

	for (int round = 0; round < 200; round++)
	{
		uint32_t	n = 1 + kit_below(&random, 600);
		uint32_t	capacity = 16 + kit_below(&random, 100);
		Rows		rows = random_rows(&random, n, 1 + kit_below(&random, 2 * n));
		Cut			first = sketch_rows(&rows, NULL, capacity);

		check_sample(&rows, &first.sketch);
		for (int other = 0; other < 4; other++)
		{
			uint32_t   *order = kit_order(&random, n);
			Cut			second = sketch_rows(&rows, order, capacity);

			CHECK(same_cuts(&first, &second, 2 + kit_below(&random, 254)));
			free_cut(&second);
			free(order);
		}
		free_cut(&first);
		free_rows(&rows);
	}
}

/* The one row above the next threshold comes first or last: the sample is the same. */
static void
test_last_row_leaves(void)
{
	Rows		rows = make_rows(17, 1);
	uint32_t	order[17];
	Cut			a,
				b;

	for (uint32_t i = 0; i < 17; i++)
	{
		rows.values[i] = i;
		rows.hash[i] = UINT64_C(0x4000000000000000) + i * UINT64_C(0x0100000000000000);
		order[i] = (i + 16) % 17;
	}
	rows.hash[16] = UINT64_C(0xfff0000000000000);
	a = sketch_rows(&rows, NULL, 16);
	b = sketch_rows(&rows, order, 16);
	check_sample(&rows, &a.sketch);
	check_sample(&rows, &b.sketch);
	CHECK(same_cuts(&a, &b, 4));
	free_cut(&a);
	free_cut(&b);
	free_rows(&rows);
}

/* -------------------------------------------------------------------- edges */

/* The column's values that are not missing, ascending, one entry a row. */
static double *
sorted_values(const Rows *rows, uint32_t column, uint32_t *n)
{
	double	   *sorted = kit_alloc(rows->n, sizeof(double));

	*n = 0;
	for (uint32_t i = 0; i < rows->n; i++)
	{
		double		v = rows->values[(size_t) i * rows->n_columns + column];

		if (!isnan(v))
			sorted[(*n)++] = v;
	}
	qsort(sorted, *n, sizeof(double), kit_compare_doubles);
	return sorted;
}

/* Number of rows that equal the one at i, which is the first of them. */
static uint32_t
run_length(const double *sorted, uint32_t n, uint32_t i)
{
	uint32_t	end = i;

	while (end < n && sorted[end] == sorted[i])
		end++;
	return end - i;
}

static uint32_t
count_values(const double *sorted, uint32_t n)
{
	uint32_t	values = 0;

	for (uint32_t i = 0; i < n; i += run_length(sorted, n, i))
		values++;
	return values;
}

/* Whether a single-precision number tells a from b. */
static bool
single_between(double a, double b)
{
	float		single = (float) a;

	if ((double) single < a)
		single = nextafterf(single, INFINITY);
	return (double) single < b;
}

/* Whether more rows than a share have different values that no single tells apart. */
static bool
crowded(const double *sorted, uint32_t n, uint32_t max_bins)
{
	for (uint32_t begin = 0, end; begin < n; begin = end)
	{
		for (end = begin + 1; end < n && (sorted[end] == sorted[end - 1] || !single_between(sorted[end - 1], sorted[end])); end++)
			;
		if (sorted[end - 1] > sorted[begin] && end - begin > n / max_bins)
			return true;
	}
	return false;
}

/*
 * The rule, row by row: a bin closes when it holds its share of the rows that
 * no closed bin holds; or when the next value fills a share alone and this bin
 * is half full; or when there are no more values left than bins; but, unless
 * the column is crowded or has few values, only where a single-precision
 * number lies.  Places of the last row of each closed bin; returns how many
 * bins there are.
 */
static uint32_t
cut_by_rule(const double *sorted, uint32_t n, uint32_t max_bins, uint32_t *ends)
{
	uint32_t	bins = 1;
	uint32_t	begin = 0;		/* of the bin at hand */
	bool		anywhere = count_values(sorted, n) <= max_bins || crowded(sorted, n, max_bins);

	for (uint32_t i = 0; i < n && bins < max_bins;)
	{
		uint32_t	after = i + run_length(sorted, n, i);
		uint32_t	share = (n - begin) / (max_bins - bins + 1);
		bool		full = after - begin >= share;
		bool		next = after < n && run_length(sorted, n, after) >= share && (after - begin) * 2 >= share;
		bool		few = count_values(sorted + i, n - i) <= max_bins - bins + 1;

		if (after < n && (full || next || few) && (anywhere || single_between(sorted[after - 1], sorted[after])))
		{
			ends[bins++ - 1] = after - 1;
			begin = after;
		}
		i = after;
	}
	return n == 0 ? 0 : bins;
}

static void
check_edges(const Rows *rows, Cut *cut, uint32_t column, uint32_t max_bins)
{
	double		edges[GROVE_BINS];
	uint32_t	ends[GROVE_BINS];
	uint32_t	n_bins;
	uint32_t	n;
	double	   *sorted = sorted_values(rows, column, &n);
	uint32_t	values = count_values(sorted, n);
	uint32_t	expected = cut_by_rule(sorted, n, max_bins, ends);
	bool		apart = true;
	bool		single = true;

	grove_sketch_edges(&cut->sketch, column, max_bins, cut->scratch, edges, &n_bins);
	CHECK(n_bins == expected);
	CHECK(n_bins <= max_bins && (values > max_bins || n_bins == values));
	for (uint32_t b = 0; b + 1 < n_bins && b + 1 < expected; b++)
	{
		apart = apart && isfinite(edges[b]) && sorted[ends[b]] <= edges[b] && edges[b] < sorted[ends[b] + 1];
		single = single && ((double) (float) edges[b] == edges[b] || !single_between(sorted[ends[b]], sorted[ends[b] + 1]));
	}
	CHECK(apart);
	CHECK(single);
	free(sorted);
}

static void
test_edges(void)
{
	KitRandom	random = kit_random(2);

	for (int round = 0; round < 150; round++)
	{
		uint32_t	n = 1 + kit_below(&random, 1500);
		Rows		rows = random_rows(&random, n, 1 + kit_below(&random, 2 * n));
		Cut			cut = sketch_rows(&rows, NULL, 4096);

		for (uint32_t column = 0; column < rows.n_columns; column++)
		{
			check_edges(&rows, &cut, column, 2);
			check_edges(&rows, &cut, column, 2 + kit_below(&random, 254));
			check_edges(&rows, &cut, column, 255);
		}
		free_cut(&cut);
		free_rows(&rows);
	}
}

/* No bin of a smooth column holds much more than its share, and none much less but the last. */
static void
test_balance(void)
{
	KitRandom	random = kit_random(3);
	Rows		rows = make_rows(20000, 1);
	double		edges[GROVE_BINS];
	uint32_t	counts[GROVE_BINS] = {0};
	uint32_t	n_bins;
	Cut			cut;

	for (uint32_t i = 0; i < rows.n; i++)
	{
		rows.hash[i] = kit_next(&random);
		rows.values[i] = kit_normal(&random);
	}
	cut = sketch_rows(&rows, NULL, 20000);
	grove_sketch_edges(&cut.sketch, 0, 255, cut.scratch, edges, &n_bins);
	CHECK(n_bins == 255);
	for (uint32_t i = 0; i < rows.n; i++)
	{
		uint32_t	b = 0;

		while (b + 1 < n_bins && edges[b] < rows.values[i])
			b++;
		counts[b]++;
	}
	for (uint32_t b = 0; b < n_bins; b++)
		CHECK(counts[b] >= 78 && counts[b] <= 79);
	free_cut(&cut);
	free_rows(&rows);
}

/* Columns of few values keep all of them, also those that the sample does not hold. */
static void
test_distinct(void)
{
	KitRandom	random = kit_random(4);

	for (uint32_t values = 1; values <= 257; values += values < 4 || values > 250 ? 1 : 41)
	{
		Rows		rows = make_rows(5000, 1);
		double		edges[GROVE_BINS];
		uint32_t	n_bins;
		Cut			cut;

		for (uint32_t i = 0; i < rows.n; i++)
		{
			rows.hash[i] = kit_next(&random);
			rows.values[i] = (double) (i < values ? i : 0) - 100.0;
		}
		cut = sketch_rows(&rows, NULL, 16);
		grove_sketch_edges(&cut.sketch, 0, 255, cut.scratch, edges, &n_bins);
		if (values <= 255)
		{
			CHECK(n_bins == values);
			for (uint32_t b = 0; b + 1 < n_bins; b++)
				CHECK(edges[b] >= (double) b - 100.0 && edges[b] < (double) b - 99.0);
		}
		else
			CHECK(n_bins <= 16);	/* only what the sample holds */
		CHECK(grove_sketch_median(&cut.sketch, 0, cut.scratch) <= (double) values - 101.0);
		free_cut(&cut);
		free_rows(&rows);
	}
}

/* Neighbours at the ends of the doubles are told apart by a finite edge. */
static void
test_extremes(void)
{
	static const double values[] = {
		-DBL_MAX, -1e308, -1.0, -DBL_MIN, -9.9e-324, -4.9e-324, 0.0, 4.9e-324, 9.9e-324, DBL_MIN, 1.0,
		1.0000000000000002, 1.0000000000000004, 1e308, 1.7976931348623155e308, DBL_MAX
	};
	enum {N = sizeof(values) / sizeof(values[0])};
	Rows		rows = make_rows(N + 1, 2);
	double		edges[GROVE_BINS];
	uint32_t	n_bins;
	Cut			cut;

	for (uint32_t i = 0; i <= N; i++)
	{
		rows.hash[i] = i;
		rows.values[2 * i] = i < N ? values[i] : -0.0;	/* both zeros are one value */
		rows.values[2 * i + 1] = NAN;
	}
	cut = sketch_rows(&rows, NULL, 64);
	grove_sketch_edges(&cut.sketch, 0, 255, cut.scratch, edges, &n_bins);
	CHECK(n_bins == N);
	for (uint32_t b = 0; b + 1 < N; b++)
		CHECK(isfinite(edges[b]) && values[b] <= edges[b] && edges[b] < values[b + 1]);
	CHECK(grove_sketch_median(&cut.sketch, 0, cut.scratch) == 4.9e-324);
	grove_sketch_edges(&cut.sketch, 1, 255, cut.scratch, edges, &n_bins);
	CHECK(n_bins == 0);
	CHECK(grove_sketch_median(&cut.sketch, 1, cut.scratch) == 0.0);
	free_cut(&cut);
	free_rows(&rows);
}

/* Tiles of several rows, some left out, give what the rows one by one give; codes stand for values. */
static void
test_tiles(void)
{
	KitRandom	random = kit_random(6);

	for (int round = 0; round < 60; round++)
	{
		uint32_t	n = 1 + kit_below(&random, 1500);
		Rows		rows = random_rows(&random, n, 1 + kit_below(&random, 2 * n));
		uint32_t   *order = kit_alloc(n, sizeof(uint32_t));
		uint8_t    *skip = kit_alloc(n, 1);
		double	   *tile = kit_alloc((size_t) n * rows.n_columns, sizeof(double));
		Rows		taken = rows;
		Cut			cut;
		Cut			other;
		size_t		size;

		taken.n = 0;
		for (uint32_t i = 0; i < n; i++)
		{
			skip[i] = kit_chance(&random, 0.2);
			if (!skip[i])
				order[taken.n++] = i;
			for (uint32_t c = 0; c < rows.n_columns; c++)
				tile[(size_t) c * n + i] = rows.values[(size_t) i * rows.n_columns + c];
		}
		cut = sketch_rows(&taken, order, 64);
		CHECK(grove_sketch_size(rows.n_columns, 64, &size) == GROVE_OK);
		other.memory = kit_alloc(size, 1);
		grove_sketch_init(&other.sketch, other.memory, rows.n_columns, 64);
		for (uint32_t first = 0, part; first < n; first += part)
		{
			part = 1 + kit_below(&random, 200);
			part = part < n - first ? part : n - first;
			grove_sketch_add(&other.sketch, rows.hash + first, part, tile + first, n, skip + first);
		}
		other.scratch = kit_alloc(grove_sketch_scratch(&other.sketch), 1);
		CHECK(same_cuts(&cut, &other, 255));
		for (uint32_t c = 0; c < rows.n_columns; c++)
		{
			uint8_t    *codes = kit_alloc(n, 1);
			double		values[GROVE_DISTINCT_MAX];
			uint32_t	wrong = 0;

			if (taken.n == n && other.sketch.distinct[c].count <= GROVE_DISTINCT_MAX)
				CHECK(grove_sketch_codes(&other.sketch, c, tile + (size_t) c * n, n, codes));
			if (grove_sketch_codes(&other.sketch, c, tile + (size_t) c * n, n, codes))
			{
				grove_sketch_code_values(&other.sketch, c, values);
				for (uint32_t i = 0; i < n; i++)
				{
					double		v = tile[(size_t) c * n + i];

					wrong += codes[i] == GROVE_DISTINCT_MAX ? !isnan(v) : values[codes[i]] != v;
				}
				CHECK(wrong == 0);
			}
			free(codes);
		}
		free_cut(&cut);
		free_cut(&other);
		free(order);
		free(skip);
		free(tile);
		free_rows(&rows);
	}
}

static void
test_medians(void)
{
	KitRandom	random = kit_random(5);

	for (int round = 0; round < 100; round++)
	{
		uint32_t	n = 1 + kit_below(&random, 400);
		Rows		rows = random_rows(&random, n, 1 + kit_below(&random, 2 * n));
		Cut			cut = sketch_rows(&rows, NULL, 1024);

		for (uint32_t column = 0; column < rows.n_columns; column++)
		{
			uint32_t	present;
			double	   *sorted = sorted_values(&rows, column, &present);
			double		expected = present > 0 ? sorted[(present - 1) / 2] : 0.0;

			CHECK(grove_sketch_median(&cut.sketch, column, cut.scratch) == expected);
			free(sorted);
		}
		free_cut(&cut);
		free_rows(&rows);
	}
}

static void
test_sizes(void)
{
	size_t		size;

	CHECK(grove_sketch_size(1, 15, &size) == GROVE_ERR_RANGE);
	CHECK(grove_sketch_size(1, (UINT32_C(1) << 24) + 1, &size) == GROVE_ERR_RANGE);
	CHECK(grove_sketch_size(4097, UINT32_C(1) << 24, &size) == (sizeof(size_t) > 4 ? GROVE_OK : GROVE_ERR_SIZE));
}

int
main(void)
{
	test_order();
	test_last_row_leaves();
	test_edges();
	test_balance();
	test_distinct();
	test_extremes();
	test_tiles();
	test_medians();
	test_sizes();
	return unit_done();
}
