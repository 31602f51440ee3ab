/* op_cases.c - the case table, put together from one file of rows per family of operators. */
#include "cases/op_cases.h"

#include <stddef.h>

const OpCase op_cases[] = {
#include "cases/op_cases_linear.h"
#include "cases/op_cases_math.h"
#include "cases/op_cases_move.h"
#include "cases/op_cases_recurrent.h"
#include "cases/op_cases_quant.h"
#include "cases/op_cases_codes.h"
#include "cases/op_cases_control.h"
};
const int num_op_cases = sizeof op_cases / sizeof op_cases[0];
