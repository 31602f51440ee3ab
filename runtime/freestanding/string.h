/* string.h - what generated code takes from it, for measuring objects of targets without a C library. The compiler
 * knows these functions as it would know a library's: small copies become instructions. */
#ifndef TERNC_STRING_H
#define TERNC_STRING_H

#include <stddef.h>

#define memcpy(to, from, n) __builtin_memcpy(to, from, n)
#define memmove(to, from, n) __builtin_memmove(to, from, n)
#define memset(to, value, n) __builtin_memset(to, value, n)

#endif
