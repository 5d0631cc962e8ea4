// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/lsan_interface.h>

#define SECONDS		120	/* for one run */
#define COMPLAINTS	3	/* that are shown of one scenario */

struct outcome *outcome;

/* A failed allocation is what this is about; 77 is no program's own status. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "exitcode=77:allocator_may_return_null=1";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "exitcode=77";
}

bool outcome_once(const struct outcome *o)
{
	return o->alloc.first == o->alloc.last;
}

bool outcome_says(const struct outcome *o, const char *text)
{
	return strstr(o->err, text);
}

void file_write(const char *name, const char *text)
{
	struct alloc *a = alloc_now;
	FILE *f;

	alloc_now = NULL;
	f = fopen(name, "w");
	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		_exit(1);
	}
	alloc_now = a;
}

/* The end of the process that is tested, by return or by exit(). */
static void child_end(int status, void *arg)
{
	alloc_now = NULL;
	fflush(NULL);
	outcome->status = status;
	outcome->leak = __lsan_do_recoverable_leak_check();
	outcome->ended = true;
	_exit(0);
}

static void child(const struct scenario *s, int out, int err)
{
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	alarm(SECONDS);
	on_exit(child_end, NULL);
	module = &outcome->module;
	alloc_now = &outcome->alloc;
	exit(s->run(s));
}

static void text_read(int fd, char *text)
{
	ssize_t n = pread(fd, text, RUN_TEXT - 1, 0);

	text[n < 0 ? 0 : n] = 0;
	close(fd);
}

static void run_once(const struct scenario *s, long first, long last)
{
	int out = memfd_create("out", 0), err = memfd_create("err", 0);
	int status;
	pid_t pid;

	memset(outcome, 0, offsetof(struct outcome, out));
	outcome->alloc.first = first;
	outcome->alloc.last = last;
	module_reset(&outcome->module);
	fflush(NULL);
	pid = fork();
	if (pid < 0 || out < 0 || err < 0) {
		perror("fork");
		exit(1);
	}
	if (!pid)
		child(s, out, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status))
		outcome->status = -WTERMSIG(status);
	text_read(out, outcome->out);
	text_read(err, outcome->err);
}

static const char *judge(const struct scenario *s, const struct outcome *good)
{
	if (!outcome->ended)
		return outcome->status == -SIGALRM ? "it does not end" :
			"it crashed";
	if (outcome->leak)
		return "memory is left";
	return s->judge(outcome, good);
}

static void complain(const char *what)
{
	char *rest = outcome->err, *line;
	int lines = 0;

	printf("# allocation %ld%s: %s, status %d\n", outcome->alloc.first,
	       outcome_once(outcome) ? "" : " and all later ones", what,
	       outcome->status);
	while ((line = strsep(&rest, "\n")) && lines++ < 40) {
		if (*line)
			printf("#   %s\n", line);
	}
}

/*
 * Let the first, the second ... fail, until one is not asked for any more. Where
 * all later ones fail as well, some hundred beginnings are enough, unless
 * NOMEM_ALL is set.
 */
static int run_failing(const struct scenario *s, const struct outcome *good,
		       bool once)
{
	long n, stride = 1, runs = 0, injected = 0, errors = 0, served = 0;
	const char *what;
	int wrong = 0;

	if (!once && !getenv("NOMEM_ALL"))
		stride += good->alloc.seen / 100;
	for (n = 1;; n += stride) {
		run_once(s, n, once ? n : LONG_MAX);
		if (!outcome->alloc.failed && outcome->ended)
			break;
		runs++;
		injected += outcome->alloc.failed;
		errors += outcome->status != good->status;
		served += outcome->status == good->status;
		what = judge(s, good);
		if (!what)
			continue;
		if (wrong++ < COMPLAINTS)
			complain(what);
	}
	if (outcome->status != good->status || judge(s, good)) {
		complain("it does not come to where this one would be");
		wrong++;
	}
	printf("# %s: %ld runs, %ld failures injected: %ld ended with an error, %ld as without\n",
	       once ? "one fails" : "all from one on fail", runs, injected,
	       errors, served);
	fflush(stdout);
	return wrong;
}

static int run_scenario(const struct scenario *s)
{
	static struct outcome good;
	const char *what;

	run_once(s, 0, 0);
	good = *outcome;
	what = judge(s, outcome);	/* itself: the strict one */
	if (!what && good.status != s->ends)
		what = "it ends so without a failure";
	if (what) {
		complain(what);
		return 1;
	}
	if (!good.alloc.seen) {
		printf("# nothing is allocated\n");
		return 1;
	}
	return run_failing(s, &good, true) + run_failing(s, &good, false);
}

static bool wanted(const char *name)
{
	const char *t = getenv("T");

	return !t || !*t || strstr(name, t) || !fnmatch(t, name, 0);
}

int run_all(const struct scenario *list, int nr)
{
	char dir[] = "/tmp/kmqtt-nomem-XXXXXX", command[64];
	int number = 0, failed = 0, bad;

	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outcome == MAP_FAILED || !mkdtemp(dir) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	printf("KTAP version 1\n");
	for (int i = 0; i < nr; i++) {
		if (!wanted(list[i].name))
			continue;
		bad = run_scenario(&list[i]);
		failed += !!bad;
		printf("%sok %d %s\n", bad ? "not " : "", ++number,
		       list[i].name);
		fflush(stdout);
	}
	printf("1..%d%s\n", number, number ? "" : " # SKIP no such test");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		return 1;
	return failed ? 1 : number ? 0 : 4;
}
