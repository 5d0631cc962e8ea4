// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the suites and prints KTAP. T in the environment chooses tests by a
 * part of "suite: test", or a shell pattern.
 *
 * Exit status: 0 all passed, 1 a test failed, 4 nothing to run.
 */
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "unit.h"

/* a table with one mistake can fail in every line: say the first ones */
#define FAILURES_SHOWN	20

static struct unit_suite *suites;
static unsigned int failures;

void unit_register(struct unit_suite *suite)
{
	struct unit_suite **at = &suites;

	while (*at && strcmp((*at)->name, suite->name) < 0)
		at = &(*at)->next;
	suite->next = *at;
	*at = suite;
}

void unit_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	if (++failures > FAILURES_SHOWN)
		return;
	va_start(args, format);
	printf("# %s:%d: ", file, line);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

u32 unit_random(u32 below)
{
	static u64 state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 16) % below;
}

static bool wanted(const char *name)
{
	const char *pattern = getenv("T");

	return !pattern || !*pattern || strstr(name, pattern) ||
	       !fnmatch(pattern, name, 0);
}

static bool passes(const struct unit_test *test)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		printf("# fork failed\n");
		return false;
	}
	if (!pid) {
		/* the sanitizers' words go where the results go */
		dup2(STDOUT_FILENO, STDERR_FILENO);
		test->run();
		if (failures > FAILURES_SHOWN)
			printf("# and %u more\n", failures - FAILURES_SHOWN);
		exit(!!failures);
	}
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) > 1)
		printf("# exit status %d\n", WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Walks all tests that are wanted; @run: or only counts them. */
static unsigned int walk(bool run, unsigned int *failed)
{
	const struct unit_suite *suite;
	unsigned int nr = 0;
	char name[128];
	bool ok;
	size_t i;

	for (suite = suites; suite; suite = suite->next) {
		for (i = 0; i < suite->nr; i++) {
			snprintf(name, sizeof(name), "%s: %s", suite->name,
				 suite->tests[i].name);
			if (!wanted(name))
				continue;
			nr++;
			if (!run)
				continue;
			ok = passes(&suite->tests[i]);
			*failed += !ok;
			printf("%s %u %s\n", ok ? "ok" : "not ok", nr, name);
		}
	}
	return nr;
}

int main(void)
{
	unsigned int nr, failed = 0;

	nr = walk(false, NULL);
	printf("KTAP version 1\n1..%u%s\n", nr,
	       nr ? "" : " # SKIP no such test");
	walk(true, &failed);
	return failed ? 1 : nr ? 0 : 4;
}
