// SPDX-License-Identifier: GPL-2.0
/* Topic names and filters, by table and against a slow twin. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "topic.h"
#include "unit.h"

static const struct {
	const char *text;
	bool name, filter;
	u32 depth;
} forms[] = {
	{ "",            false, false, 1 },	/* [MQTT-4.7.3-1] */
	{ "a",           true,  true,  1 },
	{ " ",           true,  true,  1 },
	{ "/",           true,  true,  2 },
	{ "//",          true,  true,  3 },
	{ "a/b c/d",     true,  true,  3 },
	{ "/a",          true,  true,  2 },
	{ "a/",          true,  true,  2 },
	{ "$SYS/x",      true,  true,  2 },
	{ "#",           false, true,  1 },
	{ "+",           false, true,  1 },
	{ "a/#",         false, true,  2 },
	{ "/#",          false, true,  2 },
	{ "+/+",         false, true,  2 },
	{ "+/#",         false, true,  2 },
	{ "/+",          false, true,  2 },
	{ "+/",          false, true,  2 },
	{ "a/+/b",       false, true,  3 },
	{ "a#",          false, false, 1 },	/* [MQTT-4.7.1-1] */
	{ "#a",          false, false, 1 },
	{ "a/#/b",       false, false, 3 },
	{ "#/",          false, false, 2 },
	{ "##",          false, false, 1 },
	{ "a/##",        false, false, 2 },
	{ "a+",          false, false, 1 },	/* [MQTT-4.7.1-2] */
	{ "+a",          false, false, 1 },
	{ "++",          false, false, 1 },
	{ "+#",          false, false, 1 },
	{ "#+",          false, false, 1 },
	{ "a/+b",        false, false, 2 },
	{ "a/b+/c",      false, false, 3 },
	{ "a/+/b#",      false, false, 3 },
};

static void forms_of_names_and_filters(void)
{
	struct mqtt_str s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		s = bytes_copy((const u8 *)forms[i].text,
			       strlen(forms[i].text));
		CHECK_EQ(mqtt_topic_name_valid(&s), forms[i].name,
			 forms[i].text);
		CHECK_EQ(mqtt_topic_filter_valid(&s), forms[i].filter,
			 forms[i].text);
		CHECK_EQ(mqtt_topic_depth(&s), forms[i].depth, forms[i].text);
		bytes_free(&s);
	}
}

static void longest_topics(void)
{
	u8 *block = malloc(65536);
	struct mqtt_str s = { block, 65535 };

	memset(block, '/', 65536);
	CHECK(mqtt_topic_name_valid(&s));
	CHECK(mqtt_topic_filter_valid(&s));
	CHECK_EQ(mqtt_topic_depth(&s), 65536, "slashes");
	CHECK(mqtt_topic_matches(&s, &s));
	CHECK(mqtt_topic_covers(&s, &s));
	block[65534] = '#';
	CHECK(!mqtt_topic_name_valid(&s));
	CHECK(mqtt_topic_filter_valid(&s));
	s.len = 65536;					/* [MQTT-4.7.3-3] */
	CHECK(!mqtt_topic_name_valid(&s));
	CHECK(!mqtt_topic_filter_valid(&s));
	free(block);
}

static const struct {
	const char *filter;
	int ret;
	const char *group, *rest;
} shares[] = {
	{ "a",                 0 },
	{ "$share",            0 },
	{ "$shared/g/a",       0 },
	{ "$SHARE/g/a",        0 },
	{ "/$share/g/a",       0 },
	{ "$SYS/x",            0 },
	{ "$share/g/a",        1, "g", "a" },
	{ "$share/group/a/+/#", 1, "group", "a/+/#" },
	{ "$share/g//",        1, "g", "/" },
	{ "$share/g/#",        1, "g", "#" },
	{ "$share/g/$SYS/#",   1, "g", "$SYS/#" },
	{ "$share/g/$share/h/a", 1, "g", "$share/h/a" },
	{ "$share/",           -EINVAL },
	{ "$share//a",         -EINVAL },	/* [MQTT-4.8.2-1] */
	{ "$share/g",          -EINVAL },	/* [MQTT-4.8.2-2] */
	{ "$share/g/",         -EINVAL },
	{ "$share/+/a",        -EINVAL },
	{ "$share/g#/a",       -EINVAL },
	{ "$share/#",          -EINVAL },
	{ "$share/g/a#",       -EINVAL },
	{ "$share/g/#/a",      -EINVAL },
};

static void shared_subscriptions(void)
{
	struct mqtt_str s, group, rest;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		s = bytes_copy((const u8 *)shares[i].filter,
			       strlen(shares[i].filter));
		ret = mqtt_share_parse(&s, &group, &rest);
		CHECK_EQ(ret, shares[i].ret, shares[i].filter);
		if (ret == 1) {
			CHECK(str_is(&group, shares[i].group));
			CHECK(str_is(&rest, shares[i].rest));
		}
		bytes_free(&s);
	}
}

static const struct {
	const char *filter, *name;
	bool yes;
} matches[] = {
	{ "a",         "a",        true },
	{ "a",         "A",        false },
	{ "a",         "b",        false },
	{ "a",         "ab",       false },
	{ "ab",        "a",        false },
	{ "a/b",       "a/b",      true },
	{ "a/b",       "a/b/c",    false },
	{ "a/b/c",     "a/b",      false },
	{ "a",         "/a",       false },
	{ "a",         "a/",       false },
	{ "a/",        "a",        false },
	{ "/",         "/",        true },
	{ "+",         "a",        true },
	{ "+",         "a/b",      false },
	{ "+",         "/a",       false },
	{ "+/+",       "/a",       true },
	{ "/+",        "/a",       true },
	{ "/+",        "/",        true },
	{ "a/+",       "a",        false },
	{ "a/+",       "a/",       true },
	{ "a/+/c",     "a/b/c",    true },
	{ "a/+/c",     "a//c",     true },
	{ "a/+/c",     "a/b/d",    false },
	{ "#",         "a",        true },
	{ "#",         "/",        true },
	{ "#",         "a/b/c",    true },
	{ "a/#",       "a",        true },	/* the parent as well */
	{ "a/#",       "a/",       true },
	{ "a/#",       "a/b/c",    true },
	{ "a/#",       "ab",       false },
	{ "a/#",       "b",        false },
	{ "/#",        "/",        true },
	{ "/#",        "/a",       true },
	{ "/#",        "a",        false },
	{ "+/#",       "a",        true },
	{ "+/b/#",     "a/b",      true },
	{ "+/b/#",     "a/b/c/d",  true },
	{ "+/b/#",     "a/c/b",    false },
	{ "#",         "$SYS/a",   false },	/* [MQTT-4.7.2-1] */
	{ "+/a",       "$SYS/a",   false },
	{ "+",         "$SYS",     false },
	{ "$SYS/#",    "$SYS/a",   true },
	{ "$SYS/#",    "$SYS",     true },
	{ "$SYS/+",    "$SYS/a",   true },
	{ "a/+",       "a/$b",     true },
	{ "a/#",       "a/$b",     true },
	{ "$",         "$",        true },
};

static void matches_by_table(void)
{
	struct mqtt_str filter, name;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(matches); i++) {
		filter = bytes_copy((const u8 *)matches[i].filter,
				    strlen(matches[i].filter));
		name = bytes_copy((const u8 *)matches[i].name,
				  strlen(matches[i].name));
		if (mqtt_topic_matches(&filter, &name) != matches[i].yes)
			unit_fail(__FILE__, __LINE__, "%s and %s",
				  matches[i].filter, matches[i].name);
		bytes_free(&filter);
		bytes_free(&name);
	}
}

/* The twin: section 4.7 said recursively, on C strings. */
static bool twin_level(const char *filter, const char *name)
{
	size_t f = strcspn(filter, "/"), n = strcspn(name, "/");
	bool same = f == n && !strncmp(filter, name, f);

	if (!strcmp(filter, "#"))
		return true;
	if (!same && !(f == 1 && *filter == '+'))
		return false;
	if (!filter[f])
		return !name[n];
	if (!name[n])
		return !strcmp(filter + f, "/#");
	return twin_level(filter + f + 1, name + n + 1);
}

static bool twin_matches(const char *filter, const char *name)
{
	if (*name == '$' && (*filter == '+' || *filter == '#'))
		return false;
	return twin_level(filter, name);
}

static void random_topic(char *out, const char * const *levels, u32 nr)
{
	u32 depth = 1 + unit_random(5);

	*out = 0;
	while (depth--) {
		strcat(out, levels[unit_random(nr)]);
		if (depth)
			strcat(out, "/");
	}
}

static void matches_like_the_twin(void)
{
	static const char * const levels[] = { "a", "b", "", "ab", "$x",
					       "+", "+", "#" };
	char filter[64], name[64];
	struct mqtt_str f, n;
	u32 round, yes = 0;

	for (round = 0; round < 500000; round++) {
		random_topic(filter, levels, 8);
		random_topic(name, levels, 5);
		f = str(filter);
		n = str(name);
		if (!mqtt_topic_filter_valid(&f) || !mqtt_topic_name_valid(&n))
			continue;
		yes += twin_matches(filter, name);
		if (mqtt_topic_matches(&f, &n) != twin_matches(filter, name))
			unit_fail(__FILE__, __LINE__, "%s and %s", filter,
				  name);
	}
	CHECK(yes > 1000);
}

#define TOPICS_MAX	2048

struct topics {
	char text[TOPICS_MAX][16];
	u32 nr;
};

/*
 * All topics of up to @depth levels that are @valid; a level is a character
 * of @levels, a blank stands for an empty one.
 */
static void all_topics(struct topics *topics, const char *levels, u32 depth,
		       bool (*valid)(const struct mqtt_str *topic))
{
	u32 base = strlen(levels), count = 1, d, i, j, left;
	struct mqtt_str s;
	char *start, *p;

	topics->nr = 0;
	for (d = 1; d <= depth; d++) {
		count *= base;
		for (i = 0; i < count; i++) {
			start = topics->text[topics->nr];
			p = start;
			for (j = 0, left = i; j < d; j++, left /= base) {
				if (j)
					*p++ = '/';
				if (levels[left % base] != ' ')
					*p++ = levels[left % base];
			}
			*p = 0;
			s = str(start);
			if (valid(&s) && topics->nr < TOPICS_MAX - 1)
				topics->nr++;
		}
	}
}

static bool covers_by_trying(const char *outer, const char *inner,
			     const struct topics *names)
{
	u32 i;

	for (i = 0; i < names->nr; i++)
		if (twin_matches(inner, names->text[i]) &&
		    !twin_matches(outer, names->text[i]))
			return false;
	return true;
}

/*
 * Every pair of filters of up to three levels against every name of up to
 * four, with a level ("z") that no filter has.
 */
static void covers_exactly(void)
{
	static struct topics filters, names;
	struct mqtt_str o, i;
	u32 outer, inner, yes = 0;
	bool is, wanted;

	all_topics(&filters, "a +#", 3, mqtt_topic_filter_valid);
	all_topics(&names, "a z", 4, mqtt_topic_name_valid);
	CHECK_EQ(filters.nr, 51, "filters");
	CHECK_EQ(names.nr, 119, "names");
	for (outer = 0; outer < filters.nr; outer++) {
		for (inner = 0; inner < filters.nr; inner++) {
			o = str(filters.text[outer]);
			i = str(filters.text[inner]);
			is = mqtt_topic_covers(&o, &i);
			wanted = covers_by_trying(filters.text[outer],
						  filters.text[inner], &names);
			yes += wanted;
			if (is != wanted)
				unit_fail(__FILE__, __LINE__,
					  "%s covers %s: %d, not %d",
					  filters.text[outer],
					  filters.text[inner], is, wanted);
		}
	}
	CHECK(yes > filters.nr);
}

/* with $-topics: never true where a name says otherwise */
static void covers_never_too_much(void)
{
	static struct topics filters, names;
	struct mqtt_str o, i;
	u32 outer, inner, yes = 0;

	all_topics(&filters, "a$+#", 3, mqtt_topic_filter_valid);
	all_topics(&names, "a$z", 4, mqtt_topic_name_valid);
	for (outer = 0; outer < filters.nr; outer++) {
		for (inner = 0; inner < filters.nr; inner++) {
			o = str(filters.text[outer]);
			i = str(filters.text[inner]);
			if (!mqtt_topic_covers(&o, &i))
				continue;
			yes++;
			if (!covers_by_trying(filters.text[outer],
					      filters.text[inner], &names))
				unit_fail(__FILE__, __LINE__, "%s covers %s",
					  filters.text[outer],
					  filters.text[inner]);
		}
	}
	CHECK(yes > filters.nr);
}

static const struct unit_test tests[] = {
	UNIT_TEST(forms_of_names_and_filters),
	UNIT_TEST(longest_topics),
	UNIT_TEST(shared_subscriptions),
	UNIT_TEST(matches_by_table),
	UNIT_TEST(matches_like_the_twin),
	UNIT_TEST(covers_exactly),
	UNIT_TEST(covers_never_too_much),
};

UNIT_SUITE(topic, tests);
