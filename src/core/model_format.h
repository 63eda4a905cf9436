/*
 * model_format.h: where things stand in the bytes of a model, for the two
 * files that write and read them.  docs/model-format.md explains.
 */
#ifndef GROVE_MODEL_FORMAT_H
#define GROVE_MODEL_FORMAT_H

#include "grove_core.h"

#define FORMAT_MAGIC		"\x93GROVE\r\n"
#define FORMAT_MAGIC_BYTES	8

/* offsets in the header */
#define AT_VERSION			8	/* uint16 */
#define AT_FLAGS			10	/* uint16, 0 */
#define AT_TASK				12	/* uint8 */
#define AT_ALGORITHM		13	/* uint8 */
#define AT_LINK				14	/* uint8 */
#define AT_RESERVED			15	/* uint8, 0 */
#define AT_LENGTH			16	/* uint64, of everything */
#define AT_FEATURES			24	/* uint16 */
#define AT_CLASSES			26	/* uint16 */
#define AT_TREES			28	/* uint32 */
#define AT_NODES			32	/* uint32 */
#define AT_SETS				36	/* uint32 */
#define AT_ROWS				40	/* uint64 */
#define AT_DIGEST			48	/* 16 bytes; covers [0, 48) and [64, length - 4) */
#define AT_BODY				64

#define FORMAT_TRAILER		4	/* CRC-32C of all bytes before it */

/* kinds of nodes, in the low two bits of a record's first byte; bit 2: missing goes left */
#define NODE_LEAF			0
#define NODE_NUMERIC		1
#define NODE_CATEGORICAL	2
#define NODE_KIND			3
#define NODE_MISSING_LEFT	4

#define FEATURE_BYTES		3	/* behind its two texts: kind 1, number of levels 2 */

#define LEAF_BYTES			17	/* kind 1, count 4, cover 4, value 8 */
#define NUMERIC_BYTES		27	/* kind 1, count 4, cover 4, gain 4, left 4, feature 2, threshold 8 */
#define CATEGORICAL_BYTES	19	/* the same without threshold, then the set */
#define FIRST_BYTES			2	/* between the two, for features of more than 255 levels: what its window begins behind */

/* Levels in the window of a set: bits 1 to this one. */
static inline uint32_t
format_window(uint32_t n_levels, uint32_t first)
{
	return n_levels - first < GROVE_BINS ? n_levels - first : GROVE_BINS - 1;
}

#define SET_BYTES(window)	((window) / 8 + 1)

#endif							/* GROVE_MODEL_FORMAT_H */
