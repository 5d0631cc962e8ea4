/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree of topic levels. The broker keeps two: subscriptions by topic filter,
 * matched by names, and retained messages by topic name, matched by filters.
 *
 * Nodes are found by (parent, level) in one rhashtable, so a level with a
 * million children costs what one with ten does. Readers hold the SRCU the
 * owner passed at init; they may sleep. Writers hold the owner's mutex. What
 * hangs on a node (@entries) belongs to the owner.
 */
#ifndef MQTT_TREE_H
#define MQTT_TREE_H

#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/rhashtable.h>
#include <linux/mutex.h>
#include <linux/srcu.h>
#include "packet.h"

/**
 * struct mqtt_node - one level of one or more topics
 * @tree: its tree
 * @hash: in @tree->nodes
 * @parent: set for life; NULL for the root
 * @plus: child "+", read under SRCU
 * @multi: child "#", read under SRCU
 * @children: all children, RCU list, written under tree->lock
 * @sibling: in parent->children
 * @entries: what the owner hangs here, RCU hlist, written under tree->lock
 * @nr_exact: children other than "+" and "#"; written under tree->lock, a
 *	reader that finds none need not look for one
 * @dead: unlinked; under tree->lock
 * @rcu: SRCU grace period, then free (tree.c says why that is enough)
 * @len: bytes in @level
 * @level: the level's bytes
 */
struct mqtt_node {
	struct mqtt_tree *tree;
	struct rhash_head hash;
	struct mqtt_node *parent;
	struct mqtt_node __rcu *plus;
	struct mqtt_node __rcu *multi;
	struct list_head children;
	struct list_head sibling;
	struct hlist_head entries;
	u32 nr_exact;
	bool dead;
	u16 len;
	struct rcu_head rcu;
	u8 level[];
};

/**
 * struct mqtt_tree - see above
 * @nodes: all nodes but the root by (parent, level)
 * @root: has no level of its own
 * @lock: the owner's mutex, held by writers
 * @srcu: the owner's, held by readers
 * @nr_nodes: under @lock, read without
 * @bytes: memory of the nodes, under @lock, read without
 * @bytes_max: no node is made beyond it
 * @charge: NULL, or asked before a node is made (@charge true; false: no), with
 *	@lock held, and told when the memory of one is free, in any context
 */
struct mqtt_tree {
	struct rhashtable nodes;
	struct mqtt_node *root;
	struct mutex *lock;
	struct srcu_struct *srcu;
	unsigned long nr_nodes;
	size_t bytes;
	size_t bytes_max;
	bool (*charge)(struct mqtt_tree *tree, size_t bytes, bool charge);
};

/**
 * mqtt_tree_init() - an empty tree
 * @tree: to be set up
 * @lock: the owner's mutex, held by writers
 * @srcu: the owner's, held by readers; outlives the tree
 * @bytes_max: what the nodes may take
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int mqtt_tree_init(struct mqtt_tree *tree, struct mutex *lock,
		   struct srcu_struct *srcu, size_t bytes_max);

/**
 * mqtt_tree_destroy() - free a tree and what nodes are left in it
 * @tree: without entries, readers and writers
 *
 * Context: process. The caller runs srcu_barrier() afterwards, before @tree,
 * @srcu or the code goes away.
 */
void mqtt_tree_destroy(struct mqtt_tree *tree);

/**
 * mqtt_tree_get() - find the node of a topic, make it if it is not there
 * @tree: the tree
 * @topic: name or filter, valid, at most MQTT_STRING_MAX bytes
 *
 * Context: process, tree->lock held. The node lives as long as it has entries
 * or children; the caller adds an entry or calls mqtt_tree_prune().
 * Return: the node, or ERR_PTR(-ENOMEM) (nothing is left behind).
 */
struct mqtt_node *mqtt_tree_get(struct mqtt_tree *tree,
				const struct mqtt_str *topic);

/**
 * mqtt_tree_find() - find the node of a topic, wildcards taken literally
 * @tree: the tree
 * @topic: name or filter
 *
 * Context: tree->lock held or inside tree->srcu, which is also how long the
 * result lives. Return: the node, or NULL.
 */
struct mqtt_node *mqtt_tree_find(struct mqtt_tree *tree,
				 const struct mqtt_str *topic);

/**
 * mqtt_tree_prune() - unlink a node and those above that hold nothing any more
 * @tree: the tree
 * @node: not to be used afterwards; kept if it has entries or children
 *
 * Context: process, tree->lock held. Readers that are on an unlinked node go
 * on from there; it is freed when the last of them has left tree->srcu.
 */
void mqtt_tree_prune(struct mqtt_tree *tree, struct mqtt_node *node);

/**
 * typedef mqtt_visit_t - called for a match
 * @node: has entries
 * @arg: as given to the walk
 *
 * It may sleep. It must not change the tree. Return: 0, or anything else to
 * end the walk with it.
 */
typedef int (*mqtt_visit_t)(struct mqtt_node *node, void *arg);

/**
 * mqtt_tree_match_name() - visit the filters that match a topic name
 * @tree: of filters
 * @name: valid topic name
 * @visit: called for each match
 * @arg: for @visit
 *
 * Only nodes with entries are visited, each once. Context: process, inside
 * tree->srcu; calls cond_resched() now and then.
 * No recursion, no allocation, no lock; the cost follows depth and matches.
 * "a/#" matches "a" too; a leading wildcard does not match a $-topic
 * [MQTT-4.7.2-1].
 */
int mqtt_tree_match_name(struct mqtt_tree *tree, const struct mqtt_str *name,
			 mqtt_visit_t visit, void *arg);

/**
 * mqtt_tree_match_few() - mqtt_tree_match_name() that gives up early
 * @tree: of filters
 * @name: valid topic name
 * @visit: called for each match; does not sleep
 * @arg: for @visit
 *
 * Context: any, inside tree->srcu. Return: as mqtt_tree_match_name(), or
 * -E2BIG after a look at MQTT_TREE_FEW nodes.
 */
int mqtt_tree_match_few(struct mqtt_tree *tree, const struct mqtt_str *name,
			mqtt_visit_t visit, void *arg);
/* Some two microseconds. */
#define MQTT_TREE_FEW	64

/**
 * mqtt_tree_match_filter() - visit the topic names that match a filter
 * @tree: of names
 * @filter: valid topic filter, without $share
 * @visit: called for each match
 * @arg: for @visit
 *
 * As mqtt_tree_match_name(), for a tree whose topics are names. A name added
 * or removed while the walk goes on may be visited or not; all others are
 * visited exactly once. Calls cond_resched() now and then.
 */
int mqtt_tree_match_filter(struct mqtt_tree *tree,
			   const struct mqtt_str *filter,
			   mqtt_visit_t visit, void *arg);

/**
 * mqtt_tree_walk() - visit every node that has entries
 * @tree: the tree
 * @visit: called for each
 * @arg: for @visit
 *
 * Context: tree->lock held; @visit may remove the entries of its node (and
 * may not prune).
 */
int mqtt_tree_walk(struct mqtt_tree *tree, mqtt_visit_t visit, void *arg);

/**
 * mqtt_tree_topic() - the whole topic of a node
 * @node: not the root
 * @buf: where to
 * @size: bytes there are in @buf
 *
 * Writes at most @size bytes of it to @buf (not terminated).
 * Context: tree->lock held or inside tree->srcu.
 * Return: its length in bytes.
 */
u32 mqtt_tree_topic(const struct mqtt_node *node, u8 *buf, u32 size);

#endif
