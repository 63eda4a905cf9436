/*
 * model_seal.c: digest and checksum of a model's bytes, made and compared in
 * one place.
 */
#include "bytes.h"
#include "crc32c.h"
#include "model.h"
#include "model_format.h"

static void
compute_digest(const uint8_t *bytes, size_t length, uint8_t result[GROVE_DIGEST_BYTES])
{
	GroveDigest digest;
	size_t		body = length - AT_BODY - FORMAT_TRAILER;

	grove_digest_init(&digest, (uint64_t) AT_DIGEST + body);
	grove_digest_update(&digest, bytes, AT_DIGEST);
	grove_digest_update(&digest, bytes + AT_BODY, body);
	grove_digest_final(&digest, result);
}

static uint32_t
compute_checksum(const uint8_t *bytes, size_t length)
{
	GroveCrc32c tables;

	grove_crc32c_init(&tables);
	return grove_crc32c_update(&tables, 0, bytes, length - FORMAT_TRAILER);
}

void
grove_model_seal(uint8_t *bytes, size_t length)
{
	compute_digest(bytes, length, bytes + AT_DIGEST);
	grove_bytes_put32(bytes + length - FORMAT_TRAILER, compute_checksum(bytes, length));
}

bool
grove_model_sealed(const uint8_t *bytes, size_t length)
{
	uint8_t		digest[GROVE_DIGEST_BYTES];

	if (grove_bytes_get32(bytes + length - FORMAT_TRAILER) != compute_checksum(bytes, length))
		return false;
	compute_digest(bytes, length, digest);
	return memcmp(digest, bytes + AT_DIGEST, GROVE_DIGEST_BYTES) == 0;
}
