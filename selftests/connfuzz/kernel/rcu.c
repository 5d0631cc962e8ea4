// SPDX-License-Identifier: GPL-2.0
/*
 * Read-copy-update: a callback waits until the fuzzer lets a grace period end,
 * so that the address sanitizer sees who reads on too long.
 */
#include <linux/slab.h>
#include <linux/srcu.h>
#include "shim.h"

static struct rcu_head *rcu_waiting;
static struct srcu_struct *all_srcu;

int init_srcu_struct(struct srcu_struct *srcu)
{
	if (shim_fails())
		return -ENOMEM;
	*srcu = (struct srcu_struct){};
	all_srcu = srcu;
	return 0;
}

void cleanup_srcu_struct(struct srcu_struct *srcu)
{
	SHIM_CHECK(!srcu->readers && !srcu->waiting);
	all_srcu = NULL;
}

int srcu_read_lock(struct srcu_struct *srcu)
{
	srcu->readers++;
	shim_point();
	return 0;
}

void srcu_read_unlock(struct srcu_struct *srcu, int idx)
{
	(void)idx;
	shim_point();
	SHIM_CHECK(srcu->readers);
	srcu->readers--;
}

static void callback_add(struct rcu_head **list, struct rcu_head *head,
			 void (*func)(struct rcu_head *head))
{
	head->func = func;
	head->next = *list;
	*list = head;
}

/* With bottom halves off, also those of SRCU. */
static void callbacks_run(struct rcu_head **list)
{
	struct rcu_head *head, *next = *list;

	*list = NULL;
	shim_bh_begin();
	while ((head = next)) {
		next = head->next;
		head->func(head);
	}
	shim_bh_end();
}

void call_srcu(struct srcu_struct *srcu, struct rcu_head *head,
	       void (*func)(struct rcu_head *head))
{
	callback_add(&srcu->waiting, head, func);
}

void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	callback_add(&rcu_waiting, head, func);
}

static void rcu_free(struct rcu_head *head)
{
	kfree(head->object);
}

void shim_kfree_rcu(struct rcu_head *head, void *object)
{
	head->object = object;
	callback_add(&rcu_waiting, head, rcu_free);
}

void synchronize_srcu(struct srcu_struct *srcu)
{
	shim_wait_until(!srcu->readers);
}

void srcu_barrier(struct srcu_struct *srcu)
{
	shim_wait_until(!srcu->readers);
	callbacks_run(&srcu->waiting);
}

void synchronize_rcu(void)
{
	shim_wait_until(!shim_rcu_readers());
}

void rcu_barrier(void)
{
	synchronize_rcu();
	callbacks_run(&rcu_waiting);
}

void shim_grace_period(void)
{
	if (all_srcu && !all_srcu->readers)
		callbacks_run(&all_srcu->waiting);
	if (!shim_rcu_readers())
		callbacks_run(&rcu_waiting);
}

unsigned int shim_nr_callbacks(void)
{
	struct rcu_head *head = rcu_waiting;
	unsigned int nr = 0;

	for (; head; head = head->next)
		nr++;
	return nr;
}

void shim_srcu_check(const struct srcu_struct *srcu, bool locked)
{
	SHIM_CHECK(srcu->readers || locked);
}
