// SPDX-License-Identifier: GPL-2.0
/* The topic tree, one call at a time. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include "bytes.h"
#include "topic.h"
#include "twin.h"
#include "unit.h"

/* Say what is wrong, and leave the test. */
#define REQUIRE(condition, ...) do {				\
	if (!(condition)) {					\
		unit_fail(__FILE__, __LINE__, #condition ": " __VA_ARGS__); \
		return;						\
	}							\
} while (0)

/* filter, name, do they match */
static const struct {
	const char *filter;
	const char *name;
	bool match;
} matches[] = {
	{ "a", "a", true }, { "a", "b", false }, { "a", "A", false },
	{ "a", "a/", false }, { "a/", "a", false }, { "/a", "a", false },
	{ "/", "/", true }, { "/", "//", false }, { "//", "//", true },
	{ "a/b/c", "a/b/c", true }, { "a/b/c", "a/b", false },
	{ "a/b", "a/b/c", false }, { "ab", "a", false }, { "a", "ab", false },
	{ "#", "a", true }, { "#", "a/b/c", true }, { "#", "/", true },
	{ "#", "$SYS", false }, { "#", "$SYS/a", false },
	{ "#", "a/$SYS", true }, { "#", "$", false },
	{ "$SYS/#", "$SYS", true }, { "$SYS/#", "$SYS/a/b", true },
	{ "$SYS/#", "$SYSTEM/a", false }, { "$SYS/+", "$SYS/a", true },
	{ "$SYS/a", "$SYS/a", true }, { "$SYS/+/b", "$SYS/a/b", true },
	{ "+", "a", true }, { "+", "a/b", false }, { "+", "/", false },
	{ "+", "$SYS", false }, { "+/a", "$SYS/a", false },
	{ "+/+", "/", true }, { "/+", "/", true }, { "/+", "/a", true },
	{ "+/+", "/a", true }, { "+", "/a", false }, { "+/", "a/", true },
	{ "a/+", "a", false }, { "a/+", "a/", true }, { "a/+", "a/b", true },
	{ "a/+", "a/b/c", false }, { "a/+/c", "a/b/c", true },
	{ "a/+/c", "a//c", true }, { "a/+/c", "a/b/d", false },
	{ "a/+/c", "a/b", false }, { "+/b/+", "a/b/c", true },
	{ "a/#", "a", true }, { "a/#", "a/", true }, { "a/#", "a/b/c", true },
	{ "a/#", "ab", false }, { "a/#", "b/a", false },
	{ "a/b/#", "a", false }, { "a/b/#", "a/b", true },
	{ "+/#", "a", true }, { "+/#", "a/b", true }, { "+/#", "/", true },
	{ "+/#", "$SYS", false }, { "+/#", "$SYS/a", false },
	{ "a/+/#", "a", false }, { "a/+/#", "a/b", true },
	{ "a/+/#", "a/b/c/d", true }, { "/#", "/", true },
	{ "/#", "/a", true }, { "/#", "a", false }, { "+/+/#", "a", false },
	{ "a/$SYS/#", "a/$SYS/b", true }, { "a/+", "a/$SYS", true },
};

static void filters_and_names_by_table(void)
{
	struct mqtt_str name, filter;
	unsigned int i;
	int nr;

	for (i = 0; i < ARRAY_SIZE(matches); i++) {
		const char *f = matches[i].filter, *n = matches[i].name;

		name = str(n);
		filter = str(f);
		REQUIRE(twin_matches(f, n) == matches[i].match, "%s %s", f, n);
		REQUIRE(mqtt_topic_matches(&filter, &name) == matches[i].match,
			"%s %s", f, n);
		REQUIRE(twin_init(SIZE_MAX), "no tree");
		nr_topics = 1;
		memset(topics, 0, sizeof(*topics));
		strcpy(topics->text, f);
		REQUIRE(!twin_add(topics), "%s", f);
		nr = twin_match(mqtt_tree_match_name, n);
		REQUIRE(nr == matches[i].match, "%s in a tree of %s", n, f);
		twin_del(topics);

		strcpy(topics->text, n);
		REQUIRE(!twin_add(topics), "%s", n);
		nr = twin_match(mqtt_tree_match_filter, f);
		REQUIRE(nr == matches[i].match, "%s in a tree of %s", f, n);
		twin_del(topics);
		REQUIRE(twin_destroy(), "something is left");
	}
}

/* Add and remove at random, and look at each state from several topics. */
static void against_twin(bool filters)
{
	twin_match_t how = filters ? mqtt_tree_match_name : mqtt_tree_match_filter;
	char text[TWIN_SIZE];
	unsigned int i, j;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	twin_fill(TWIN_TOPICS, filters);
	for (i = 0; i < 6000; i++) {
		struct twin_topic *topic = &topics[unit_random(nr_topics)];

		if (topic->there)
			twin_del(topic);
		else
			REQUIRE(!twin_add(topic), "%s", topic->text);
		for (j = 0; j < 4; j++) {
			twin_random(text, !filters);
			twin_match(how, text);
			if (!twin_visits_right(text, filters))
				return;
		}
	}
	twin_empty();
	REQUIRE(twin_destroy(), "something is left");
}

static void names_among_filters(void)
{
	against_twin(true);
}

static void filters_among_names(void)
{
	against_twin(false);
}

static void find_and_walk(void)
{
	struct mqtt_node *node;
	struct mqtt_str text;
	unsigned int i, walked = 0;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	twin_fill(TWIN_TOPICS, true);
	for (i = 0; i < nr_topics / 2; i++)
		REQUIRE(!twin_add(&topics[i]), "%s", topics[i].text);
	mutex_lock(&tree_lock);
	for (i = 0; i < nr_topics; i++) {
		text = str(topics[i].text);
		node = mqtt_tree_find(&tree, &text);
		if (topics[i].there)
			REQUIRE(node == topics[i].node, "%s", topics[i].text);
		else
			REQUIRE(!node || hlist_empty(&node->entries), "%s",
				topics[i].text);
		topics[i].visits = 0;
	}
	mqtt_tree_walk(&tree, twin_visit, &walked);
	mutex_unlock(&tree_lock);
	REQUIRE(walked == nr_topics / 2, "%u", walked);
	for (i = 0; i < nr_topics; i++)
		REQUIRE(topics[i].visits == topics[i].there, "%s",
			topics[i].text);
	twin_empty();
	REQUIRE(twin_destroy(), "something is left");
}

static void topic_of_a_node(void)
{
	u8 buf[TWIN_SIZE];
	u32 len, size;
	unsigned int i;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	twin_fill(200, true);
	for (i = 0; i < nr_topics; i++) {
		const char *text = topics[i].text;

		REQUIRE(!twin_add(&topics[i]), "%s", text);
		for (size = 0; size < sizeof(buf); size++) {
			memset(buf, '!', sizeof(buf));
			len = mqtt_tree_topic(topics[i].node, buf, size);
			REQUIRE(len == strlen(text), "%s: %u", text, len);
			if (len > size)
				len = size;
			REQUIRE(!memcmp(buf, text, len), "%s", text);
			for (; len < sizeof(buf); len++)
				REQUIRE(buf[len] == '!', "%s: past the end",
					text);
		}
	}
	twin_empty();
	REQUIRE(twin_destroy(), "something is left");
}

/* Let each allocation of an addition fail: the tree is as it was before. */
static void each_allocation_fails(void)
{
	unsigned long nr_nodes;
	unsigned int i, failed = 0;
	size_t bytes;
	long live;
	int n;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	twin_fill(TWIN_TOPICS, true);
	for (i = 0; i < nr_topics; i++) {
		for (n = 1;; n++) {
			nr_nodes = tree.nr_nodes;
			bytes = tree.bytes;
			live = shim_live;
			shim_fail_in = n;
			if (!twin_add(&topics[i]))
				break;
			REQUIRE(PTR_ERR(topics[i].node) == -ENOMEM, "%d", n);
			REQUIRE(tree.nr_nodes == nr_nodes, "%d", n);
			REQUIRE(tree.bytes == bytes, "%d", n);
			REQUIRE(shim_live == live, "%d", n);
			failed++;
		}
		shim_fail_in = 0;
		twin_match(mqtt_tree_match_name, "a/b/c");
		if (!twin_visits_right("a/b/c", true))
			return;
	}
	REQUIRE(failed > nr_topics, "%u", failed);
	twin_empty();
	REQUIRE(twin_destroy(), "something is left");

	for (n = 1; n <= 2; n++) {
		shim_fail_in = n;
		REQUIRE(!twin_init(SIZE_MAX), "a tree without allocation %d", n);
		REQUIRE(!shim_live, "allocation %d", n);
	}
	shim_fail_in = 0;
	printf("# %u allocations failed\n", failed + 2);
}

static void memory_is_bounded(void)
{
	struct mqtt_str text = str("one/two/three/four");
	struct mqtt_node *node;
	size_t need;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	mutex_lock(&tree_lock);
	node = mqtt_tree_get(&tree, &text);
	REQUIRE(!IS_ERR(node), "no node");
	REQUIRE(tree.nr_nodes == 4, "%lu", tree.nr_nodes);
	need = tree.bytes;
	REQUIRE(need >= 4 * sizeof(*node) + text.len - 3, "%zu", need);
	mqtt_tree_prune(&tree, node);
	REQUIRE(!tree.nr_nodes && !tree.bytes, "%zu", tree.bytes);

	tree.bytes_max = need;
	node = mqtt_tree_get(&tree, &text);
	REQUIRE(!IS_ERR(node), "no node");
	mqtt_tree_prune(&tree, node);
	tree.bytes_max = need - 1;
	REQUIRE(PTR_ERR(mqtt_tree_get(&tree, &text)) == -ENOMEM, "too many");
	REQUIRE(!tree.nr_nodes && !tree.bytes, "%zu", tree.bytes);
	mutex_unlock(&tree_lock);
	REQUIRE(twin_destroy(), "something is left");
}

static size_t charged, charge_max;

static bool charge(struct mqtt_tree *tree, size_t bytes, bool more)
{
	(void)tree;
	if (more && charged + bytes > charge_max)
		return false;
	charged = more ? charged + bytes : charged - bytes;
	return true;
}

/*
 * Each node is asked for, and given back, also when it cannot be made; not
 * before the last reader that may be on it has left.
 */
static void memory_is_charged(void)
{
	struct mqtt_str text = str("one/two/three/four");
	struct mqtt_node *node;
	size_t need;
	int n, idx;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	tree.charge = charge;
	charge_max = SIZE_MAX;
	mutex_lock(&tree_lock);
	node = mqtt_tree_get(&tree, &text);
	REQUIRE(!IS_ERR(node) && charged == tree.bytes, "%zu", charged);
	need = charged;
	idx = srcu_read_lock(&tree_srcu);
	mqtt_tree_prune(&tree, node);
	REQUIRE(!tree.bytes && charged == need, "%zu", charged);
	srcu_read_unlock(&tree_srcu, idx);
	REQUIRE(!charged, "%zu", charged);

	charge_max = need - 1;
	REQUIRE(PTR_ERR(mqtt_tree_get(&tree, &text)) == -ENOMEM, "too much");
	REQUIRE(!charged, "%zu", charged);
	charge_max = need;
	for (n = 1;; n++) {
		shim_fail_in = n;
		node = mqtt_tree_get(&tree, &text);
		shim_fail_in = 0;
		if (!IS_ERR(node))
			break;
		REQUIRE(!charged, "%d: %zu", n, charged);
	}
	REQUIRE(n > 4 && charged == need, "%d: %zu", n, charged);
	mqtt_tree_prune(&tree, node);
	REQUIRE(!charged, "%zu", charged);
	mutex_unlock(&tree_lock);
	REQUIRE(twin_destroy(), "something is left");
}

/* As long and as deep as the encoding allows; the work is linear. */
static void deepest_topics_are_linear(void)
{
	static u8 buf[MQTT_STRING_MAX], back[MQTT_STRING_MAX];
	struct mqtt_str text = { buf, 0 };
	struct twin_topic entry = { .visits = 0 };
	struct mqtt_node *node;
	unsigned long steps;
	int idx, nr, i;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	for (i = 0; i < 3; i++) {
		/* 32,768 levels "a", 65,536 empty ones, one of 65,535 bytes */
		memset(buf, i == 1 ? '/' : 'a', sizeof(buf));
		for (text.len = 1; !i && text.len < sizeof(buf); text.len += 2)
			buf[text.len] = '/';
		text.len = sizeof(buf);

		shim_hash_steps = 0;
		mutex_lock(&tree_lock);
		node = mqtt_tree_get(&tree, &text);
		REQUIRE(!IS_ERR(node), "no node");
		REQUIRE(mqtt_tree_find(&tree, &text) == node, "another node");
		hlist_add_head(&entry.link, &node->entries);
		mutex_unlock(&tree_lock);
		REQUIRE(tree.nr_nodes == (i ? i == 1 ? 65536 : 1 : 32768),
			"%lu", tree.nr_nodes);
		REQUIRE(mqtt_tree_topic(node, back, sizeof(back)) == text.len,
			"length");
		REQUIRE(!memcmp(back, buf, text.len), "text");

		nr = 0;
		idx = srcu_read_lock(&tree_srcu);
		mqtt_tree_match_name(&tree, &text, twin_visit, &nr);
		mqtt_tree_match_filter(&tree, &text, twin_visit, &nr);
		srcu_read_unlock(&tree_srcu, idx);
		REQUIRE(nr == 2, "%d", nr);
		/* Four walks with some two links a level */
		steps = shim_hash_steps;
		REQUIRE(steps <= 4 * 3 * tree.nr_nodes, "%lu", steps);

		mutex_lock(&tree_lock);
		hlist_del(&entry.link);
		mqtt_tree_prune(&tree, node);
		mutex_unlock(&tree_lock);
	}
	REQUIRE(twin_destroy(), "something is left");
}

/* A level with many children: one is found as fast as among few. */
static void many_children_are_linear(void)
{
	static struct twin_topic wide[100000];
	unsigned int i, n = ARRAY_SIZE(wide);
	unsigned long steps;
	int nr;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	memset(wide, 0, sizeof(wide));
	for (i = 0; i < n; i++) {
		snprintf(wide[i].text, TWIN_SIZE, "wide/%u", i);
		REQUIRE(!twin_add(&wide[i]), "%u", i);
	}
	shim_hash_steps = 0;
	for (i = 0; i < n; i++) {
		nr = twin_match(mqtt_tree_match_name, wide[i].text);
		REQUIRE(nr == 1 && wide[i].visits == 1, "%u: %d", i, nr);
	}
	steps = shim_hash_steps;
	REQUIRE(steps < 4UL * n, "%lu", steps);

	nr = twin_match(mqtt_tree_match_filter, "wide/+");
	REQUIRE(nr == (int)n, "%d", nr);
	nr = twin_match(mqtt_tree_match_filter, "+/5");
	REQUIRE(nr == 1, "%d", nr);
	nr = twin_match(mqtt_tree_match_filter, "#");
	REQUIRE(nr == (int)n, "%d", nr);
	for (i = 0; i < n; i++)
		twin_del(&wide[i]);
	REQUIRE(twin_destroy(), "something is left");
}

static int visit_third(struct mqtt_node *node, void *arg)
{
	(void)node;
	return ++*(int *)arg == 3 ? -EINTR : 0;
}

static void a_visit_ends_the_walk(void)
{
	static const char *const text[] = { "a/b", "a/+", "+/b", "#", "a/b/#" };
	struct mqtt_str name = str("a/b"), filter = str("#");
	unsigned int i;
	int idx, nr = 0;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	for (i = 0; i < ARRAY_SIZE(text); i++, nr_topics++) {
		memset(&topics[i], 0, sizeof(topics[i]));
		strcpy(topics[i].text, text[i]);
		REQUIRE(!twin_add(&topics[i]), "%s", text[i]);
	}
	idx = srcu_read_lock(&tree_srcu);
	REQUIRE(mqtt_tree_match_name(&tree, &name, visit_third, &nr) == -EINTR &&
		nr == 3, "%d", nr);
	nr = 0;
	REQUIRE(mqtt_tree_match_filter(&tree, &filter, visit_third,
				       &nr) == -EINTR && nr == 3, "%d", nr);
	srcu_read_unlock(&tree_srcu, idx);
	twin_empty();
	REQUIRE(twin_destroy(), "something is left");
}

static void destroyed_with_nodes(void)
{
	unsigned int i;

	REQUIRE(twin_init(SIZE_MAX), "no tree");
	twin_fill(100, true);
	for (i = 0; i < nr_topics; i++)
		REQUIRE(!twin_add(&topics[i]), "%s", topics[i].text);
	mqtt_tree_destroy(&tree);
	REQUIRE(!shim_live, "%ld", shim_live);
}

static const struct unit_test tests[] = {
	UNIT_TEST(filters_and_names_by_table),
	UNIT_TEST(names_among_filters),
	UNIT_TEST(filters_among_names),
	UNIT_TEST(find_and_walk),
	UNIT_TEST(topic_of_a_node),
	UNIT_TEST(each_allocation_fails),
	UNIT_TEST(memory_is_bounded),
	UNIT_TEST(memory_is_charged),
	UNIT_TEST(deepest_topics_are_linear),
	UNIT_TEST(many_children_are_linear),
	UNIT_TEST(a_visit_ends_the_walk),
	UNIT_TEST(destroyed_with_nodes),
};

UNIT_SUITE(tree, tests);
