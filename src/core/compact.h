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
	const GroveCompactFeature *features;
	const GroveCompactNode *nodes;	/* in the order of GroveModel.nodes */
	const double *leaves;		/* values of the leaves, by number */
	const uint32_t (*sets)[GROVE_BINS / 32];	/* bit 0: missing goes left; NULL when no split is categorical */
} GroveCompact;

/* Memory for grove_compact_build(), from the counts of a model; false: too large for a size_t. */
extern bool grove_compact_size(const GroveModel *model, size_t *size);

/* Builds in memory aligned to 8; NULL when the model has too few trees to gain, or too many thresholds or windows for this form. */
extern const GroveCompact *grove_compact_build(const GroveModel *model, void *memory);

#endif							/* GROVE_COMPACT_H */
