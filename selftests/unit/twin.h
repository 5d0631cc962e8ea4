/* SPDX-License-Identifier: GPL-2.0 */
/* A topic tree and its naive twin, for the tests of core/tree.c. */
#ifndef UNIT_TWIN_H
#define UNIT_TWIN_H

#include "tree.h"

#define TWIN_TOPICS	600
#define TWIN_SIZE	64

/**
 * struct twin_topic - a topic as the twin has it, and what hangs on its node
 * @link: in node->entries while @there
 * @node: valid while @there
 * @there: is it in the tree
 * @stable: for a test's own use
 * @visits: since the last twin_match() began
 * @text: a name or a filter
 */
struct twin_topic {
	struct hlist_node link;
	struct mqtt_node *node;
	bool there;
	bool stable;
	int visits;
	char text[TWIN_SIZE];
};

extern struct mutex tree_lock;
extern struct srcu_struct tree_srcu;
extern struct mqtt_tree tree;
extern struct twin_topic topics[TWIN_TOPICS];
extern unsigned int nr_topics;

/* mqtt_tree_match_name() or mqtt_tree_match_filter() */
typedef int (*twin_match_t)(struct mqtt_tree *tree,
			    const struct mqtt_str *topic, mqtt_visit_t visit,
			    void *arg);

bool twin_init(size_t bytes_max);

/* Return: was all gone, by the tree's own count and by the allocator's? */
bool twin_destroy(void);

/* Different random topics into topics[], none of them in the tree yet. */
void twin_fill(unsigned int nr, bool filters);
void twin_random(char *text, bool filter);

/* Return: 0 or the tree's error */
int twin_add(struct twin_topic *topic);
void twin_del(struct twin_topic *topic);
void twin_empty(void);

/* A visit that counts in the topic and in the int at @arg. */
int twin_visit(struct mqtt_node *node, void *arg);

/* Return: how many nodes were visited */
int twin_match(twin_match_t how, const char *text);

/* Section 4.7, as slow and plain as can be. */
bool twin_matches(const char *filter, const char *name);

/* Was each topic that is there visited once if it matches, else never? */
bool twin_visits_right(const char *text, bool filters);

#endif
