/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_SRCU_H
#define CONNFUZZ_LINUX_SRCU_H

#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

struct srcu_struct {
	unsigned int readers;
	struct rcu_head *waiting;
};

int init_srcu_struct(struct srcu_struct *srcu);
void cleanup_srcu_struct(struct srcu_struct *srcu);
int srcu_read_lock(struct srcu_struct *srcu);
void srcu_read_unlock(struct srcu_struct *srcu, int idx);
void call_srcu(struct srcu_struct *srcu, struct rcu_head *head,
	       void (*func)(struct rcu_head *head));
void synchronize_srcu(struct srcu_struct *srcu);
void srcu_barrier(struct srcu_struct *srcu);
void shim_srcu_check(const struct srcu_struct *srcu, bool locked);

#define srcu_read_lock_held(srcu)	((srcu)->readers)

#define srcu_dereference_check(p, srcu, cond)	\
({						\
	shim_srcu_check(srcu, cond);		\
	shim_point();				\
	READ_ONCE(p);				\
})
#define srcu_dereference(p, srcu) srcu_dereference_check(p, srcu, false)

#endif
