/*
 * fuzz_packed_sum.c: libFuzzer target: any bytes as packed exact sums, the part
 * of the states of aggregates that the core reads.
 *
 * Bytes that are accepted are what packing writes; a sum that came from outside
 * can be added to, merged and rounded like any other, and merging is the same
 * from both sides.  What stands behind two sums is added as doubles.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/bytes.h"
#include "../../src/core/exactsum.h"
#include "must.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether two sums are the same value; both may move their carries. */
static bool
equal(GroveExactSum *a, GroveExactSum *b)
{
	uint8_t		bytes_a[GROVE_EXACTSUM_BYTES];
	uint8_t		bytes_b[GROVE_EXACTSUM_BYTES];
	size_t		size = grove_exactsum_pack(a, bytes_a);

	return size == grove_exactsum_pack(b, bytes_b) && memcmp(bytes_a, bytes_b, size) == 0;
}

/* Reads a sum at the beginning of bytes that have their exact size in memory. */
static bool
read_sum(GroveExactSum *sum, const uint8_t *data, size_t size, size_t *used)
{
	uint8_t    *bytes = malloc(size + (size == 0));
	uint8_t		again[GROVE_EXACTSUM_BYTES];
	bool		good;

	if (size > 0)
		memcpy(bytes, data, size);
	good = grove_exactsum_unpack(sum, bytes, size, used) == GROVE_OK;
	if (good)
	{
		must(*used <= size, "more is used than there is");
		must(grove_exactsum_pack(sum, again) == *used && memcmp(again, bytes, *used) == 0, "packing gives other bytes");
	}
	free(bytes);
	return good;
}

static void
check_merged(const GroveExactSum *first, const GroveExactSum *second)
{
	GroveExactSum a = *first;
	GroveExactSum b = *second;
	GroveExactSum c = *second;
	GroveExactSum d = *first;

	grove_exactsum_merge(&a, &b);
	grove_exactsum_merge(&c, &d);
	must(equal(&a, &c), "merging depends on the side");
	must(!isnan(grove_exactsum_round(&a)), "a sum is not a number");
}

/* Adding a number and taking it away changes nothing. */
static void
check_added(GroveExactSum *sum, double value, double other)
{
	GroveExactSum before = *sum;
	GroveExactSum same = *sum;
	double		high;
	double		low;

	grove_exactsum_add(&same, value);
	grove_exactsum_add(&same, -value);
	must(equal(&same, &before), "adding and subtracting is not exact");
	if (grove_exactsum_add_product(&same, value, other))
		must(isfinite(value * other), "an infinite product is added");
	grove_exactsum_round2(&same, &high, &low);
	must(!isnan(high) && isfinite(low), "a sum in two parts is not a number");
	(void) grove_exactsum_quadratic(&before, &same, &before, other);
	grove_exactsum_add(sum, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GroveExactSum first;
	GroveExactSum second;
	size_t		used;

	if (!read_sum(&first, data, size, &used))
		return 0;
	data += used;
	size -= used;
	if (read_sum(&second, data, size, &used))
	{
		data += used;
		size -= used;
	}
	else
		grove_exactsum_init(&second);
	check_merged(&first, &second);
	for (; size >= 16; data += 16, size -= 16)
	{
		double		value = grove_bytes_get_double(data);
		double		other = grove_bytes_get_double(data + 8);

		if (isfinite(value) && isfinite(other))
			check_added(&first, value, other);
	}
	return 0;
}
