// SPDX-License-Identifier: GPL-2.0
/*
 * core/tree.c read while it is written: one side stops at any of its steps,
 * and the other one does something whole.
 */
#include <stdint.h>
#include <stdio.h>
#include <linux/rcupdate.h>
#include "bytes.h"
#include "twin.h"
#include "unit.h"

#define NR_STEPPED 300
#define NR_ROUNDS 4000

static bool of_filters;
static bool in_step;
static unsigned long steps;

static void change_one(void)
{
	struct twin_topic *topic = &topics[unit_random(nr_topics)];

	if (topic->stable)
		return;
	if (topic->there)
		twin_del(topic);
	else if (twin_add(topic))
		unit_fail(__FILE__, __LINE__, "%s: not added", topic->text);
}

static int visit_step(struct mqtt_node *node, void *arg)
{
	int ret = twin_visit(node, arg);

	shim_step();
	return ret;
}

/*
 * What was there all the time is visited once, what comes and goes at most
 * once, and nothing that does not match.
 */
static void read_all(void)
{
	char text[TWIN_SIZE];
	struct mqtt_str topic;
	unsigned int i;
	int idx, nr = 0, want;

	twin_random(text, !of_filters);
	topic = str(text);
	for (i = 0; i < nr_topics; i++)
		topics[i].visits = 0;
	idx = srcu_read_lock(&tree_srcu);
	if (of_filters)
		mqtt_tree_match_name(&tree, &topic, visit_step, &nr);
	else
		mqtt_tree_match_filter(&tree, &topic, visit_step, &nr);
	srcu_read_unlock(&tree_srcu, idx);
	for (i = 0; i < nr_topics; i++) {
		want = of_filters ? twin_matches(topics[i].text, text) :
				    twin_matches(text, topics[i].text);
		if (topics[i].visits > want ||
		    (topics[i].stable && topics[i].visits != want))
			unit_fail(__FILE__, __LINE__,
				  "%s with %s%s: %d visits, not %d", text,
				  topics[i].text,
				  topics[i].stable ? " (stable)" : "",
				  topics[i].visits, want);
	}
}

static void step_into(void (*what)(void))
{
	if (in_step || unit_random(4))
		return;
	in_step = true;
	steps++;
	what();
	in_step = false;
}

static void step_write(void)
{
	step_into(change_one);
}

static void step_read(void)
{
	step_into(read_all);
}

/* A third of the topics stays, the others come and go. */
static void interleave(bool filters, void (*what)(void), void (*step)(void))
{
	unsigned int i;

	if (!twin_init(SIZE_MAX)) {
		unit_fail(__FILE__, __LINE__, "no tree");
		return;
	}
	of_filters = filters;
	twin_fill(NR_STEPPED, filters);
	for (i = 0; i < nr_topics; i++) {
		/* Many siblings, to be met again if they came back behind. */
		if (!filters && i >= NR_STEPPED / 3)
			snprintf(topics[i].text, TWIN_SIZE, "a/%u", i);
		topics[i].stable = !(i % 3);
		if (i % 2 || topics[i].stable)
			twin_add(&topics[i]);
	}
	shim_step_hook = step;
	for (i = 0; i < NR_ROUNDS; i++)
		what();
	shim_step_hook = NULL;
	if (steps < NR_ROUNDS)
		unit_fail(__FILE__, __LINE__, "%lu steps only", steps);
	twin_empty();
	if (!twin_destroy())
		unit_fail(__FILE__, __LINE__, "something is left");
}

static void names_matched_amid_changes(void)
{
	interleave(true, read_all, step_write);
}

static void filters_matched_amid_changes(void)
{
	interleave(false, read_all, step_write);
}

static void names_matched_within_a_change(void)
{
	interleave(true, change_one, step_read);
}

static void filters_matched_within_a_change(void)
{
	interleave(false, change_one, step_read);
}

static const struct unit_test tests[] = {
	UNIT_TEST(names_matched_amid_changes),
	UNIT_TEST(filters_matched_amid_changes),
	UNIT_TEST(names_matched_within_a_change),
	UNIT_TEST(filters_matched_within_a_change),
};

UNIT_SUITE(tree_steps, tests);
