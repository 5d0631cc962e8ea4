/* SPDX-License-Identifier: GPL-2.0 */
/* One run of a fuzzer: its seed, its time, its tests as KTAP. */
#ifndef GUESTFUZZ_RUN_H
#define GUESTFUZZ_RUN_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct run - read from the environment, set by run_begin()
 * @seed: KMQTT_TEST_SEED, or one of the clock's
 * @seconds: KMQTT_FUZZ_SECONDS: for all tests of the program together
 * @limit: KMQTT_TEST_LIMIT: how long one answer may take (seconds)
 * @one: KMQTT_FUZZ_CASE: this case only, or NULL
 */
struct run {
	uint64_t seed;
	double seconds;
	double limit;
	const char *one;
};

extern struct run run;

/* @seconds: for all tests on a usual kernel; one that checks has 3 times that */
void run_begin(double seconds);
/* Does T name this test? */
bool run_wants(const char *name);
/* Is this test wanted? Then its time, @share of all, begins. */
bool run_test(const char *name, double share);
void run_test_always(const char *name);
/* Or are there more findings than are worth printing? */
bool run_time_is_up(void);
/* A finding: the test has failed. */
void run_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool run_failed(void);
void run_test_end(void);
/* The plan; return: the exit status of the program. */
int run_end(void);
/* Nothing can be tested. */
void run_skip(const char *reason) __attribute__((noreturn));
void run_die(const char *what) __attribute__((noreturn));

double run_now(void);
/* Wait a little between two looks at what has no event to wait for. */
void run_nap(void);

/* Deterministic random numbers: splitmix64. */
uint64_t rnd(uint64_t *state);
uint32_t rnd_below(uint64_t *state, uint32_t limit);
bool rnd_one_in(uint64_t *state, uint32_t n);

#endif
