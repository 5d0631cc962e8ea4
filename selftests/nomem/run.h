/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run: do something again and again, and let another allocation fail each time
 */
#ifndef NOMEM_RUN_H
#define NOMEM_RUN_H

#include <stdbool.h>

#include "alloc.h"
#include "module.h"

#define RUN_TEXT	(256 * 1024)

/**
 * struct outcome - how a run has ended
 * @alloc: what was to fail, and what has
 * @module: the played module's state in the end
 * @ended: it has ended by itself
 * @status: then, its exit status
 * @leak: something was not freed
 * @note: for the scenario's own use
 * @out: what it wrote to stdout
 * @err: and to stderr
 */
struct outcome {
	struct alloc alloc;
	struct module module;
	bool ended;
	int status;
	bool leak;
	int note;
	char out[RUN_TEXT];
	char err[RUN_TEXT];
};

/* of the run that goes on, in the process that is tested */
extern struct outcome *outcome;

/**
 * struct scenario - something that needs memory
 * @name: of the test
 * @run: does it, in a process of its own; returns its exit status
 * @judge: was that a right answer, @good being what comes without a failure?
 *	NULL, or what is wrong
 * @args: for @run
 * @ends: status without a failure
 */
struct scenario {
	const char *name;
	int (*run)(const struct scenario *s);
	const char *(*judge)(const struct outcome *is,
			     const struct outcome *good);
	const char *const *args;
	int ends;
};

/** run_all() - test scenarios; the program's exit status */
int run_all(const struct scenario *list, int nr);

/** outcome_once() - does one allocation fail, and not all from there on? */
bool outcome_once(const struct outcome *o);

/** outcome_says() - is this text in what it wrote to stderr? */
bool outcome_says(const struct outcome *o, const char *text);

/** file_write() - make a file in the current folder; no failure counts here */
void file_write(const char *name, const char *text);

#endif
