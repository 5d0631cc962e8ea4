/* SPDX-License-Identifier: GPL-2.0 */
/* UTF-8, topic names and topic filters (MQTT 5.0 sections 1.5.4, 4.7, 4.8). */
#ifndef MQTT_TOPIC_H
#define MQTT_TOPIC_H

#include "packet.h"

/**
 * mqtt_utf8_valid() - well-formed UTF-8 without U+0000 and surrogates
 * [MQTT-1.5.4-1] [MQTT-1.5.4-2]; U+FEFF is left where it is [MQTT-1.5.4-3].
 */
bool mqtt_utf8_valid(const u8 *s, u32 len);

/* utf8 is checked by the decoder: these judge the form only */
bool mqtt_topic_name_valid(const struct mqtt_str *name);
bool mqtt_topic_filter_valid(const struct mqtt_str *filter);

/** mqtt_topic_depth() - levels of a name or filter, at least 1 */
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
 *
 * $-topics are not matched by a leading wildcard [MQTT-4.7.2-1].
 */
bool mqtt_topic_matches(const struct mqtt_str *filter,
			const struct mqtt_str *name);

/**
 * mqtt_topic_covers() - does filter @outer match every name @inner matches
 *
 * For access control of subscriptions; exact for filters without $-topics,
 * and never true where it should be false.
 */
bool mqtt_topic_covers(const struct mqtt_str *outer,
		       const struct mqtt_str *inner);

/**
 * mqtt_topic_overlaps() - is there a name that both filters match
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
