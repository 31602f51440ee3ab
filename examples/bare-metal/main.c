/* main.c - a network on a machine without operating system: names what ten images show. The exit code is the
 * number of wrong ones. */
#include "fashion.h"
#include "images.h"
#include "semihosting.h"

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
        semi_print(class_names[i]);
        semi_print(best == i ? ": right\n" : ": taken for ");
        if (best != i) {
            semi_print(class_names[best]);
            semi_print("\n");
            wrong++;
        }
    }
    return wrong;
}
