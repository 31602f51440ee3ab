/* main.c - a network on an ATmega328P (32 kB of flash, 2 kB of RAM): names what ten images of 7 x 7 pixels
 * show, over the serial line. Tables and images stay in flash: the address space __flash of avr-gcc. */
#define IMAGE_SPACE __flash
#include "images.h"
#include "tiny.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

static void put_text(const char *s)
{
    for (; *s; s++) {
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = (uint8_t)*s;
    }
}

static void shrink(const __flash uint8_t *image, uint8_t *small)
{
    for (uint8_t i = 0; i < TINY_INPUT_SIZE; i++) {
        uint16_t sum = 0;
        for (uint8_t k = 0; k < 16; k++)
            sum += image[(i / 7 * 4 + k / 4) * 28 + i % 7 * 4 + k % 4];
        small[i] = (uint8_t)(sum / 16);
    }
}

static uint8_t find_best(const float *score)
{
    uint8_t best = 0;
    for (uint8_t k = 1; k < TINY_OUTPUT_SIZE; k++)
        best = score[k] > score[best] ? k : best;
    return best;
}

int main(void)
{
    uint8_t right = 0;
    UCSR0B = _BV(TXEN0);
    for (uint8_t i = 0; i < NUM_IMAGES; i++) {
        uint8_t small[TINY_INPUT_SIZE];
        float score[TINY_OUTPUT_SIZE];
        shrink(images[i], small);
        tiny_run(small, score);
        uint8_t best = find_best(score);
        put_text(class_names[i]);
        put_text(": ");
        put_text(class_names[best]);
        put_text("\n");
        right += best == i;
    }
    const char digits[] = {(char)('0' + right / 10), (char)('0' + right % 10), 0};
    put_text(digits);
    put_text(" of 10 right\n");
    cli();
    sleep_enable();
    sleep_cpu(); /* without interrupts: for ever, and the end for simavr */
    return 0;
}
