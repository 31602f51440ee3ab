#!/bin/sh
# avr.sh MODEL.onnx OPTION...: one run of a compiled model on an emulated ATmega1284P (128 kB of flash, 16 kB of RAM), tables in
# flash. OPTION: of `ternc compile`. Prints "CYCLES CHECKSUM FLASH RAM": bytes of the whole program, stack not counted; the
# checksum is that of instructions.sh.
#   TERNC_BIN  the ternc to use
#   CFLAGS     of the model (default: -Os)
# Works in the current folder. Exit code 77: a tool is missing.
set -eu
model=$1
shift
for tool in avr-gcc avr-size simavr; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool" >&2; exit 77; }
done
"$TERNC_BIN" compile "$model" -o gen --name net --quiet --target avr-flash "$@" >ternc.log
cat >avr_main.c <<'END'
#include "net.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdio.h>

static NET_INPUT0_TYPE in[NET_INPUT_SIZE];
static NET_OUTPUT0_TYPE out[NET_OUTPUT_SIZE];
static volatile uint16_t overflows; /* of the counter of cycles, which has 16 bits */

ISR(TIMER1_OVF_vect)
{
    overflows++;
}

static void put_text(const char *s)
{
    for (; *s; s++) {
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = (uint8_t)*s;
    }
}

int main(void)
{
    for (uint32_t i = 0; i < NET_INPUT_SIZE; i++)
        in[i] = (NET_INPUT0_TYPE)(i * 2654435761u >> 24);
    UCSR0B = _BV(TXEN0);
    TIMSK1 = _BV(TOIE1);
    TCCR1B = _BV(CS10);
    sei();
    net_run(in, out);
    const uint16_t count = TCNT1;
    cli();
    uint32_t sum = 0;
    const uint8_t *bytes = (const uint8_t *)out;
    for (uint32_t i = 0; i < sizeof out; i++)
        sum = sum * 31 + bytes[i];
    char text[40];
    snprintf(text, sizeof text, "= %lu %08lx\n", ((uint32_t)overflows << 16) + count, sum);
    put_text(text);
    sleep_enable();
    sleep_cpu(); /* without interrupts: for ever, and the end for simavr */
    return 0;
}
END
avr-gcc -mmcu=atmega1284p -std=gnu11 "${CFLAGS:--Os}" -DTN_ROM=__flash -Wall -Wextra -Werror -Igen avr_main.c gen/net.c -lm -o avr.elf
simavr -m atmega1284p -f 16000000 avr.elf >avr.out 2>&1
sizes=$(avr-size avr.elf | awk 'NR == 2 { print $1 + $2, $2 + $3 }')
# simavr writes what the serial line says in colours, and a full stop for the end of the line.
sed -n 's/.*= \([0-9]* [0-9a-f]*\)\..*/\1/p' avr.out | sed "s/\$/ $sizes/"
