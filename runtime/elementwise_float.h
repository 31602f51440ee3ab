/* elementwise_float.h - scalar kernels of float and double. NaN in gives NaN out, comparisons apart. Typed: see tn.h,
 * with TF. */
#include "tn.h"

/* y = |x| */
TN_KERNEL T TN(abs)(T x)
{
    return TM(fabs)(x);
}

/* y = -x */
TN_KERNEL T TN(neg)(T x)
{
    return -x;
}

/* y = x rounded to the nearest integer, halves to even */
TN_KERNEL T TN(round)(T x)
{
    return TM(rint)(x);
}

/* y = -1, 0 or 1 */
TN_KERNEL T TN(sign)(T x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

/* y = x^2 */
TN_KERNEL T TN(square)(T x)
{
    return x * x;
}

/* y = 1 / x */
TN_KERNEL T TN(reciprocal)(T x)
{
    return 1 / x;
}

/* y = greatest integer <= x */
TN_KERNEL T TN(floor)(T x)
{
    return TM(floor)(x);
}

/* y = least integer >= x */
TN_KERNEL T TN(ceil)(T x)
{
    return TM(ceil)(x);
}

/* y = square root of x */
TN_KERNEL T TN(sqrt)(T x)
{
    return TM(sqrt)(x);
}

/* y = e^x */
TN_KERNEL T TN(exp)(T x)
{
    return TM(exp)(x);
}

/* y = natural logarithm of x */
TN_KERNEL T TN(log)(T x)
{
    return TM(log)(x);
}

/* y = sin x */
TN_KERNEL T TN(sin)(T x)
{
    return TM(sin)(x);
}

/* y = cos x */
TN_KERNEL T TN(cos)(T x)
{
    return TM(cos)(x);
}

/* y = tan x */
TN_KERNEL T TN(tan)(T x)
{
    return TM(tan)(x);
}

/* y = arc sin x */
TN_KERNEL T TN(asin)(T x)
{
    return TM(asin)(x);
}

/* y = arc cos x */
TN_KERNEL T TN(acos)(T x)
{
    return TM(acos)(x);
}

/* y = arc tan x */
TN_KERNEL T TN(atan)(T x)
{
    return TM(atan)(x);
}

/* y = sinh x */
TN_KERNEL T TN(sinh)(T x)
{
    return TM(sinh)(x);
}

/* y = cosh x */
TN_KERNEL T TN(cosh)(T x)
{
    return TM(cosh)(x);
}

/* y = tanh x */
TN_KERNEL T TN(tanh)(T x)
{
    return TM(tanh)(x);
}

/* y = area sinh x */
TN_KERNEL T TN(asinh)(T x)
{
    return TM(asinh)(x);
}

/* y = area cosh x */
TN_KERNEL T TN(acosh)(T x)
{
    return TM(acosh)(x);
}

/* y = area tanh x */
TN_KERNEL T TN(atanh)(T x)
{
    return TM(atanh)(x);
}

/* y = error function of x */
TN_KERNEL T TN(erf)(T x)
{
    return TM(erf)(x);
}

/* y = max(x, 0) */
TN_KERNEL T TN(relu)(T x)
{
    return x < 0 ? 0 : x;
}

/* y = x < 0 ? alpha * x : x */
TN_KERNEL T TN(leaky_relu)(T x, T alpha)
{
    return x < 0 ? alpha * x : x;
}

/* y = x < 0 ? alpha * (e^x - 1) : x */
TN_KERNEL T TN(elu)(T x, T alpha)
{
    return x < 0 ? alpha * TM(expm1)(x) : x;
}

/* y = gamma * (x < 0 ? alpha * (e^x - 1) : x) */
TN_KERNEL T TN(selu)(T x, T alpha, T gamma)
{
    return gamma * TN(elu)(x, alpha);
}

/* y = x < 0 ? alpha * (e^(x / alpha) - 1) : x */
TN_KERNEL T TN(celu)(T x, T alpha)
{
    return x < 0 ? alpha * TM(expm1)(x / alpha) : x;
}

/* y = x > alpha ? x : 0 */
TN_KERNEL T TN(thresholded_relu)(T x, T alpha)
{
    return x > alpha ? x : 0;
}

/* y = min(max(alpha * x + beta, 0), 1) */
TN_KERNEL T TN(hard_sigmoid)(T x, T alpha, T beta)
{
    T y = alpha * x + beta;
    return y < 0 ? 0 : y > 1 ? 1 : y;
}

/* y = x * min(max(x / 6 + 0.5, 0), 1) */
TN_KERNEL T TN(hard_swish)(T x)
{
    return x * TN(hard_sigmoid)(x, (T)1 / 6, (T)0.5);
}

/* y = 1 / (1 + e^-x) */
TN_KERNEL T TN(sigmoid)(T x)
{
    return 1 / (1 + TM(exp)(-x));
}

/* y = log(1 + e^x), without overflow */
TN_KERNEL T TN(softplus)(T x)
{
    T tail = TM(log1p)(TM(exp)(-TM(fabs)(x)));
    return x < 0 ? tail : x + tail;
}

/* y = x / (1 + |x|) */
TN_KERNEL T TN(softsign)(T x)
{
    return x / (1 + TM(fabs)(x));
}

/* y = x < -lambd ? x + bias : x > lambd ? x - bias : 0 */
TN_KERNEL T TN(shrink)(T x, T bias, T lambd)
{
    if (x < -lambd)
        return x + bias;
    if (x > lambd)
        return x - bias;
    return 0;
}

/* y = x is not a number */
TN_KERNEL uint8_t TN(is_nan)(T x)
{
    return (uint8_t)(x != x);
}

/* y = x is -infinity and negative is not 0, or +infinity and positive is not 0 */
TN_KERNEL uint8_t TN(is_inf)(T x, T negative, T positive)
{
    return (uint8_t)((x == -INFINITY && negative != 0) || (x == INFINITY && positive != 0));
}

/* y = a + b */
TN_KERNEL T TN(add)(T a, T b)
{
    return a + b;
}

/* y = a - b */
TN_KERNEL T TN(sub)(T a, T b)
{
    return a - b;
}

/* y = a * b */
TN_KERNEL T TN(mul)(T a, T b)
{
    return a * b;
}

/* y = a / b */
TN_KERNEL T TN(div)(T a, T b)
{
    return a / b;
}

/* y = a^b */
TN_KERNEL T TN(pow)(T a, T b)
{
    return TM(pow)(a, b);
}

/* y = a - b * trunc(a / b), with the sign of a */
TN_KERNEL T TN(rem)(T a, T b)
{
    return TM(fmod)(a, b);
}

/* y = a < 0 ? a * slope : a */
TN_KERNEL T TN(prelu)(T a, T slope)
{
    return a < 0 ? a * slope : a;
}

/* y = the smaller; NaN if one is */
TN_KERNEL T TN(min)(T a, T b)
{
    return a < b || a != a ? a : b;
}

/* y = the larger; NaN if one is */
TN_KERNEL T TN(max)(T a, T b)
{
    return a > b || a != a ? a : b;
}
