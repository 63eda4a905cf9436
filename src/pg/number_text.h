/*
 * number_text.h: the shortest decimal that reads back as the same double,
 * whatever extra_float_digits says.
 */
#ifndef GROVE_NUMBER_TEXT_H
#define GROVE_NUMBER_TEXT_H

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"

static inline void
grovepg_number_append(StringInfo text, double value)
{
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, number);
	appendStringInfoString(text, number);
}

#endif							/* GROVE_NUMBER_TEXT_H */
