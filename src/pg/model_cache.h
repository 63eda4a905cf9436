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
 * fetched when its digest and its toast pointer are known.  Bytes that are not
 * a valid model are an ERROR.  The pointer stays valid until owner is reset or
 * deleted (a callback then releases the pin), so call sites keep it in
 * fn_mcxt or in the context of the call.
 */
extern const GroveModel *grovepg_model_get(Datum model, MemoryContext owner);

/*
 * For functions that are called for every row with what is usually the same
 * model: a call site remembers the last few models that it was given and
 * recognises them by their datum, without detoasting and without the cache.
 */
typedef struct GroveModelSite GroveModelSite;

/* One model of a call site, with what the caller has built for it. */
typedef struct GroveModelUse
{
	const GroveModel *model;
	void	   *work;			/* bind.c's, NULL at first */
	void	   *explainer;		/* fn_explain.c's, NULL at first */
	MemoryContext context;		/* lives as long as this use; both belong into it */
} GroveModelUse;

/* owner: fn_mcxt; the site ends with it. */
extern GroveModelSite *grovepg_model_site(MemoryContext owner);

/* Valid until the next call for the same site. */
extern GroveModelUse *grovepg_model_use(GroveModelSite *site, Datum model);

/* A text of a model as a C string, palloc'd; ERROR XX001 when it is not valid in the database's encoding. */
extern char *grovepg_model_text(GroveText text);

/* A C string as a text of a model that is being made; NULL is empty. */
static inline GroveText
grovepg_model_text_of(const char *string)
{
	GroveText	text = {string, string ? (uint32) strlen(string) : 0};

	return text;
}

/* A model that is complete as a value, palloc'd. */
extern bytea *grovepg_model_value(const GroveModel *model);

#endif							/* GROVE_MODEL_CACHE_H */
