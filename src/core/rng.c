/*
 * rng.c: the keyed hash of byte strings.
 *
 * The bytes are read as little-endian 64-bit words, the last one filled up
 * with zeros, and chained: state = mix(state ^ word) + key.  The length goes
 * into the first state, so a string and the same string with zeros behind it
 * differ, and one more round of the mixer follows the last word, so that each
 * input bit passes at least two full rounds.  For strings of one length the
 * hash is a bijection of any single word while the others stand still.
 *
 * This is a statistical hash, not a cryptographic one: who may choose keys
 * after having seen the seed can steer what is sampled.
 */
#include "rng.h"

static inline uint64_t
load_word(const uint8_t *bytes)
{
	return (uint64_t) bytes[0] | (uint64_t) bytes[1] << 8 |
		(uint64_t) bytes[2] << 16 | (uint64_t) bytes[3] << 24 |
		(uint64_t) bytes[4] << 32 | (uint64_t) bytes[5] << 40 |
		(uint64_t) bytes[6] << 48 | (uint64_t) bytes[7] << 56;
}

uint64_t
grove_rng_bytes(uint64_t key, const uint8_t *bytes, size_t length)
{
	uint64_t	state = grove_rng_mix(key + (uint64_t) length * UINT64_C(0x9e3779b97f4a7c15));

	while (length >= 8)
	{
		state = grove_rng_mix(state ^ load_word(bytes)) + key;
		bytes += 8;
		length -= 8;
	}
	if (length > 0)
	{
		uint64_t	word = 0;

		while (length > 0)
			word = word << 8 | bytes[--length];
		state = grove_rng_mix(state ^ word) + key;
	}
	return grove_rng_mix(state);
}
