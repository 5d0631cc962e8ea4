/* SPDX-License-Identifier: GPL-2.0 */
/* UTF-8, topic names and topic filters (MQTT 5.0 sections 1.5.4, 4.7, 4.8). */
#ifndef MQTT_TOPIC_H
#define MQTT_TOPIC_H

#include "packet.h"

/**
 * mqtt_utf8_valid() - is it well-formed UTF-8
 * @s: text
 * @len: its bytes
 *
 * U+0000 and surrogates are not [MQTT-1.5.4-1] [MQTT-1.5.4-2]; U+FEFF is left
 * where it is [MQTT-1.5.4-3].
 */
bool mqtt_utf8_valid(const u8 *s, u32 len);

/**
 * mqtt_topic_name_levels() - can a message be published to it, and how deep
 * @name: text, found to be UTF-8 by the decoder
 *
 * Neither empty nor with wildcards [MQTT-4.7.3-1] [MQTT-4.7.0-1].
 *
 * Return: levels, at least 1; 0: not a topic name.
 */
u32 mqtt_topic_name_levels(const struct mqtt_str *name);

static inline bool mqtt_topic_name_valid(const struct mqtt_str *name)
{
	return mqtt_topic_name_levels(name);
}

/**
 * mqtt_topic_filter_valid() - can it be subscribed to
 * @filter: text, found to be UTF-8 by the decoder
 *
 * Not empty, wildcards where they may be [MQTT-4.7.1-1] [MQTT-4.7.1-2]. That
 * $share/ is followed by what it must is for mqtt_share_parse() to say.
 */
bool mqtt_topic_filter_valid(const struct mqtt_str *filter);

/**
 * mqtt_topic_depth() - levels, at least 1
 * @topic: name or filter
 */
u32 mqtt_topic_depth(const struct mqtt_str *topic);

/**
 * mqtt_share_parse() - take $share/{ShareName}/{filter} apart
 * @filter: topic filter of a SUBSCRIBE
 * @group: share name
 * @rest: topic filter behind it
 *
 * Return: 1 if shared, 0 if not, -EINVAL if it begins with $share/ but has
 * no valid share name or filter [MQTT-4.8.2-1] [MQTT-4.8.2-2].
 */
int mqtt_share_parse(const struct mqtt_str *filter, struct mqtt_str *group,
		     struct mqtt_str *rest);

/**
 * mqtt_topic_matches() - does a name match a filter (section 4.7)
 * @filter: a valid filter
 * @name: a valid name
 *
 * $-topics are not matched by a leading wildcard [MQTT-4.7.2-1].
 */
bool mqtt_topic_matches(const struct mqtt_str *filter,
			const struct mqtt_str *name);

/**
 * mqtt_topic_covers() - does @outer match every name that @inner matches
 * @outer: a valid filter
 * @inner: a valid filter
 *
 * For access control of subscriptions; exact for filters without $-topics,
 * and never true where it should be false.
 */
bool mqtt_topic_covers(const struct mqtt_str *outer,
		       const struct mqtt_str *inner);

/**
 * mqtt_topic_overlaps() - is there a name that both filters match
 * @a: a valid filter
 * @b: a valid filter
 *
 * Symmetric; a filter without wildcards overlaps what matches it.
 */
bool mqtt_topic_overlaps(const struct mqtt_str *a, const struct mqtt_str *b);

/**
 * mqtt_topic_level() - the next level
 * @rest: what is left, advanced past the level and its slash
 * @level: the level, possibly empty
 * @last: set when no level follows
 *
 * Start with the whole topic; stop after @last.
 */
static inline void mqtt_topic_level(struct mqtt_str *rest,
				    struct mqtt_str *level, bool *last)
{
	u32 i;

	for (i = 0; i < rest->len && rest->data[i] != '/'; i++)
		;
	level->data = rest->data;
	level->len = i;
	*last = i == rest->len;
	rest->data += *last ? i : i + 1;
	rest->len -= *last ? i : i + 1;
}

#endif
