/* buffers.c - memory that the script fills and reads. */
#include "fashion.h"

uint8_t image[FASHION_INPUT_SIZE];
float score[FASHION_OUTPUT_SIZE];
