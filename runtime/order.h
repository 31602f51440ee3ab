/* order.h - comparisons in which NaN has a place, for every type; arguments are evaluated more than once. */
#ifndef TN_ORDER_H
#define TN_ORDER_H

/* Whether v is above m; NaN is above all numbers. */
#define tn_above(v, m) ((v) > (m) || ((v) != (v) && (m) == (m)))

/* Whether v is below m; NaN is below all numbers. */
#define tn_below(v, m) ((v) < (m) || ((v) != (v) && (m) == (m)))

#endif
