/*
 * model_cache.h: models parsed once per backend, found by content digest.
 *
 * The cache holds grove.model_cache_size bytes at most, least recently used
 * models go first; a model in use stays until it is released.
 */
#ifndef GROVE_MODEL_CACHE_H
#define GROVE_MODEL_CACHE_H

#include "../core/model.h"

/*
 * The parsed model of a bytea datum, which may be toasted: only the header is
 * fetched when the digest is in the cache.  Bytes that are not a valid model
 * are an ERROR.  The pointer stays valid until the end of the current memory
 * context (a reset callback releases the pin), so call sites keep it in
 * fn_mcxt or in the context of the call.
 */
extern const GroveModel *grovepg_model_get(Datum model, MemoryContext owner);

#endif							/* GROVE_MODEL_CACHE_H */
