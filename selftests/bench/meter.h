/* SPDX-License-Identifier: GPL-2.0 */
/* What a stretch of work took: time, and how much of it nobody worked. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>

/**
 * struct meter - one stretch, in ns
 * @idle: of all CPUs together; 0 where the kernel does not tell
 */
struct meter {
	uint64_t elapsed;
	uint64_t idle;
};

void meter_begin(struct meter *meter);
void meter_end(struct meter *meter);

/* Of all CPUs together, in ns. */
uint64_t meter_busy(const struct meter *meter);

#endif /* BENCH_METER_H */
