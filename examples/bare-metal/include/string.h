/* string.h - what generated code needs of it, for machines without a C library; start.c has the functions.
 * Models with exponentials and the like need a <math.h> with its library as well: newlib or picolibc. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

#endif
