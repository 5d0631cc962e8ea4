/* SPDX-License-Identifier: GPL-2.0 */
/* alloc: an allocator that fails where a test says so, for all of a program */
#ifndef NOMEM_ALLOC_H
#define NOMEM_ALLOC_H

#include <stdatomic.h>
#include <stdbool.h>

/**
 * struct alloc - what fails, and what has failed
 * @first: number of the allocation that fails, from 1; 0: none
 * @last: number of the last one that fails
 * @seen: allocations so far
 * @failed: of them failed
 */
struct alloc {
	long first;
	long last;
	atomic_long seen;
	atomic_long failed;
};

/* NULL: nothing is counted. The test's own are not counted either. */
extern struct alloc *alloc_now;

/** alloc_fails() - one more is asked for: does it fail? */
bool alloc_fails(void);

#endif
