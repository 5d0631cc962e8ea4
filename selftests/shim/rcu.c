// SPDX-License-Identifier: GPL-2.0
/* Grace periods for one thread. */
#include <assert.h>
#include <string.h>
#include <linux/srcu.h>

void (*shim_step_hook)(void);

int init_srcu_struct(struct srcu_struct *srcu)
{
	memset(srcu, 0, sizeof(*srcu));
	return 0;
}

static void srcu_run(struct srcu_struct *srcu)
{
	struct rcu_head *head;

	while (!srcu->readers && srcu->waiting) {
		head = srcu->waiting;
		srcu->waiting = head->next;
		head->func(head);
	}
}

void cleanup_srcu_struct(struct srcu_struct *srcu)
{
	assert(!srcu->readers && !srcu->waiting);
}

int srcu_read_lock(struct srcu_struct *srcu)
{
	return srcu->readers++;
}

void srcu_read_unlock(struct srcu_struct *srcu, int idx)
{
	assert(srcu->readers == idx + 1);
	srcu->readers--;
	srcu_run(srcu);
}

void call_srcu(struct srcu_struct *srcu, struct rcu_head *head,
	       void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = srcu->waiting;
	srcu->waiting = head;
	srcu_run(srcu);
}

void srcu_barrier(struct srcu_struct *srcu)
{
	assert(!srcu->readers);
	srcu_run(srcu);
}

void shim_srcu_check(const struct srcu_struct *srcu, bool locked)
{
	assert(srcu->readers || locked);
}
