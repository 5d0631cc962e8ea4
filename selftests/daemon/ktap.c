// SPDX-License-Identifier: GPL-2.0
#include "ktap.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number, failed;
static char collected[16384];

static void collect(void *arg, int is_error, const char *text)
{
	size_t n = strlen(collected);

	snprintf(collected + n, sizeof(collected) - n, "%s%s\n",
		 is_error ? "" : "warning: ", text);
}

struct diag test_diag = { .report = collect };

const char *said(void)
{
	static char last[sizeof(collected)];

	strcpy(last, collected);
	collected[0] = 0;
	test_diag.errors = 0;
	return last;
}

bool ktap_wanted(const char *name)
{
	const char *t = getenv("T");

	return !t || !*t || strstr(name, t) || !fnmatch(t, name, 0);
}

static void result(const char *name, bool passed)
{
	number++;
	failed += !passed;
	printf("%sok %d %s\n", passed ? "" : "not ", number, name);
}

static void show(const char *what, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	printf("# %s:\n", what);
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			printf("#   %s\n", line);
	}
	free(copy);
}

void ktap_same(const char *name, const char *got, const char *want)
{
	bool same = !strcmp(got, want);

	if (!same) {
		show("got", got);
		show("want", want);
	}
	result(name, same);
}

void ktap_true(const char *name, bool passed)
{
	result(name, passed);
}

int ktap_end(void)
{
	if (!number) {
		puts("1..0 # SKIP no such test");
		return 4;
	}
	printf("1..%d\n", number);
	return failed ? 1 : 0;
}

void file_write(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		exit(1);
	}
}

int main(void)
{
	char dir[] = "/tmp/kmqttd-parsers-XXXXXX";
	char command[64];
	int ret;

	if (!mkdtemp(dir) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	puts("KTAP version 1");
	config_tests();
	passwd_tests();
	acl_tests();
	ret = ktap_end();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		ret = 1;
	return ret;
}
