/*
 * crc32c.c: CRC-32C by slicing: eight bytes a step, one table for each.
 *
 * The tables are computed at each use, about 2 microseconds.  A checksum is
 * wanted once when a model is written or enters the cache, so this buys a
 * library without 2,048 literals and without mutable globals.  Portable C;
 * the result does not depend on the byte order of the machine.
 *
 * Method: M. Kounavis, F. Berry, A Systematic Approach to Building High
 * Performance Software-Based CRC Generators, 2005.
 */
#include "crc32c.h"

#include "bytes.h"

#define POLYNOMIAL	UINT32_C(0x82f63b78)	/* 0x1edc6f41 with its bits reversed */

void
grove_crc32c_init(GroveCrc32c *tables)
{
	uint32_t	crc = 1;

	/* the checksum is linear: the entries of single bits give all the others */
	tables->table[0][0] = 0;
	for (uint32_t bit = 128; bit > 0; bit >>= 1)
	{
		crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
		for (uint32_t b = 0; b < 256; b += 2 * bit)
			tables->table[0][bit + b] = crc ^ tables->table[0][b];
	}
	for (int k = 1; k < 8; k++)
	{
		for (uint32_t b = 0; b < 256; b++)
		{
			uint32_t	before = tables->table[k - 1][b];

			tables->table[k][b] = (before >> 8) ^ tables->table[0][before & 255];
		}
	}
}

uint32_t
grove_crc32c_update(const GroveCrc32c *tables, uint32_t crc, const uint8_t *bytes, size_t length)
{
	const uint32_t (*table)[256] = tables->table;

	crc = ~crc;
	for (; length >= 8; length -= 8, bytes += 8)
	{
		uint32_t	low = crc ^ grove_bytes_get32(bytes);
		uint32_t	high = grove_bytes_get32(bytes + 4);

		crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^
			table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
			table[3][high & 255] ^ table[2][high >> 8 & 255] ^
			table[1][high >> 16 & 255] ^ table[0][high >> 24];
	}
	for (; length > 0; length--, bytes++)
		crc = (crc >> 8) ^ table[0][(crc ^ *bytes) & 255];
	return ~crc;
}
