/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of user/ call, and a fuzzer answers. No input reaches a file,
 * a name server or another process.
 */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include <stddef.h>
#include <time.h>

#include "diag.h"

/**
 * fuzz_file() - contents of a file that open() finds
 * @path: its name; "dir/..." are what scandir() finds in the folder "dir"
 * @data: contents
 * @size: bytes
 *
 * Of at most four files.
 */
void fuzz_file(const char *path, const void *data, size_t size);

/* a sink of reports, each of which is checked to be one printable line */
extern struct diag fuzz_diag;

/* what time it is */
extern time_t fuzz_seconds;

/* open(), for what is to be read elsewhere */
int fuzz_open(const char *path, int flags, ...);

#endif
