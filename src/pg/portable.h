/*
 * portable.h: input and output of types whose values are portable bytes, the
 * states of aggregates.  Text is their hexadecimal digits; what comes from
 * outside is checked before it becomes a value.
 */
#ifndef GROVE_PORTABLE_H
#define GROVE_PORTABLE_H

#include "fmgr.h"

/* ERROR 22P03 unless the bytes are a value of the type; runs in a memory context that is thrown away. */
typedef void (*GrovePortableCheck) (struct varlena *flat);

/* The four functions of a type: bodies of its input, output, receive and send function. */
extern Datum grovepg_portable_in(FunctionCallInfo fcinfo, GrovePortableCheck check);
extern Datum grovepg_portable_out(FunctionCallInfo fcinfo);
extern Datum grovepg_portable_recv(FunctionCallInfo fcinfo, GrovePortableCheck check);
extern Datum grovepg_portable_send(FunctionCallInfo fcinfo);

#endif							/* GROVE_PORTABLE_H */
