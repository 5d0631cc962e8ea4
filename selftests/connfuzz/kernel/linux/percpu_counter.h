/* SPDX-License-Identifier: GPL-2.0 */
/* A sum of memory: never below zero, and zero at the end. */
#ifndef CONNFUZZ_LINUX_PERCPU_COUNTER_H
#define CONNFUZZ_LINUX_PERCPU_COUNTER_H

#include <linux/types.h>

struct percpu_counter {
	s64 count;
};

int percpu_counter_init(struct percpu_counter *counter, s64 amount, gfp_t gfp);
void percpu_counter_destroy(struct percpu_counter *counter);
void percpu_counter_add_batch(struct percpu_counter *counter, s64 amount,
			      int batch);

static inline s64 percpu_counter_read_positive(struct percpu_counter *counter)
{
	return counter->count;
}

static inline s64 percpu_counter_sum_positive(struct percpu_counter *counter)
{
	return counter->count;
}

#endif
