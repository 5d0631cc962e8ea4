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

#define llist_entry(ptr, type, member)	container_of(ptr, type, member)

/* Return: was it empty? */
static inline bool llist_add(struct llist_node *node, struct llist_head *head)
{
	shim_point();
	node->next = head->first;
	head->first = node;
	return !node->next;
}

#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (struct llist_node *llist_at = (node), *llist_next;		\
	     llist_at && (llist_next = llist_at->next, (void)(n),	\
		(pos) = container_of(llist_at, __typeof__(*(pos)), member), \
		true);							\
	     llist_at = llist_next)

static inline struct llist_node *llist_next(struct llist_node *node)
{
	return node->next;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *head)
{
	struct llist_node *to = NULL, *next;

	for (; head; head = next) {
		next = head->next;
		head->next = to;
		to = head;
	}
	return to;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

#endif
