/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_LLIST_H
#define CONNFUZZ_LINUX_LLIST_H

#include <linux/atomic.h>

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define LLIST_HEAD(name)	struct llist_head name = {}

/* Return: was it empty? */
static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	shim_point();
	node->next = head->first;
	head->first = node;
	return !node->next;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

#endif
