/*
 * options.h: the params jsonb argument of train() -> GroveParams, and back.
 */
#ifndef GROVE_OPTIONS_H
#define GROVE_OPTIONS_H

#include "utils/jsonb.h"

#include "../core/params.h"

/*
 * Fills params from a JSON object; what depends on the algorithm stays
 * GROVE_AUTO until grove_params_resolve().  Unknown option, wrong JSON type,
 * value out of range, one option given by two names, or an option that the
 * algorithm would not look at: ERROR 22023 whose hint names the nearest valid
 * option or the valid range.  JSON null means the default.
 */
extern void grovepg_options_parse(Jsonb *options, GroveParams *params);

/*
 * JSON object text with every option at its effective value, in the order of
 * params.def; palloc'd.  Options not given (texts) and not resolved are null,
 * so that the text parses back to the same params.
 */
extern char *grovepg_options_json(const GroveParams *params);

#endif							/* GROVE_OPTIONS_H */
