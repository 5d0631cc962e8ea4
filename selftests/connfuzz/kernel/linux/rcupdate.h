/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_RCUPDATE_H
#define CONNFUZZ_LINUX_RCUPDATE_H

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/sched.h>
#include <linux/types.h>

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
	void *object;
};

/* The hash table's name for a point where others may come in. */
#define shim_step	shim_point

#define rcu_read_lock	shim_rcu_begin
#define rcu_read_unlock	shim_rcu_end

#define rcu_assign_pointer(p, v)	\
do {					\
	shim_point();			\
	WRITE_ONCE(p, v);		\
	shim_point();			\
} while (0)
#define RCU_INIT_POINTER(p, v)		rcu_assign_pointer(p, v)

#define rcu_access_pointer(p)			READ_ONCE(p)
#define rcu_dereference_raw(p)			READ_ONCE(p)
#define rcu_dereference_protected(p, cond)	\
({						\
	SHIM_CHECK(cond);			\
	(p);					\
})
#define rcu_dereference(p)			\
({						\
	SHIM_CHECK(shim_in_rcu());		\
	READ_ONCE(p);				\
})
#define rcu_replace_pointer(p, v, cond)		\
({						\
	__typeof__(p) replaced = rcu_dereference_protected(p, cond);	\
						\
	rcu_assign_pointer(p, v);		\
	replaced;				\
})

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void shim_kfree_rcu(struct rcu_head *head, void *object);
void synchronize_rcu(void);
#define synchronize_rcu_tasks	synchronize_rcu
void rcu_barrier(void);

#define kfree_rcu(ptr, field)	shim_kfree_rcu(&(ptr)->field, ptr)

#endif
