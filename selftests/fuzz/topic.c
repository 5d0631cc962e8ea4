// SPDX-License-Identifier: GPL-2.0
/*
 * Two filters and a name, and what must hold between them.
 *
 * Input: outer, inner and name, a zero byte between them.
 */
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "fuzz.h"
#include "topic.h"

static void check(bool condition)
{
	if (!condition)
		abort();
}

/* the bytes up to the next zero, in a block of their own */
static struct mqtt_str next(const u8 **data, size_t *size)
{
	const u8 *end = memchr(*data, 0, *size);
	size_t len = end ? (size_t)(end - *data) : *size;
	struct mqtt_str s = bytes_copy(*data, len);

	*data += end ? len + 1 : len;
	*size -= end ? len + 1 : len;
	return s;
}

static void check_one(const struct mqtt_str *s)
{
	struct mqtt_str group, rest;
	bool name = mqtt_topic_name_valid(s);
	bool filter = mqtt_topic_filter_valid(s);

	mqtt_utf8_valid(s->data, s->len);
	check(!name || filter);
	check(mqtt_topic_depth(s) <= s->len + 1);
	if (mqtt_share_parse(s, &group, &rest) == 1) {
		check(within(&group, s) && within(&rest, s));
		check(group.len && mqtt_topic_name_valid(&group));
		check(mqtt_topic_filter_valid(&rest));
		check(7 + group.len + 1 + rest.len == s->len);
	}
	if (filter)
		check(mqtt_topic_covers(s, s));
	if (name)
		check(mqtt_topic_matches(s, s));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mqtt_str outer = next(&data, &size);
	struct mqtt_str inner = next(&data, &size);
	struct mqtt_str name = next(&data, &size);

	check_one(&outer);
	check_one(&inner);
	check_one(&name);
	if (mqtt_topic_filter_valid(&outer) &&
	    mqtt_topic_filter_valid(&inner) && mqtt_topic_name_valid(&name)) {
		fuzz_taken();
		/* a name is a filter that matches just itself */
		check(mqtt_topic_covers(&outer, &name) ==
		      mqtt_topic_matches(&outer, &name));
		check(!mqtt_topic_covers(&outer, &inner) ||
		      !mqtt_topic_matches(&inner, &name) ||
		      mqtt_topic_matches(&outer, &name));
	}
	bytes_free(&outer);
	bytes_free(&inner);
	bytes_free(&name);
	return 0;
}
