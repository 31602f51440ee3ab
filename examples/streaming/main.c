/* main.c - a filter around a recurrent model: frames of floats from stdin, results to stdout, the state
 * carried from frame to frame. The model has two inputs, frame and state, and two outputs, result and new
 * state; net.h says that they are a pair. With an argument the state is kept in two arrays that change
 * places, else in one.
 *
 *     ternc compile stream.onnx -o . --name net
 *     cc -O2 main.c net.c -lm -o stream
 *     ./stream <frames.f32 >results.f32 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#if NET_NUM_STATES != 1 || NET_STATE0_INPUT != 1 || NET_STATE0_OUTPUT != 1
#error "this program wants a model with the state behind the frame and behind the result"
#endif

static NET_INPUT0_TYPE frame[NET_INPUT0_SIZE];
static NET_OUTPUT0_TYPE result[NET_OUTPUT0_SIZE];
static NET_INPUT1_TYPE states[2][NET_INPUT1_SIZE];

int main(int argc, char **argv)
{
    int two_arrays = argc > 1 && strcmp(argv[1], "two") == 0, now = 0;
    if (!two_arrays && !NET_STATE0_IN_PLACE) {
        fprintf(stderr, "the state of this model needs two arrays\n");
        return 1;
    }
    while (fread(frame, sizeof frame, 1, stdin) == 1) {
        int next = two_arrays ? !now : now;
        net_run(frame, states[now], result, states[next]);
        now = next;
        fwrite(result, sizeof result, 1, stdout);
    }
    return 0;
}
