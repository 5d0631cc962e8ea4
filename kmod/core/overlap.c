// SPDX-License-Identifier: GPL-2.0
/* Topic filters that can match a common name, for access rules. */
#include <linux/string.h>
#include "topic.h"

static bool is_level(const struct mqtt_str *level, char c)
{
	return level->len == 1 && level->data[0] == c;
}

static bool levels_meet(const struct mqtt_str *a, const struct mqtt_str *b)
{
	return is_level(a, '+') || is_level(b, '+') ||
	       (a->len == b->len && !memcmp(a->data, b->data, a->len));
}

/* a leading wildcard stands for no topic that begins with $ [MQTT-4.7.2-1] */
static bool hidden(const struct mqtt_str *filter, const struct mqtt_str *other)
{
	return filter->len && other->len && other->data[0] == '$' &&
	       (filter->data[0] == '+' || filter->data[0] == '#');
}

bool mqtt_topic_overlaps(const struct mqtt_str *a, const struct mqtt_str *b)
{
	struct mqtt_str ra = *a, rb = *b, la, lb;
	bool a_last, b_last;

	if (hidden(a, b) || hidden(b, a))
		return false;
	do {
		mqtt_topic_level(&ra, &la, &a_last);
		mqtt_topic_level(&rb, &lb, &b_last);
		if (is_level(&la, '#') || is_level(&lb, '#'))
			return true;
		if (!levels_meet(&la, &lb))
			return false;
	} while (!a_last && !b_last);

	if (a_last && b_last)
		return true;
	/* a name has at least one character [MQTT-4.7.3-1] */
	if (la.data == a->data && (!la.len || !lb.len))
		return false;
	/* "a/#" matches "a" as well */
	return a_last ? is_level(&rb, '#') : is_level(&ra, '#');
}
