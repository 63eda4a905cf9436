/*
 * hist.c: the loop that training spends most of its time in.
 *
 * One function a block width and mode, all made from the same body, so that
 * the compiler sees constant widths and unrolls.  Rows of a leaf are
 * scattered, so the record of the row PREFETCH places ahead is fetched while
 * the current one is added.
 */
#include "hist.h"

#include <string.h>

#define PREFETCH	24

#if defined(__GNUC__)
#define prefetch(p)	__builtin_prefetch(p)
#define always_inline inline __attribute__((always_inline))
#else
#define prefetch(p)	((void) 0)
#define always_inline inline
#endif

static always_inline void
accumulate(const uint8_t *rows, const uint32_t width, const GroveHistMode mode,
		   const GroveEntry *entries, uint32_t n, const int32_t *hess, int64_t *acc)
{
	uint32_t	i,
				f;

	for (i = 0; i < n; i++)
	{
		const uint8_t *record = rows + (size_t) entries[i].row * width;
		int64_t		g = entries[i].g;

		if (i + PREFETCH < n)
		{
			prefetch(rows + (size_t) entries[i + PREFETCH].row * width);
			if (mode == GROVE_HIST_WIDE)
				prefetch(hess + entries[i + PREFETCH].row);
		}
		if (mode == GROVE_HIST_WIDE)
		{
			int64_t		word = g * 65536 + 1;
			int64_t		h = hess[entries[i].row];

			for (f = 0; f < width; f++)
			{
				int64_t    *bin = acc + ((size_t) f * GROVE_BINS + record[f]) * 2;

				bin[0] += word;
				bin[1] += h;
			}
		}
		else
		{
			int64_t		word;

			if (mode == GROVE_HIST_PACKED)
				word = (g >> 16) * (INT64_C(1) << 39) + (g & 0xffff) * 32768 + 1;
			else
				word = g * 65536 + 1;
			for (f = 0; f < width; f++)
				acc[(size_t) f * GROVE_BINS + record[f]] += word;
		}
	}
}

#define KERNEL(name, width, mode) \
static void \
name(const uint8_t *rows, const GroveEntry *entries, uint32_t n, const int32_t *hess, int64_t *acc) \
{ \
	accumulate(rows, width, mode, entries, n, hess, acc); \
}

KERNEL(packed16, 16, GROVE_HIST_PACKED)
KERNEL(packed12, 12, GROVE_HIST_PACKED)
KERNEL(packed8, 8, GROVE_HIST_PACKED)
KERNEL(packed4, 4, GROVE_HIST_PACKED)
KERNEL(constant16, 16, GROVE_HIST_CONSTANT)
KERNEL(constant12, 12, GROVE_HIST_CONSTANT)
KERNEL(constant8, 8, GROVE_HIST_CONSTANT)
KERNEL(constant4, 4, GROVE_HIST_CONSTANT)
KERNEL(wide16, 16, GROVE_HIST_WIDE)
KERNEL(wide12, 12, GROVE_HIST_WIDE)
KERNEL(wide8, 8, GROVE_HIST_WIDE)
KERNEL(wide4, 4, GROVE_HIST_WIDE)

typedef void (*Kernel) (const uint8_t *, const GroveEntry *, uint32_t, const int32_t *, int64_t *);

static const Kernel kernels[3][4] = {
	{packed4, packed8, packed12, packed16},
	{constant4, constant8, constant12, constant16},
	{wide4, wide8, wide12, wide16}
};

void
grove_hist_accumulate(const GroveMatrix *matrix, uint32_t block, GroveHistMode mode,
					  const GroveEntry *entries, uint32_t n, const int32_t *hess,
					  int64_t *accumulator)
{
	kernels[mode][matrix->blocks[block].width / 4 - 1]
		(matrix->blocks[block].rows, entries, n, hess, accumulator);
}

/* Gradient, hessian and count of one bin of an accumulator. */
static always_inline void
unpack_bin(const GroveHistMode mode, const int64_t *acc, uint32_t bin, int64_t *g, int64_t *h, int64_t *c)
{
	int64_t		word = mode == GROVE_HIST_WIDE ? acc[2 * bin] : acc[bin];

	if (mode == GROVE_HIST_PACKED)
	{
		*c = word & 0x7fff;
		*h = (word >> 15) & 0xffffff;
		*g = word >> 39;
	}
	else
	{
		*c = word & 0xffff;
		*g = word >> 16;
		*h = mode == GROVE_HIST_WIDE ? acc[2 * bin + 1] : *c;
	}
}

static always_inline void
unpack(const GroveHistMode mode, const int64_t *acc, uint32_t n_bins, const bool add, GroveBinSums *sums)
{
	uint32_t	b;

	for (b = 0; b <= n_bins; b++)
	{
		int64_t		g,
					h,
					c;

		unpack_bin(mode, acc, b, &g, &h, &c);
		sums->g[b] = (add ? sums->g[b] : 0) + g;
		sums->h[b] = (add ? sums->h[b] : 0) + h;
		sums->c[b] = (add ? sums->c[b] : 0) + c;
	}
}

void
grove_hist_unpack(GroveHistMode mode, const int64_t *accumulator, uint32_t n_bins, bool add,
				  GroveBinSums *sums)
{
	if (mode == GROVE_HIST_PACKED)
	{
		if (add)
			unpack(GROVE_HIST_PACKED, accumulator, n_bins, true, sums);
		else
			unpack(GROVE_HIST_PACKED, accumulator, n_bins, false, sums);
	}
	else if (mode == GROVE_HIST_CONSTANT)
		unpack(GROVE_HIST_CONSTANT, accumulator, n_bins, add, sums);
	else
		unpack(GROVE_HIST_WIDE, accumulator, n_bins, add, sums);
}

void
grove_hist_pack(GroveHistMode mode, const GroveBinSums *sums, uint32_t n_bins, int64_t *accumulator)
{
	uint32_t	b;

	for (b = 0; b <= n_bins; b++)
	{
		if (mode == GROVE_HIST_PACKED)
			accumulator[b] = sums->g[b] * (INT64_C(1) << 39) + sums->h[b] * 32768 + sums->c[b];
		else if (mode == GROVE_HIST_CONSTANT)
			accumulator[b] = sums->g[b] * 65536 + sums->c[b];
		else
		{
			accumulator[2 * b] = sums->g[b] * 65536 + sums->c[b];
			accumulator[2 * b + 1] = sums->h[b];
		}
	}
}
