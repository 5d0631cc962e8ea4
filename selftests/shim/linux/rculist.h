/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_RCULIST_H
#define SHIM_LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

static inline void list_add_rcu(struct list_head *new, struct list_head *head)
{
	shim_step();
	list_add(new, head);
	shim_step();
}

/* As in the kernel, ->next stays for readers that are on the entry. */
static inline void list_del_rcu(struct list_head *entry)
{
	shim_step();
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	entry->prev = NULL;
	shim_step();
}

#define list_next_or_null_rcu(head, ptr, type, member)			\
({									\
	struct list_head *__next;					\
									\
	shim_step();							\
	__next = READ_ONCE((ptr)->next);				\
	__next == (head) ? NULL : list_entry(__next, type, member);	\
})

#endif
