/* reentrant.c - two models in one program: each in threads of its own on arenas of their own, many times
 * over, gives the bytes that it gives alone. Built by cli_warnings.sh with kinds.h and tiny.h. */
#include "kinds.h"
#include "tiny.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 50 };

typedef struct Job {
    unsigned seed;
    float image[KINDS_INPUT0_SIZE], signal[KINDS_INPUT1_SIZE], bias[KINDS_INPUT2_SIZE], x[TINY_INPUT_SIZE];
    float score[KINDS_OUTPUT0_SIZE], wide[KINDS_OUTPUT1_SIZE], y[TINY_OUTPUT_SIZE];
    int64_t winner[KINDS_OUTPUT2_SIZE];
    int wrong;
} Job;

static Job jobs[THREADS];

static void fill(float *v, int n, unsigned *seed)
{
    for (int i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        v[i] = (float)(*seed >> 8) / 8388608.0f - 1;
    }
}

static void run_alone(Job *j)
{
    unsigned seed = j->seed;
    fill(j->image, KINDS_INPUT0_SIZE, &seed);
    fill(j->signal, KINDS_INPUT1_SIZE, &seed);
    fill(j->bias, KINDS_INPUT2_SIZE, &seed);
    fill(j->x, TINY_INPUT_SIZE, &seed);
    kinds_run(j->image, j->signal, j->bias, j->score, j->wide, j->winner);
    tiny_run(j->x, j->y);
}

static void *run_again(void *job)
{
    Job *j = job, other = *j;
    void *kinds_arena = malloc(KINDS_ARENA_BYTES), *tiny_arena = malloc(TINY_ARENA_BYTES);
    if (!kinds_arena || !tiny_arena)
        abort();
    for (int i = 0; i < ROUNDS; i++) {
        memset(kinds_arena, 0xFF, KINDS_ARENA_BYTES);
        memset(tiny_arena, 0xFF, TINY_ARENA_BYTES);
        memset(other.score, 0xFF, sizeof other.score);
        kinds_run_in(kinds_arena, j->image, j->signal, j->bias, other.score, other.wide, other.winner);
        tiny_run_in(tiny_arena, j->x, other.y);
        j->wrong += memcmp(j->score, other.score, sizeof other.score) ||
                    memcmp(j->wide, other.wide, sizeof other.wide) ||
                    memcmp(j->winner, other.winner, sizeof other.winner) ||
                    memcmp(j->y, other.y, sizeof other.y);
    }
    free(kinds_arena);
    free(tiny_arena);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int wrong = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i].seed = i + 1;
        run_alone(&jobs[i]);
    }
    wrong += !memcmp(jobs[0].score, jobs[1].score, sizeof jobs[0].score); /* other inputs, other outputs */
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_again, &jobs[i]))
            abort();
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        wrong += jobs[i].wrong;
    }
    printf("%d wrong\n", wrong);
    return wrong != 0;
}
