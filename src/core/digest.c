/*
 * digest.c: two 64-bit lanes, one multiplication each for 16 bytes.
 *
 * A step is a bijection of the 128-bit state for a fixed block, and of the
 * block for a fixed state: inputs of one length that differ in a single block
 * always have different digests.  The lanes feed each other in every step, so
 * that a difference in one of them spreads over all 128 bits.  The function is
 * frozen by docs/model-format.md; test vectors stand in test/unit/test_model.c.
 */
#include "digest.h"

#include "bytes.h"
#include "rng.h"

#define LOW_FACTOR	UINT64_C(0x9fb21c651e98df25)
#define HIGH_FACTOR	UINT64_C(0xd6e8feb86659fd93)

static void
add_block(GroveDigest *digest, uint64_t low, uint64_t high)
{
	uint64_t	a = (digest->low ^ low) * LOW_FACTOR;
	uint64_t	b = (digest->high ^ high) * HIGH_FACTOR;

	a ^= a >> 32;
	b ^= b >> 29;
	a += b;
	b += a << 23 | a >> 41;
	digest->low = a;
	digest->high = b;
}

void
grove_digest_init(GroveDigest *digest, uint64_t total)
{
	digest->low = grove_rng_mix(total + 1);
	digest->high = grove_rng_mix(~total);
}

void
grove_digest_update(GroveDigest *digest, const uint8_t *bytes, size_t length)
{
	GroveDigest state = *digest;

	for (; length >= 16; length -= 16, bytes += 16)
		add_block(&state, grove_bytes_get64(bytes), grove_bytes_get64(bytes + 8));
	if (length > 0)
	{
		uint8_t		last[16] = {0};

		memcpy(last, bytes, length);
		add_block(&state, grove_bytes_get64(last), grove_bytes_get64(last + 8));
	}
	*digest = state;
}

void
grove_digest_final(const GroveDigest *digest, uint8_t result[GROVE_DIGEST_BYTES])
{
	uint64_t	low = grove_rng_mix(digest->low);
	uint64_t	high = grove_rng_mix(digest->high + low);

	grove_bytes_put64(result, low + high);
	grove_bytes_put64(result + 8, high);
}
