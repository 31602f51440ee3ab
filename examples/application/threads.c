/* threads.c - one network in two threads, each with an arena of its own. What they find must be what one
 * finds. */
#include "fashion.h"
#include "images.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 2, ROUNDS = 20 };

typedef struct Worker {
    double arena[(FASHION_ARENA_BYTES + 7) / 8];
    float score[NUM_IMAGES][FASHION_OUTPUT_SIZE];
} Worker;

static Worker alone, workers[THREADS];

static void *run_all(void *worker)
{
    Worker *w = worker;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < NUM_IMAGES; i++)
            fashion_run_in(w->arena, images[i], w->score[i]);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_all, &workers[i]))
            return 2;
    run_all(&alone);
    int wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        wrong += memcmp(workers[i].score, alone.score, sizeof alone.score) != 0;
    }
    printf("%d threads, %d images each: %s\n", THREADS, ROUNDS * NUM_IMAGES,
           wrong ? "DIFFERENT" : "the same scores");
    return wrong;
}
