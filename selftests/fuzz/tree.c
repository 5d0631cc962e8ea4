// SPDX-License-Identifier: GPL-2.0
/*
 * The topic tree against its naive twin: filters that names are looked up in,
 * as of subscriptions, or names that filters are, as of retained messages.
 *
 * Input: a byte (0: names, else filters), then operations of a byte and what
 * each needs. While a tree is walked, a byte of the input may say that an
 * entry comes or goes at that very step.
 */
#include <string.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include "bytes.h"
#include "fuzz.h"
#include "topic.h"
#include "twin.h"

#define ENTRIES		48
#define LEVELS		7
#define AMID_MAX	6	/* changes amid one walk */

enum operation { ADD, ADD_AGAIN, DELETE, NAME, FILTER, FIND, WALK, NO_MEMORY };

/* an entry of the tree's owner: some share a node */
static struct entry {
	struct hlist_node link;
	struct mqtt_node *node;
	bool there;
	bool touched;	/* it came or went amid the walk */
	unsigned int visits;
	char text[TWIN_SIZE];
} entries[ENTRIES];

static struct fuzz_bytes in;
static bool of_filters, walking, in_step;
static unsigned int amid;

static bool text_take(char *text, bool filter)
{
	static const char *const levels[] = {
		"a", "b", "", "+", "#", "$s", "ab", "\xc3\xa4",
	};
	unsigned int nr = 1 + fuzz_byte(&in) % LEVELS, i, byte;
	struct mqtt_str s;

	for (*text = '\0', i = 0; i < nr; i++) {
		byte = fuzz_byte(&in);
		strcat(text, i ? "/" : "");
		if (byte < 0xc0)
			strcat(text, levels[byte % ARRAY_SIZE(levels)]);
		else	/* many siblings */
			sprintf(text + strlen(text), "%02x", byte);
	}
	s = str(text);
	return filter ? mqtt_topic_filter_valid(&s) : mqtt_topic_name_valid(&s);
}

static int entry_add(struct entry *e)
{
	struct mqtt_str text = str(e->text);
	int ret = 0;

	mutex_lock(&tree_lock);
	e->node = mqtt_tree_get(&tree, &text);
	if (IS_ERR(e->node)) {
		ret = PTR_ERR(e->node);
	} else {
		hlist_add_head(&e->link, &e->node->entries);
		e->there = true;
		e->touched = walking;
	}
	mutex_unlock(&tree_lock);
	return ret;
}

static void entry_del(struct entry *e)
{
	mutex_lock(&tree_lock);
	hlist_del(&e->link);
	e->there = false;
	e->touched = walking;
	mqtt_tree_prune(&tree, e->node);
	mutex_unlock(&tree_lock);
}

static struct entry *entry_take(void)
{
	return &entries[fuzz_byte(&in) % ENTRIES];
}

static void put(struct entry *e, bool again)
{
	char text[TWIN_SIZE];

	if (again)
		strcpy(text, entry_take()->text);
	else if (!text_take(text, of_filters))
		return;
	if (e->there || !*text)
		return;
	strcpy(e->text, text);
	FUZZ_CHECK(!entry_add(e));
}

/* An addition that runs out of memory leaves all as it was. */
static void put_in_vain(struct entry *e)
{
	unsigned long nr_nodes = tree.nr_nodes;
	size_t bytes = tree.bytes;
	long live = shim_live;

	if (e->there || !text_take(e->text, of_filters))
		return;
	shim_fail_in = 1 + fuzz_byte(&in) % 16;
	if (entry_add(e)) {
		FUZZ_CHECK(PTR_ERR(e->node) == -ENOMEM);
		FUZZ_CHECK(tree.nr_nodes == nr_nodes && tree.bytes == bytes);
		FUZZ_CHECK(shim_live == live);
	}
	shim_fail_in = 0;
}

/* Another processor's change, at a step of a walk. */
static void step(void)
{
	struct entry *e;

	if (!walking || in_step || amid >= AMID_MAX || fuzz_byte(&in) < 0xe0)
		return;
	in_step = true;
	amid++;
	e = entry_take();
	if (e->there)
		entry_del(e);
	else if (*e->text && !e->touched)
		FUZZ_CHECK(!entry_add(e));
	in_step = false;
}

static int visit(struct mqtt_node *node, void *arg)
{
	struct hlist_node *at;
	struct entry *e;

	FUZZ_CHECK(node->entries.first || amid);
	for (at = node->entries.first; at; at = at->next) {
		e = hlist_entry(at, struct entry, link);
		FUZZ_CHECK(e->node == node);
		e->visits++;
	}
	++*(int *)arg;
	step();
	return 0;
}

/* @text: NULL for a walk of all, else what was looked up */
static void check_visits(const char *text)
{
	struct entry *e;
	bool match;

	for (e = entries; e < entries + ENTRIES; e++) {
		match = e->there && (!text || (of_filters ?
			twin_matches(e->text, text) :
			twin_matches(text, e->text)));
		if (!e->touched)
			FUZZ_CHECK(e->visits == match);
		else
			FUZZ_CHECK(e->visits <= 1);
	}
}

static void visits_clear(void)
{
	struct entry *e;

	for (e = entries; e < entries + ENTRIES; e++) {
		e->visits = 0;
		e->touched = false;
	}
}

static void look_up(void)
{
	char text[TWIN_SIZE];
	struct mqtt_str s;
	int idx, nr = 0;

	if (!text_take(text, !of_filters))
		return;
	visits_clear();
	s = str(text);
	amid = 0;
	walking = true;
	idx = srcu_read_lock(&tree_srcu);
	if (of_filters)
		mqtt_tree_match_name(&tree, &s, visit, &nr);
	else
		mqtt_tree_match_filter(&tree, &s, visit, &nr);
	srcu_read_unlock(&tree_srcu, idx);
	walking = false;
	check_visits(text);
}

static void walk_all(void)
{
	int nr = 0;

	visits_clear();
	mutex_lock(&tree_lock);
	mqtt_tree_walk(&tree, visit, &nr);
	mutex_unlock(&tree_lock);
	check_visits(NULL);
}

static void find(struct entry *e)
{
	struct mqtt_str text = str(e->text);
	struct mqtt_node *node;
	u8 buf[TWIN_SIZE];

	mutex_lock(&tree_lock);
	node = *e->text ? mqtt_tree_find(&tree, &text) : NULL;
	FUZZ_CHECK(!e->there || node == e->node);
	if (node) {
		FUZZ_CHECK(mqtt_tree_topic(node, buf, sizeof(buf)) == text.len);
		FUZZ_CHECK(!memcmp(buf, e->text, text.len));
	}
	mutex_unlock(&tree_lock);
}

static void operate(void)
{
	switch (fuzz_byte(&in) % 8) {
	case ADD:
	case ADD_AGAIN:
		put(entry_take(), in.left && *in.at & 1);
		break;
	case DELETE: {
		struct entry *e = entry_take();

		if (e->there)
			entry_del(e);
		break;
	}
	case NAME:
	case FILTER:
		look_up();
		break;
	case FIND:
		find(entry_take());
		break;
	case WALK:
		walk_all();
		break;
	case NO_MEMORY:
		put_in_vain(entry_take());
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry *e;

	in = (struct fuzz_bytes){ data, size };
	memset(entries, 0, sizeof(entries));
	of_filters = fuzz_byte(&in);
	FUZZ_CHECK(twin_init(SIZE_MAX));
	shim_step_hook = step;
	while (in.left)
		operate();
	shim_step_hook = NULL;
	for (e = entries; e < entries + ENTRIES; e++)
		if (*e->text) {
			fuzz_taken();
			break;
		}
	for (e = entries; e < entries + ENTRIES; e++)
		if (e->there)
			entry_del(e);
	FUZZ_CHECK(twin_destroy());
	return 0;
}
