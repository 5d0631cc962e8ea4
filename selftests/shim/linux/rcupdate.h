/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One thread. What may happen at any time in the kernel happens in
 * shim_step(): a test hangs a writer there and runs it in the midst of a
 * reader's walk, or the other way round.
 */
#ifndef SHIM_LINUX_RCUPDATE_H
#define SHIM_LINUX_RCUPDATE_H

#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/types.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

extern void (*shim_step_hook)(void);

static inline void shim_step(void)
{
	if (shim_step_hook)
		shim_step_hook();
}

static inline void rcu_read_lock(void)
{
	shim_step();
}

static inline void rcu_read_unlock(void)
{
	shim_step();
}

#define rcu_assign_pointer(p, v)	\
do {					\
	shim_step();			\
	WRITE_ONCE(p, v);		\
	shim_step();			\
} while (0)

#define RCU_INIT_POINTER(p, v)	rcu_assign_pointer(p, v)

#endif
