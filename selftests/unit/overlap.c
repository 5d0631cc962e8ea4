// SPDX-License-Identifier: GPL-2.0
/* Filters that can match a common name: a table, then every pair by trying. */
#include <stdio.h>
#include <string.h>
#include "bytes.h"
#include "topic.h"
#include "unit.h"

#define NR(table)	(sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *a, *b;
	bool yes;
} pairs[] = {
	{ "a",          "a",          true },
	{ "a",          "b",          false },
	{ "a",          "a/b",        false },
	{ "a",          "ab",         false },
	{ "a",          "+",          true },
	{ "a/b",        "+",          false },
	{ "a/+",        "+/b",        true },
	{ "a/+/c",      "+/b/+",      true },
	{ "a/+/c",      "+/b/d",      false },
	{ "#",          "a/b/c",      true },
	{ "#",          "#",          true },
	{ "a/#",        "+/b",        true },
	{ "a/#",        "b/#",        false },
	{ "a/#",        "a",          true },	/* the parent as well */
	{ "a/#",        "+",          true },
	{ "a/b/#",      "a",          false },
	{ "a/b/#",      "+/#",        true },
	{ "a//b",       "a/+/b",      true },
	{ "/a",         "+/a",        true },
	{ "/a",         "a",          false },
	{ "/#",         "+",          false },	/* it would have no character */
	{ "$SYS/#",     "#",          false },	/* [MQTT-4.7.2-1] */
	{ "$SYS/#",     "+/a",        false },
	{ "$SYS/#",     "$SYS/a",     true },
	{ "$SYS/+",     "$SYS/#",     true },
	{ "a/$b",       "a/+",        true },
};

static void overlaps_by_table(void)
{
	struct mqtt_str a, b;
	size_t i;

	for (i = 0; i < NR(pairs); i++) {
		a = bytes_copy((const u8 *)pairs[i].a, strlen(pairs[i].a));
		b = bytes_copy((const u8 *)pairs[i].b, strlen(pairs[i].b));
		if (mqtt_topic_overlaps(&a, &b) != pairs[i].yes ||
		    mqtt_topic_overlaps(&b, &a) != pairs[i].yes)
			unit_fail(__FILE__, __LINE__, "%s and %s", pairs[i].a,
				  pairs[i].b);
		bytes_free(&a);
		bytes_free(&b);
	}
}

#define TOPICS_MAX	2048

struct topics {
	char text[TOPICS_MAX][16];
	u32 nr;
};

/* All of up to @depth levels that are @valid; a blank is an empty level. */
static void all_topics(struct topics *topics, const char *levels, u32 depth,
		       bool (*valid)(const struct mqtt_str *topic))
{
	u32 base = strlen(levels), count = 1, d, i, j, left;
	struct mqtt_str s;
	char *p;

	topics->nr = 0;
	for (d = 1; d <= depth; d++) {
		count *= base;
		for (i = 0; i < count; i++) {
			p = topics->text[topics->nr];
			for (j = 0, left = i; j < d; j++, left /= base) {
				if (j)
					*p++ = '/';
				if (levels[left % base] != ' ')
					*p++ = levels[left % base];
			}
			*p = 0;
			s = str(topics->text[topics->nr]);
			if (valid(&s) && topics->nr < TOPICS_MAX - 1)
				topics->nr++;
		}
	}
}

static bool overlaps_by_trying(const struct mqtt_str *a,
			       const struct mqtt_str *b,
			       const struct topics *names)
{
	struct mqtt_str name;
	u32 i;

	for (i = 0; i < names->nr; i++) {
		name = str(names->text[i]);
		if (mqtt_topic_matches(a, &name) &&
		    mqtt_topic_matches(b, &name))
			return true;
	}
	return false;
}

/* A level may be any of the filters' own, or one that none of them has. */
static void overlaps_exactly(void)
{
	static struct topics filters, names;
	struct mqtt_str a, b;
	u32 i, j, yes = 0;
	bool wanted;

	all_topics(&filters, "a$ +#", 3, mqtt_topic_filter_valid);
	all_topics(&names, "a$ z", 3, mqtt_topic_name_valid);
	for (i = 0; i < filters.nr; i++) {
		for (j = 0; j < filters.nr; j++) {
			a = str(filters.text[i]);
			b = str(filters.text[j]);
			wanted = overlaps_by_trying(&a, &b, &names);
			yes += wanted;
			if (mqtt_topic_overlaps(&a, &b) != wanted)
				unit_fail(__FILE__, __LINE__,
					  "%s and %s: not %d", filters.text[i],
					  filters.text[j], wanted);
		}
	}
	CHECK(yes > filters.nr && yes < filters.nr * filters.nr);
}

static const struct unit_test tests[] = {
	UNIT_TEST(overlaps_by_table),
	UNIT_TEST(overlaps_exactly),
};

UNIT_SUITE(overlap, tests);
