// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RUN_FINDINGS_MAX	20

struct run run;

static struct {
	const char *name;
	double until;
	int findings;
	int tests;
	int failed;
} now_running;

double run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void run_nap(void)
{
	usleep(10000);
}

static double number_of(const char *name, double otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtod(text, NULL) : otherwise;
}

void run_begin(double seconds)
{
	const char *seed = getenv("KMQTT_TEST_SEED");

	setvbuf(stdout, NULL, _IOLBF, 0);
	run.limit = number_of("KMQTT_TEST_LIMIT", 15);
	run.seconds = run.limit > 15 ? 3 * seconds : seconds;
	run.seconds = number_of("KMQTT_FUZZ_SECONDS", run.seconds);
	run.one = getenv("KMQTT_FUZZ_CASE");
	if (run.one && !*run.one)
		run.one = NULL;
	if (seed && *seed)
		run.seed = strtoull(seed, NULL, 0);
	else
		run.seed = time(NULL) ^ (uint64_t)getpid() << 20;
	printf("KTAP version 1\n");
	run_say("seed %llu (KMQTT_TEST_SEED repeats it), %.0f s",
		(unsigned long long)run.seed, run.seconds);
}

bool run_wants(const char *name)
{
	const char *pattern = getenv("T");

	return !pattern || !*pattern || strstr(name, pattern) ||
	       !fnmatch(pattern, name, 0);
}

void run_test_always(const char *name)
{
	now_running.name = name;
	now_running.until = run_now();
	now_running.findings = 0;
	now_running.tests++;
}

bool run_test(const char *name, double share)
{
	if (!run_wants(name))
		return false;
	run_test_always(name);
	now_running.until += share * run.seconds;
	return true;
}

bool run_time_is_up(void)
{
	return run_now() >= now_running.until ||
	       now_running.findings >= RUN_FINDINGS_MAX;
}

static void print_line(const char *prefix, const char *format, va_list args)
{
	printf("# %s", prefix);
	vprintf(format, args);
	printf("\n");
}

void run_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line("", format, args);
	va_end(args);
}

void run_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (now_running.findings++ < RUN_FINDINGS_MAX)
		print_line("FOUND: ", format, args);
	va_end(args);
}

bool run_failed(void)
{
	return now_running.findings;
}

void run_test_end(void)
{
	now_running.failed += run_failed();
	printf("%sok %d %s\n", run_failed() ? "not " : "", now_running.tests,
	       now_running.name);
}

int run_end(void)
{
	if (!now_running.tests) {
		printf("1..0 # SKIP no such test\n");
		return 4;
	}
	printf("1..%d\n", now_running.tests);
	return now_running.failed ? 1 : 0;
}

void run_skip(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(4);
}

void run_die(const char *what)
{
	printf("Bail out! ");
	fflush(stdout);
	perror(what);
	exit(1);
}

uint64_t rnd(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint32_t rnd_below(uint64_t *state, uint32_t limit)
{
	return limit ? rnd(state) % limit : 0;
}

bool rnd_one_in(uint64_t *state, uint32_t n)
{
	return !rnd_below(state, n);
}
