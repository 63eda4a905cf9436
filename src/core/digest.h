/*
 * digest.h: the 128-bit content digest of a model.
 *
 * It names a model: two models with different bytes have different digests
 * but for accidents of probability 2^-128 a pair.  It is no signature: who
 * wants two models with one digest can make them, so nothing may rest on its
 * being unforgeable.
 */
#ifndef GROVE_DIGEST_H
#define GROVE_DIGEST_H

#include "grove_core.h"

#define GROVE_DIGEST_BYTES	16

typedef struct GroveDigest
{
	uint64_t	low;
	uint64_t	high;
} GroveDigest;

/* total: the bytes that all updates together will take. */
extern void grove_digest_init(GroveDigest *digest, uint64_t total);

/* Every update but the last one takes a multiple of 16 bytes. */
extern void grove_digest_update(GroveDigest *digest, const uint8_t *bytes, size_t length);

extern void grove_digest_final(const GroveDigest *digest, uint8_t result[GROVE_DIGEST_BYTES]);

#endif							/* GROVE_DIGEST_H */
