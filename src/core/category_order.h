/*
 * category_order.h: the categories of a feature, sorted by their gradients.
 */
#ifndef GROVE_CATEGORY_ORDER_H
#define GROVE_CATEGORY_ORDER_H

#include "bins.h"

/*
 * Sorts n <= GROVE_BINS bins, which ascend, by their ratios, none of which is
 * NaN; order[n].  Equal ones keep the order of their bins.
 */
extern void grove_category_order(const uint8_t *bins, const double *ratio, uint32_t n, uint8_t *order);

#endif							/* GROVE_CATEGORY_ORDER_H */
