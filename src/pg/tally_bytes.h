/*
 * tally_bytes.h: between tally_state.c and tally_bytes.c.
 */
#ifndef GROVE_TALLY_BYTES_H
#define GROVE_TALLY_BYTES_H

#include "tally_state.h"

extern const ExpandedObjectMethods grovepg_tally_methods;

/* A new state in a memory context of its own below parent. */
extern GroveTallyState *grovepg_tally_make(GroveTallyKind kind, uint64 argument, MemoryContext parent);

/* Makes room for that many more blocks, weights of so many mantissa bits, or hashes. */
extern void grovepg_tally_reserve_blocks(GroveTallyState *state, uint64 cells);
extern void grovepg_tally_reserve_weights(GroveTallyState *state, uint32 bits, uint64 cells);
extern void grovepg_tally_reserve_hashes(GroveTallyState *state, uint64 entries);

/*
 * The state of a datum: the object itself where there is one (and it may be
 * changed, if that is wanted), else a copy below parent.
 */
extern GroveTallyState *grovepg_tally_open(Datum datum, bool change, MemoryContext parent);

#endif							/* GROVE_TALLY_BYTES_H */
