/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_RHASHTABLE_H
#define CONNFUZZ_LINUX_RHASHTABLE_H

#include_next <linux/rhashtable.h>
#include <linux/err.h>
#include <linux/jhash.h>
#include <linux/lockdep.h>
#include <linux/kernel.h>
#include "task.h"

struct rhashtable_iter {
	struct rhashtable *table;
	unsigned int passed;
};

static inline void rhashtable_walk_enter(struct rhashtable *table,
					 struct rhashtable_iter *iter)
{
	iter->table = table;
	iter->passed = 0;
}

static inline void rhashtable_walk_start(struct rhashtable_iter *iter)
{
	(void)iter;
	shim_rcu_begin();
}

static inline void rhashtable_walk_stop(struct rhashtable_iter *iter)
{
	(void)iter;
	shim_rcu_end();
}

static inline void rhashtable_walk_exit(struct rhashtable_iter *iter)
{
	(void)iter;
}

void *rhashtable_walk_next(struct rhashtable_iter *iter);
/* It must be empty. */
void rhashtable_destroy(struct rhashtable *table);

#endif
