/*
 * model.h: a model in memory: what training produces, the codec writes and
 * reads, and prediction walks.
 *
 * The byte format is a document of its own, docs/model-format.md.  A
 * GroveModel that came out of grove_model_read() keeps every rule written
 * here, so that loops over it need no checks of their own.  All pointers
 * point into memory that the caller owns.
 */
#ifndef GROVE_MODEL_H
#define GROVE_MODEL_H

#include "digest.h"
#include "grove_core.h"

/* Values are part of the byte format; new ones are appended. */
typedef enum GroveTask
{
	GROVE_TASK_REGRESSION = 0,
	GROVE_TASK_BINARY = 1,
	GROVE_TASK_MULTICLASS = 2,
	GROVE_TASK_RANKING = 3
} GroveTask;

typedef enum GroveAlgorithm
{
	GROVE_ALGORITHM_GBDT = 0,	/* margin = base + sum of the trees */
	GROVE_ALGORITHM_FOREST = 1, /* leaves are divided by the number of trees when the model is built */
	GROVE_ALGORITHM_TREE = 2
} GroveAlgorithm;

/* From the margins of a row to its prediction. */
typedef enum GroveLink
{
	GROVE_LINK_IDENTITY = 0,	/* regression: the margin */
	GROVE_LINK_LOGISTIC = 1,	/* binary gbdt: 1 / (1 + exp(-margin)) */
	GROVE_LINK_SOFTMAX = 2,		/* multiclass gbdt */
	GROVE_LINK_EXP = 3,			/* poisson, gamma, tweedie */
	GROVE_LINK_CLAMP = 4,		/* binary forest and tree: the margin, cut to [0,1] */
	GROVE_LINK_NORMALIZE = 5	/* multiclass forest and tree: margins cut at 0, divided by their sum; equal shares when all are 0 */
} GroveLink;

typedef enum GroveFeatureKind
{
	GROVE_FEATURE_NUMERIC = 0,	/* doubles; NaN is missing */
	GROVE_FEATURE_CATEGORICAL = 1	/* labels; one not in levels[] is missing */
} GroveFeatureKind;

#define GROVE_MAX_LEVELS	65535	/* labels of one categorical feature */

typedef struct GroveText
{
	const char *data;			/* not zero-terminated */
	uint32_t	length;			/* bytes */
} GroveText;

typedef struct GroveFeature
{
	GroveText	name;			/* column name in the training query; unique in the model */
	GroveText	type_name;		/* SQL type of that column, as format_type() prints it */
	GroveFeatureKind kind;
	uint32_t	n_levels;		/* categorical: 0 to GROVE_MAX_LEVELS */
	const GroveText *levels;	/* level i has ordinal i + 1; ordered by frequency in training, then by bytes; unique */
	const uint16_t *lookup;		/* finds ordinals, see model_levels.c; NULL: none, the reader makes one */
	uint32_t	lookup_mask;	/* entries of lookup - 1 when it is a hash table, 0 when it is in order of the labels */
} GroveFeature;

#define GROVE_NODE_MISSING_LEFT	0x01	/* a missing value goes left, else right */
#define GROVE_NODE_CATEGORICAL	0x02	/* the split is a set of ordinals, else a threshold */

/*
 * One node.  A numeric split sends x <= value left, x > value right; a
 * categorical split sends a level left when grove_model_set_has() its ordinal,
 * else right.  The root is node 0 of its tree; children follow their parent,
 * the right one directly behind the left one; left = 0 marks a leaf.
 */
typedef struct GroveNode
{
	double		value;			/* threshold of a numeric split (finite), or leaf: what it adds to the margin (finite) */
	float		gain;			/* split: what it took off the training loss, >= 0; leaf: 0 */
	float		cover;			/* sum of the hessians of the training rows that reached it, >= 0 */
	uint32_t	count;			/* number of those rows */
	uint32_t	left;			/* index within the tree of the left child; 0 = leaf */
	uint32_t	set;			/* categorical split: index into sets[]; else 0 */
	uint16_t	feature;		/* split: index into features[]; else 0 */
	uint8_t		flags;			/* GROVE_NODE_*; leaf: 0 */
} GroveNode;

typedef struct GroveModel
{
	GroveTask	task;
	GroveAlgorithm algorithm;
	GroveLink	link;
	GroveText	objective;		/* as in params: 'binary', 'regression', ... */
	GroveText	target;			/* column name */
	GroveText	target_type;	/* SQL type as format_type() prints it */
	uint64_t	rows;			/* training rows, without those of the validation part */
	uint32_t	n_features;		/* 1 to GROVE_MAX_FEATURES */
	uint32_t	n_classes;		/* regression and ranking 0, binary 2, multiclass >= 2 */
	uint32_t	n_outputs;		/* margins per row: multiclass n_classes, else 1 */
	uint32_t	n_trees;		/* a multiple of n_outputs; tree t adds to margin t % n_outputs */
	uint32_t	n_nodes;		/* of all trees */
	uint32_t	n_sets;
	const GroveFeature *features;
	const GroveText *classes;	/* labels as the target column prints them; binary: [0] negative, [1] positive */
	const double *base;			/* [n_outputs] margin before any tree */
	const uint32_t *tree_start; /* [n_trees + 1] index of each tree's root in nodes[]; the last is n_nodes */
	const GroveNode *nodes;
	const uint8_t (*sets)[GROVE_BINS / 8];	/* bit k & 7 of byte k >> 3 is ordinal set_first + k; bit 0 is never set */
	const uint32_t *set_first;	/* [n_sets] the ordinal before a set's 255; 0 for features of at most 255 levels */
	GroveText	params;			/* JSON object: every effective option */
	GroveText	metrics;		/* JSON object: what training measured */
	const struct GroveCompact *compact; /* form for fast prediction, see compact.h; NULL: none, the reader makes one */
} GroveModel;

#define GROVE_MODEL_HEADER	64	/* bytes; holds magic, version, length, digest, counts */
#define GROVE_MODEL_VERSION	1	/* of the byte format */

/* Whether a set holds an ordinal, which is not that of missing; one outside the set's window is not in it. */
static inline bool
grove_model_set_has(const GroveModel *model, uint32_t set, uint32_t ordinal)
{
	uint32_t	bit = ordinal - model->set_first[set];

	return bit < GROVE_BINS && (model->sets[set][bit >> 3] >> (bit & 7) & 1);
}

/* Ordinal of a categorical feature's value in a row (predict.h); whatever is none counts as missing. */
static inline uint32_t
grove_model_ordinal(double value)
{
	return value >= 1 && value < GROVE_MAX_LEVELS + 1 ? (uint32_t) value : GROVE_MISSING_BIN;
}

/* Where a split sends a value of its feature. */
static inline bool
grove_model_goes_left(const GroveModel *model, const GroveNode *split, double value)
{
	if (split->flags & GROVE_NODE_CATEGORICAL)
	{
		uint32_t	ordinal = grove_model_ordinal(value);

		if (ordinal != GROVE_MISSING_BIN)
			return grove_model_set_has(model, split->set, ordinal);
	}
	else if (value == value)
		return value <= split->value;
	return (split->flags & GROVE_NODE_MISSING_LEFT) != 0;
}

/* Exact number of bytes that grove_model_write() will produce. */
extern GroveStatus grove_model_write_size(const GroveModel *model, size_t *size);

/* Encodes; the same model always gives the same bytes.  *size is the buffer's size. */
extern GroveStatus grove_model_write(const GroveModel *model, uint8_t *buffer, size_t size);

/* Fills in digest and checksum of bytes that are complete but for them; length >= GROVE_MODEL_HEADER + 4. */
extern void grove_model_seal(uint8_t *bytes, size_t length);

/* Whether digest and checksum fit; length as above. */
extern bool grove_model_sealed(const uint8_t *bytes, size_t length);

/*
 * First look at untrusted bytes, of which the first available ones are at
 * hand: magic, version, flags, length, digest.  Fewer than a header's bytes
 * behind a right magic are GROVE_ERR_STRUCTURE.
 */
extern GroveStatus grove_model_peek(const uint8_t *header, size_t available, uint64_t *total_length,
									uint8_t digest[GROVE_DIGEST_BYTES]);

/* Counts in a header that grove_model_peek() accepted; nothing vouches for them. */
extern void grove_model_peek_counts(const uint8_t *header, uint32_t *n_trees, uint32_t *n_nodes);

/*
 * Bytes of memory that grove_model_read() needs for these bytes, at most
 * 16 * length + 16 kB; checks header, digest, checksum and counts.  On failure
 * as grove_model_read().
 */
extern GroveStatus grove_model_read_size(const uint8_t *bytes, size_t length, size_t *memory,
										 const char **rule, size_t *offset);

/*
 * Decodes bytes that grove_model_read_size() accepted, and checks every rule
 * of the format; there is no separate validation step.  memory is aligned to
 * 8.  The model points into both memory and bytes, which must live as long as
 * it.  On GROVE_ERR_STRUCTURE *rule is a sentence without full stop that names
 * the broken rule, *offset the byte where it was seen; else *rule is NULL.
 */
extern GroveStatus grove_model_read(const uint8_t *bytes, size_t length, void *memory, size_t memory_size,
									GroveModel **model, const char **rule, size_t *offset);

/* Ordinal of a label: level's index + 1, or GROVE_MISSING_BIN when training did not see it. */
extern uint32_t grove_model_bin(const GroveFeature *feature, GroveText label);

/* Entries that the lookup of a feature with so many levels needs: a power of two, below 4 * n_levels. */
extern uint32_t grove_model_lookup_size(uint32_t n_levels);

/* Fills lookup and makes it the feature's; order: its levels, sorted by grove_model_duplicate(). */
extern void grove_model_lookup_fill(GroveFeature *feature, const GroveText *const *order, uint16_t *lookup);

/* One of two equal texts among these, or NULL; sorts the pointers, by length and then by bytes, in n log n steps. */
extern const GroveText *grove_model_duplicate(const GroveText **order, uint32_t count);

#endif							/* GROVE_MODEL_H */
