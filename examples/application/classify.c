/* classify.c - a network in a C program: names what ten images show. Exit code 1 when more than two are
 * wrong. */
#include "fashion.h"
#include "images.h"

#include <stdio.h>

static int find_best(const float *score)
{
    int best = 0;
    for (int k = 1; k < FASHION_OUTPUT_SIZE; k++)
        best = score[k] > score[best] ? k : best;
    return best;
}

int main(void)
{
    int wrong = 0;
    for (int i = 0; i < NUM_IMAGES; i++) {
        float score[FASHION_OUTPUT_SIZE];
        fashion_run(images[i], score);
        int best = find_best(score);
        printf("%-10s  taken for: %s\n", class_names[i], class_names[best]);
        wrong += best != i;
    }
    printf("%d of %d right, %d bytes of RAM\n", NUM_IMAGES - wrong, NUM_IMAGES, FASHION_ARENA_BYTES);
    return wrong > 2;
}
