/*
 * bytes.h: little-endian loads and stores that do not care about alignment
 * or about the byte order of the machine.
 */
#ifndef GROVE_BYTES_H
#define GROVE_BYTES_H

#include <string.h>

#include "grove_core.h"

static inline uint16_t
grove_bytes_get16(const uint8_t *bytes)
{
	return (uint16_t) (bytes[0] | bytes[1] << 8);
}

static inline uint32_t
grove_bytes_get32(const uint8_t *bytes)
{
	return (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

static inline uint64_t
grove_bytes_get64(const uint8_t *bytes)
{
	return (uint64_t) grove_bytes_get32(bytes) | (uint64_t) grove_bytes_get32(bytes + 4) << 32;
}

static inline float
grove_bytes_get_float(const uint8_t *bytes)
{
	uint32_t	bits = grove_bytes_get32(bytes);
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline double
grove_bytes_get_double(const uint8_t *bytes)
{
	uint64_t	bits = grove_bytes_get64(bytes);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static inline void
grove_bytes_put16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t) value;
	bytes[1] = (uint8_t) (value >> 8);
}

static inline void
grove_bytes_put32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t) value;
	bytes[1] = (uint8_t) (value >> 8);
	bytes[2] = (uint8_t) (value >> 16);
	bytes[3] = (uint8_t) (value >> 24);
}

static inline void
grove_bytes_put64(uint8_t *bytes, uint64_t value)
{
	grove_bytes_put32(bytes, (uint32_t) value);
	grove_bytes_put32(bytes + 4, (uint32_t) (value >> 32));
}

static inline void
grove_bytes_put_float(uint8_t *bytes, float value)
{
	uint32_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	grove_bytes_put32(bytes, bits);
}

static inline void
grove_bytes_put_double(uint8_t *bytes, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	grove_bytes_put64(bytes, bits);
}

#endif							/* GROVE_BYTES_H */
