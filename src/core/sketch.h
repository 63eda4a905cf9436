/*
 * sketch.h: what one pass over the training rows must remember to cut
 * features into bins.
 *
 * Two parts.  The row sample keeps the rows whose content hash is below a
 * threshold, which falls while more distinct rows arrive than fit; equal rows
 * are stored once with their number.  So the sample is a function of the set
 * of rows alone: any order, plan or number of workers gives the same one.
 * The distinct sets keep, for each column, all its values while there are at
 * most 255 of them, so that columns of few values are cut exactly, also when
 * a rare value is not in the sample.
 *
 * The last column may be the target, whose sample median centres it.
 */
#ifndef GROVE_SKETCH_H
#define GROVE_SKETCH_H

#include "grove_core.h"

#define GROVE_DISTINCT_MAX	255
#define GROVE_DISTINCT_SLOTS 512

/* Values of a column while they are few; open addressing on the bits of the double. */
typedef struct GroveDistinct
{
	uint32_t	count;			/* GROVE_DISTINCT_MAX + 1: too many, the set is no longer kept */
	uint64_t	slots[GROVE_DISTINCT_SLOTS];	/* bits; NaN bits mark a free slot */
	uint8_t		code[GROVE_DISTINCT_SLOTS]; /* number of the value, in the order in which they came */
} GroveDistinct;

typedef struct GroveSketch
{
	uint32_t	n_columns;
	uint32_t	capacity;		/* distinct rows that fit */
	uint32_t	n_rows;			/* distinct rows now in the sample */
	uint32_t	n_slots;		/* of the hash table so far, a power of two, at least twice n_rows */
	uint64_t	threshold;		/* rows with a smaller hash are sampled */
	uint64_t   *hash;			/* [capacity] content hash */
	uint32_t   *count;			/* [capacity] equal rows */
	uint32_t   *slots;			/* [n_slots] row + 1, 0 = free */
	double	   *values;			/* [capacity][n_columns] */
	GroveDistinct *distinct;	/* [n_columns] */
	uint32_t   *active;			/* [n_active] columns whose set is still kept */
	uint32_t	n_active;
} GroveSketch;

/* Bytes of a sketch; capacity 16 to 2^24. */
extern GroveStatus grove_sketch_size(uint32_t n_columns, uint32_t capacity, size_t *size);
extern void grove_sketch_init(GroveSketch *sketch, void *buffer, uint32_t n_columns, uint32_t capacity);

/* Bytes that are in use: of the rows in the sample, not of those that would fit, with the scratch that cutting needs. */
extern size_t grove_sketch_used(const GroveSketch *sketch);

/*
 * n rows: their content hashes and their values, NaN = missing; row i has its
 * value of column c at values[c * stride + i].  Rows with skip[i] are left
 * out; skip may be NULL.
 */
extern void grove_sketch_add(GroveSketch *sketch, const uint64_t *hash, uint32_t n, const double *values,
							 size_t stride, const uint8_t *skip);

/*
 * The values of a column as numbers of the distinct set, missing as
 * GROVE_DISTINCT_MAX; false when the set is no longer kept or lacks one.  A
 * number stands for its value from then on, also when the set is given up.
 */
extern bool grove_sketch_codes(const GroveSketch *sketch, uint32_t column, const double *values, uint32_t n,
							   uint8_t *codes);

/* values[GROVE_DISTINCT_MAX] by number, NaN where there is none. */
extern void grove_sketch_code_values(const GroveSketch *sketch, uint32_t column, double *values);

/*
 * Up to max_bins bins of a column: edges[0 .. *n_bins - 2] ascending, value v
 * belongs to bin (number of edges < v).  Columns of at most max_bins values
 * get one bin a value, others bins of about equal row counts in which a
 * frequent value stands alone.  scratch: grove_sketch_scratch() bytes.
 * No value at all gives *n_bins = 0.
 *
 * An edge is a single-precision number when one lies between the values that
 * it separates (singles.h).  Values that none separates stay in one bin, unless
 * the column has few values or these are more rows than a bin's share.
 */
extern size_t grove_sketch_scratch(const GroveSketch *sketch);
extern void grove_sketch_edges(const GroveSketch *sketch, uint32_t column, uint32_t max_bins,
							   void *scratch, double *edges, uint32_t *n_bins);

/* Median of a column's sample, 0 when it is empty; does not depend on the order of rows. */
extern double grove_sketch_median(const GroveSketch *sketch, uint32_t column, void *scratch);

#endif							/* GROVE_SKETCH_H */
