// SPDX-License-Identifier: GPL-2.0
/*
 * Topic names and topic filters: their form, and which name a filter matches
 * (MQTT 5.0 sections 4.7 and 4.8). Each function is one pass over its bytes.
 */
#include "topic.h"
#include <linux/errno.h>
#include <linux/string.h>

static const char share_prefix[] = "$share/";

static bool is_level(const struct mqtt_str *level, char c)
{
	return level->len == 1 && level->data[0] == c;
}

static bool is_wild(u8 c)
{
	return c == '+' || c == '#';
}

u32 mqtt_topic_name_levels(const struct mqtt_str *name)
{
	u32 i, levels = 1;

	if (!name->len || name->len > MQTT_STRING_MAX)
		return 0;
	for (i = 0; i < name->len; i++) {
		/* Letters and digits are behind what has a meaning. */
		if (name->data[i] > '/')
			continue;
		if (is_wild(name->data[i]))
			return 0;
		levels += name->data[i] == '/';
	}
	return levels;
}

bool mqtt_topic_filter_valid(const struct mqtt_str *filter)
{
	const u8 *s = filter->data;
	u32 i, end = filter->len;

	if (!end || end > MQTT_STRING_MAX)
		return false;
	for (i = 0; i < end; i++) {
		if (!is_wild(s[i]))
			continue;
		if (i && s[i - 1] != '/')
			return false;
		if (i + 1 < end && (s[i] == '#' || s[i + 1] != '/'))
			return false;
	}
	return true;
}

u32 mqtt_topic_depth(const struct mqtt_str *topic)
{
	u32 i, depth = 1;

	for (i = 0; i < topic->len; i++)
		depth += topic->data[i] == '/';
	return depth;
}

int mqtt_share_parse(const struct mqtt_str *filter, struct mqtt_str *group,
		     struct mqtt_str *rest)
{
	const u32 skip = sizeof(share_prefix) - 1;
	bool last;
	u32 i;

	if (filter->len < skip || memcmp(filter->data, share_prefix, skip))
		return 0;
	rest->data = filter->data + skip;
	rest->len = filter->len - skip;
	mqtt_topic_level(rest, group, &last);
	if (!group->len || last)
		return -EINVAL;
	for (i = 0; i < group->len; i++)
		if (is_wild(group->data[i]))
			return -EINVAL;
	return mqtt_topic_filter_valid(rest) ? 1 : -EINVAL;
}

/* a leading wildcard stands for no topic that begins with $ [MQTT-4.7.2-1] */
static bool hidden(const struct mqtt_str *filter, const struct mqtt_str *topic)
{
	return topic->len && topic->data[0] == '$' &&
	       filter->len && is_wild(filter->data[0]);
}

bool mqtt_topic_matches(const struct mqtt_str *filter,
			const struct mqtt_str *name)
{
	struct mqtt_str f = *filter, n = *name, fl, nl;
	bool f_last, n_last;

	if (hidden(filter, name))
		return false;
	do {
		mqtt_topic_level(&f, &fl, &f_last);
		if (is_level(&fl, '#'))
			return true;
		mqtt_topic_level(&n, &nl, &n_last);
		if (!is_level(&fl, '+') &&
		    (fl.len != nl.len || memcmp(fl.data, nl.data, fl.len)))
			return false;
	} while (!f_last && !n_last);

	/* "a/#" matches "a" as well */
	return f_last == n_last || (n_last && is_level(&f, '#'));
}

bool mqtt_topic_covers(const struct mqtt_str *outer,
		       const struct mqtt_str *inner)
{
	struct mqtt_str o = *outer, i = *inner, ol, il;
	bool o_last, i_last;

	if (hidden(outer, inner))
		return false;
	do {
		mqtt_topic_level(&o, &ol, &o_last);
		if (is_level(&ol, '#'))
			return true;
		mqtt_topic_level(&i, &il, &i_last);
		/*
		 * @inner has what @outer lacks: the level above the "#". But
		 * above "#" and "/#" there is no name [MQTT-4.7.3-1].
		 */
		if (is_level(&il, '#'))
			return inner->len <= 2 && is_level(&ol, '+') &&
			       is_level(&o, '#');
		if (!is_level(&ol, '+') &&
		    (ol.len != il.len || memcmp(ol.data, il.data, ol.len)))
			return false;
	} while (!o_last && !i_last);

	return o_last == i_last || (i_last && is_level(&o, '#'));
}
