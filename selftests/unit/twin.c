// SPDX-License-Identifier: GPL-2.0
/* The twin: an array of strings, compared level by level. */
#include "twin.h"
#include <string.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include "bytes.h"
#include "unit.h"

/* What the tree's writers hold. */
struct mutex tree_lock;
struct srcu_struct tree_srcu;
struct mqtt_tree tree;
struct twin_topic topics[TWIN_TOPICS];
unsigned int nr_topics;

bool twin_init(size_t bytes_max)
{
	mutex_init(&tree_lock);
	init_srcu_struct(&tree_srcu);
	nr_topics = 0;
	return !mqtt_tree_init(&tree, &tree_lock, &tree_srcu, bytes_max);
}

bool twin_destroy(void)
{
	bool ok = !tree.nr_nodes && !tree.bytes && !tree.nodes.nelems;

	srcu_barrier(&tree_srcu);
	cleanup_srcu_struct(&tree_srcu);
	mqtt_tree_destroy(&tree);
	return ok && !shim_live;
}

int twin_add(struct twin_topic *topic)
{
	struct mqtt_str text = str(topic->text);

	mutex_lock(&tree_lock);
	topic->node = mqtt_tree_get(&tree, &text);
	if (!IS_ERR(topic->node)) {
		hlist_add_head(&topic->link, &topic->node->entries);
		topic->there = true;
	}
	mutex_unlock(&tree_lock);
	return topic->there ? 0 : PTR_ERR(topic->node);
}

void twin_del(struct twin_topic *topic)
{
	mutex_lock(&tree_lock);
	hlist_del(&topic->link);
	topic->there = false;
	mqtt_tree_prune(&tree, topic->node);
	mutex_unlock(&tree_lock);
}

void twin_empty(void)
{
	unsigned int i;

	for (i = 0; i < nr_topics; i++)
		if (topics[i].there)
			twin_del(&topics[i]);
}

int twin_visit(struct mqtt_node *node, void *arg)
{
	struct twin_topic *topic;

	topic = hlist_entry(node->entries.first, struct twin_topic, link);
	topic->visits++;
	++*(int *)arg;
	return 0;
}

int twin_match(twin_match_t how, const char *text)
{
	struct mqtt_str topic = str(text);
	int nr = 0, idx;
	unsigned int i;

	for (i = 0; i < nr_topics; i++)
		topics[i].visits = 0;
	idx = srcu_read_lock(&tree_srcu);
	how(&tree, &topic, twin_visit, &nr);
	srcu_read_unlock(&tree_srcu, idx);
	return nr;
}

static const char *level_next(const char *level)
{
	const char *slash = strchr(level, '/');

	return slash ? slash + 1 : NULL;
}

static bool level_same(const char *a, const char *b)
{
	size_t len = strcspn(a, "/");

	return len == strcspn(b, "/") && !memcmp(a, b, len);
}

bool twin_matches(const char *filter, const char *name)
{
	if (*name == '$' && (*filter == '+' || *filter == '#'))
		return false;
	while (filter && name) {
		if (!strcmp(filter, "#"))
			return true;
		if (strncmp(filter, "+/", 2) && strcmp(filter, "+") &&
		    !level_same(filter, name))
			return false;
		filter = level_next(filter);
		name = level_next(name);
	}
	return !name && (!filter || !strcmp(filter, "#"));
}

static const char *const levels[] = {
	"", "a", "b", "c", "$s", "sensor", "a1", "\xc3\xa4",
};

void twin_random(char *text, bool filter)
{
	unsigned int nr = 1 + unit_random(5), i, kind;
	char *at = text;

	for (i = 0; i < nr; i++) {
		kind = filter ? unit_random(10) : 9;
		if (i)
			*at++ = '/';
		if (kind == 0) {
			strcpy(at, "#");
			return;
		}
		strcpy(at, kind < 4 ? "+" :
		       levels[unit_random(ARRAY_SIZE(levels))]);
		at += strlen(at);
	}
	/* A topic has at least one character. */
	if (at == text)
		strcpy(text, "/");
}

void twin_fill(unsigned int nr, bool filters)
{
	unsigned int i;

	for (nr_topics = 0; nr_topics < nr;) {
		struct twin_topic *topic = &topics[nr_topics];

		memset(topic, 0, sizeof(*topic));
		twin_random(topic->text, filters);
		for (i = 0; i < nr_topics; i++)
			if (!strcmp(topics[i].text, topic->text))
				break;
		nr_topics += i == nr_topics;
	}
}

bool twin_visits_right(const char *text, bool filters)
{
	unsigned int i;
	bool want;

	for (i = 0; i < nr_topics; i++) {
		want = topics[i].there &&
		       (filters ? twin_matches(topics[i].text, text) :
				  twin_matches(text, topics[i].text));
		if (topics[i].visits == want)
			continue;
		unit_fail(__FILE__, __LINE__, "%s with %s: %d visits",
			  text, topics[i].text, topics[i].visits);
		return false;
	}
	return true;
}
