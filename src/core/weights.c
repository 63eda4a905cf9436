/*
 * weights.c: weights counted by their leading bits.
 *
 * The bits of a positive double, read as an integer, grow with its value.  The
 * key of a cell is the upper part of that integer: the exponent and `bits`
 * bits of the mantissa.  All weights of a cell have one exponent, so their sum
 * is the sum of their mantissas, an integer.
 */
#include "weights.h"

#include <math.h>
#include <string.h>

#define MANTISSA_BITS	52

void
grove_weights_init(GroveWeights *weights, uint32_t bits, GroveTally *tally)
{
	weights->bits = bits;
	weights->infinite = 0;
	weights->tally = tally;
}

void
grove_weights_add(GroveWeights *weights, double weight)
{
	uint64_t	word;
	uint64_t	mantissa;

	if (weight == 0)
		return;
	if (isinf(weight))
	{
		weights->infinite++;
		return;
	}
	memcpy(&word, &weight, sizeof(word));
	mantissa = word & ((UINT64_C(1) << MANTISSA_BITS) - 1);
	if (word >> MANTISSA_BITS != 0)
		mantissa |= UINT64_C(1) << MANTISSA_BITS;
	grove_tally_add(weights->tally, word >> (MANTISSA_BITS - weights->bits), 0, 1, mantissa, 0);
}

void
grove_weights_merge(GroveWeights *into, const GroveWeights *from)
{
	into->infinite += from->infinite;
	for (uint64_t i = 0; i < from->tally->capacity; i++)
	{
		const GroveTallyCell *cell = &from->tally->cells[i];

		if (cell->used != 0)
			grove_tally_add(into->tally, cell->key >> (from->bits - into->bits), 0, cell->count, cell->low, cell->high);
	}
}

double
grove_weights_floor(const GroveWeights *weights, const GroveTallyCell *cell)
{
	uint64_t	word = cell->key << (MANTISSA_BITS - weights->bits);
	double		weight;

	memcpy(&weight, &word, sizeof(weight));
	return weight;
}

double
grove_weights_mean(const GroveWeights *weights, const GroveTallyCell *cell)
{
	int			exponent = (int) (cell->key >> weights->bits);
	double		sum = ldexp((double) cell->high, 64) + (double) cell->low;

	/* count * weight / count may miss the weight by a bit */
	if (weights->bits == GROVE_WEIGHTS_EXACT)
		return grove_weights_floor(weights, cell);
	return ldexp(sum / (double) cell->count, (exponent > 0 ? exponent : 1) - 1075);
}
