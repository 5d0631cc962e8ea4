/* SPDX-License-Identifier: GPL-2.0 */
/* How long something took, many times: the distribution of it. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * latency_clock() - monotonic, in ns
 */
static inline uint64_t latency_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/**
 * latency_stamp() - a moment, in units of the processor's own
 *
 * The emulated machine's clocksource is no TSC, and clock_gettime() a system
 * call of a thousand instructions: too dear to be done for each message.
 */
static inline uint64_t latency_stamp(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return latency_clock();
#endif
}

/* Forgets what there is; the time from here to latency_end() is the scale. */
void latency_begin(void);
void latency_end(void);

/* @units: difference of two stamps */
void latency_add(uint64_t units);

/*
 * "latency_ns": {...} in JSON: percentiles, and if wanted the distribution, as
 * pairs of nanoseconds and how many took so long. Nothing if none was added.
 */
void latency_print(bool distribution);

#endif /* BENCH_LATENCY_H */
