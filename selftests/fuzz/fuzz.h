/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzzers share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * fuzz_taken() - this input was not rejected
 *
 * To be called at most once an input. How many there were is said at the end:
 * a fuzzer whose inputs are all refused at the door finds nothing.
 */
void fuzz_taken(void);

/* like assert(), in every build, with what libFuzzer makes of an abort() */
#define FUZZ_CHECK(condition) do {					\
	if (!(condition)) {						\
		fprintf(stderr, "%s:%d: broken promise: %s\n",		\
			__FILE__, __LINE__, #condition);		\
		abort();						\
	}								\
} while (0)

/**
 * struct fuzz_bytes - an input that is taken byte by byte
 * @at: next byte
 * @left: how many
 */
struct fuzz_bytes {
	const uint8_t *at;
	size_t left;
};

/* the next byte, 0 behind the end */
static inline uint8_t fuzz_byte(struct fuzz_bytes *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

#endif
