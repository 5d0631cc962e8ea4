/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_RCULIST_H
#define CONNFUZZ_LINUX_RCULIST_H

#include_next <linux/rculist.h>

#define hlist_first_rcu(head)	((head)->first)

static inline void hlist_add_head_rcu(struct hlist_node *node,
				      struct hlist_head *head)
{
	shim_point();
	hlist_add_head(node, head);
	shim_point();
}

/* As in the kernel, ->next stays for readers that are on the entry. */
static inline void hlist_del_rcu(struct hlist_node *node)
{
	shim_point();
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	node->pprev = NULL;
	shim_point();
}

#define hlist_for_each_entry_srcu(pos, head, member, cond)		\
	for (({ SHIM_CHECK(cond); }), shim_point(),			\
	     pos = hlist_entry_safe((head)->first, __typeof__(*(pos)), member); \
	     pos;							\
	     shim_point(),						\
	     pos = hlist_entry_safe((pos)->member.next, __typeof__(*(pos)), member))

#endif
