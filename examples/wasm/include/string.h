/* string.h - what generated code needs of it, as WebAssembly's own instructions (-mbulk-memory). */
#ifndef STRING_H
#define STRING_H

#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset

#endif
