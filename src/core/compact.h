/*
 * compact.h: a second form of a model's trees, for fast prediction.
 *
 * A row is binned first: every numeric feature that a split uses becomes the
 * number of the model's distinct thresholds below its value, so that x <=
 * threshold j is bin <= j, in integers and exactly.  Nodes are then 8 bytes
 * instead of 32, and eight trees are walked at once.
 */
#ifndef GROVE_COMPACT_H
#define GROVE_COMPACT_H

#include "model.h"

#define GROVE_COMPACT_TREES		8	/* walked at once */
#define GROVE_COMPACT_SLOTS		(2 * GROVE_MAX_FEATURES)

/*
 * A row in this form is an array of slots.  A numeric feature has two that
 * differ only when it is missing: the first is then 0 and goes left at every
 * split, the second is 65,535 and goes right.  A categorical feature has one
 * for each window of its sets: the bit of its ordinal there, 0 when it is
 * missing, GROVE_COMPACT_OUTSIDE when another window holds it.  With at most
 * 255 levels there is one window.
 */
typedef struct GroveCompactFeature
{
	const double *cuts;			/* ascending, distinct; numeric: thresholds; categorical: set_first of its windows */
	uint32_t	n_cuts;
	uint32_t	first_step;		/* numeric: cuts go on with infinities to 2 * first_step - 1; categorical: 0 */
	uint16_t	feature;		/* index into GroveModel.features */
	uint16_t	slot;			/* first slot */
	bool		categorical;
} GroveCompactFeature;

#define GROVE_COMPACT_OUTSIDE		0x100	/* bit 8 tells it from the bits of a set */

#define GROVE_COMPACT_CATEGORICAL	0x8000	/* in GroveCompactNode.slot */
#define GROVE_COMPACT_LEAF			0x10000 /* added to a leaf's number in GroveCompactNode.test */

/* Left child at offset, right child behind it.  A leaf is a split that always goes left to itself. */
typedef struct GroveCompactNode
{
	uint16_t	slot;
	uint16_t	offset;			/* to the left child; leaf: 0 */
	uint32_t	test;			/* numeric: index of the threshold; categorical: index of the set; leaf: see above */
} GroveCompactNode;

typedef struct GroveCompact
{
	uint32_t	n_features;		/* that some split uses */
	const GroveCompactFeature *features;	/* by first_step, greatest first */
	const GroveCompactNode *nodes;	/* in the order of GroveModel.nodes */
	const double *leaves;		/* values of the leaves, by number */
	const uint32_t (*sets)[GROVE_BINS / 32];	/* bit 0: missing goes left; NULL when no split is categorical */
} GroveCompact;

/*
 * Numbers of cuts below x for four features, or four values of one, that share
 * their first step; 0 for NaN.  No branch depends on data, and the four
 * searches do not wait for each other.
 */
static inline void
grove_compact_bins(const double *const cuts[4], uint32_t first_step, const double x[4], uint32_t bins[4])
{
	uint32_t	b0 = 0,
				b1 = 0,
				b2 = 0,
				b3 = 0;

	for (uint32_t step = first_step; step > 0; step /= 2)
	{
		b0 += (uint32_t) (cuts[0][b0 + step - 1] < x[0]) * step;
		b1 += (uint32_t) (cuts[1][b1 + step - 1] < x[1]) * step;
		b2 += (uint32_t) (cuts[2][b2 + step - 1] < x[2]) * step;
		b3 += (uint32_t) (cuts[3][b3 + step - 1] < x[3]) * step;
	}
	bins[0] = b0;
	bins[1] = b1;
	bins[2] = b2;
	bins[3] = b3;
}

/* What the slot of one window holds for an ordinal. */
static inline uint16_t
grove_compact_place(const GroveCompactFeature *feature, uint32_t window, uint32_t ordinal)
{
	uint32_t	bit = ordinal - (uint32_t) feature->cuts[window];

	if (ordinal == GROVE_MISSING_BIN)
		return GROVE_MISSING_BIN;
	return (uint16_t) (bit - 1 < GROVE_BINS - 1 ? bit : GROVE_COMPACT_OUTSIDE);
}

/* Whether a set sends the slot of its window right: 0 or 1. */
static inline uint32_t
grove_compact_goes_right(const uint32_t *set, uint32_t slot)
{
	return (~(set[(slot & 255) >> 5] >> (slot & 31)) | slot >> 8) & 1;
}

/* Memory for grove_compact_build(), from the counts of a model; false: too large for a size_t. */
extern bool grove_compact_size(const GroveModel *model, size_t *size);

/* Builds in memory aligned to 8; NULL when the model has too few trees to gain, or too many thresholds or windows for this form. */
extern const GroveCompact *grove_compact_build(const GroveModel *model, void *memory);

#endif							/* GROVE_COMPACT_H */
