/*
 * crc32c.h: CRC-32C (Castagnoli), the checksum of the model format.
 */
#ifndef GROVE_CRC32C_H
#define GROVE_CRC32C_H

#include "grove_core.h"

/* Tables of the slicing-by-8 method, 8 kB; the caller's stack is a good place. */
typedef struct GroveCrc32c
{
	uint32_t	table[8][256];	/* [k][b]: byte b followed by k zero bytes */
} GroveCrc32c;

extern void grove_crc32c_init(GroveCrc32c *tables);

/* Checksum of what crc stands for (0: nothing) followed by these bytes. */
extern uint32_t grove_crc32c_update(const GroveCrc32c *tables, uint32_t crc, const uint8_t *bytes, size_t length);

#endif							/* GROVE_CRC32C_H */
