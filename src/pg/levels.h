/*
 * levels.h: the labels of one categorical column while a source is read.
 *
 * Labels get codes in the order in which they first come; what goes into a
 * model is ordered by grovepg_levels_rank(), which does not depend on it.
 */
#ifndef GROVE_LEVELS_H
#define GROVE_LEVELS_H

#include "../core/model.h"

typedef struct GroveLevel
{
	GroveText	label;
	uint64		hash;			/* of the label's bytes */
	uint64		count;			/* rows */
	uint32		rank;			/* after grovepg_levels_rank(): place in the order, from 0 */
} GroveLevel;

typedef struct GroveLevels GroveLevels;

extern GroveLevels *grovepg_levels_make(MemoryContext context);

/* Code of a label, which is added unless frozen; -1 when it is not there. */
extern int64 grovepg_levels_code(GroveLevels *levels, GroveText label, bool frozen);

/* Labels so far; levels[code] for each code. */
extern uint32 grovepg_levels_count(const GroveLevels *levels);
extern GroveLevel *grovepg_levels_get(const GroveLevels *levels, uint32 code);

/*
 * Ranks the labels: by number of rows, most first, then by bytes; or by bytes
 * alone.  Returns the codes in that order, palloc'd.
 */
extern uint32 *grovepg_levels_rank(const GroveLevels *levels, bool by_count);

/*
 * Bytes that they take.  With more > 0 what they take at most while up to so
 * many labels come: a table that grows stands beside the one before it.
 */
extern Size grovepg_levels_memory(const GroveLevels *levels, uint32 more);

#endif							/* GROVE_LEVELS_H */
