/*
 * elements.h: values of one type that are hashed in passing and of which some
 * are kept: elements of sampling aggregates.
 *
 * Hashing looks at a value where it is; only grovepg_elements_keep() copies.
 */
#ifndef GROVE_ELEMENTS_H
#define GROVE_ELEMENTS_H

#include "lib/stringinfo.h"

#include "../core/rng.h"

typedef struct GroveElementType GroveElementType;

/* What is to be known of a type, made in context.  ERROR 42804 with a hint for an anonymous row. */
extern GroveElementType *grovepg_element_type(Oid type, MemoryContext context);

extern Oid	grovepg_element_oid(const GroveElementType *type);

/* Hash under a key of grove_rng_key(), of value_hash.h. */
extern uint64 grovepg_element_hash(GroveElementType *type, uint64 rng_key, Datum value, bool null);

/* A total order of values of the type; 0 only when they look the same (1.0 and 1.00 do not), however they are stored. */
extern int	grovepg_element_compare(GroveElementType *type, Datum a, Datum b);

/* How many distinct elements a weighted sample remembers beyond what it needs for k, see docs/sampling.md. */
extern uint64 grovepg_element_spare(const GroveElementType *type);

/* An array of these values; those that are toasted are fetched now. */
extern Datum grovepg_element_array(const GroveElementType *type, Datum *values, bool *nulls, int n);

/* Copies of values, in one memory context; freed places are used again. */
typedef struct GroveElements
{
	GroveElementType *type;
	MemoryContext context;
	Size		bytes;			/* memory taken so far */
	char	   *block;			/* the block places are cut from */
	Size		block_size;
	Size		block_used;
	void	  **free;			/* lists of free places by size; NULL: none yet */
} GroveElements;

/* *elements is zeroed but for type and context. */
extern Datum grovepg_elements_keep(GroveElements *elements, Datum value);
extern void grovepg_elements_release(GroveElements *elements, Datum kept);

/*
 * What a kept value consists of besides its Datum, appended to and taken from
 * the message between two processes of one query: nothing for a type passed
 * by value.  The size is that of the bytes written.
 */
extern Size grovepg_element_size(const GroveElementType *type, Datum value);
extern void grovepg_elements_write(const GroveElementType *type, StringInfo buffer, Datum value);
extern Datum grovepg_elements_read(GroveElements *elements, StringInfo buffer, Datum value);

#endif							/* GROVE_ELEMENTS_H */
