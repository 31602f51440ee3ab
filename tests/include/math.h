/* math.h - the same for <math.h>: calls stay calls, to the target's own library, which is not counted. */
#ifndef TERNC_MATH_H
#define TERNC_MATH_H

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)

float expf(float x), logf(float x), tanhf(float x), sqrtf(float x), fabsf(float x), erff(float x),
    powf(float x, float y);
float floorf(float x), ceilf(float x), sinf(float x), cosf(float x), fminf(float x, float y), fmaxf(float x, float y);
double exp(double x), log(double x), tanh(double x), sqrt(double x), fabs(double x);

#endif
