// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"

static unsigned long taken;

void fuzz_taken(void)
{
	taken++;
}

/* libFuzzer ends with exit(), where all went well */
static void __attribute__((__destructor__)) say(void)
{
	fprintf(stderr, "fuzz: taken %lu\n", taken);
}
