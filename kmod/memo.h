/* SPDX-License-Identifier: GPL-2.0 */
/* Who got the last message of a publisher: most publish to one topic for ever. */
#ifndef KMQTT_MEMO_H
#define KMQTT_MEMO_H

#include "core/packet.h"

struct kmqtt_few;
struct kmqtt_sub;

/* What is remembered: no more subscribers, and no longer topics. */
#define KMQTT_MEMO_SUBS		2
#define KMQTT_MEMO_TOPIC	47

/**
 * struct kmqtt_memo - the last topic that had few subscribers
 * @turn: broker->sub_turn when they were found: it is another one if any
 *	subscription was made or removed since
 * @topic: its name, in @name; empty: there was none yet
 * @subs: they
 * @nr: how many
 *
 * All of it is (io) of the publisher's connection.
 */
struct kmqtt_memo {
	u64 turn;
	struct mqtt_known_topic topic;
	struct kmqtt_sub *subs[KMQTT_MEMO_SUBS];
	u8 nr;
	u8 name[KMQTT_MEMO_TOPIC];
};

/* The topic that is most likely the next; NULL: any. */
static inline const struct mqtt_known_topic *
kmqtt_memo_topic(const struct kmqtt_memo *memo)
{
	return memo->topic.name.len ? &memo->topic : NULL;
}

/**
 * kmqtt_memo_recall() - who has subscribed to that topic
 * @memo: of the publisher's connection
 * @few: @few->turn is set; gets them
 *
 * Context: (io), inside the kmqtt_srcu section in which @few->turn was read: what
 * is removed later is not freed before its end. Return: false: it is not known.
 */
bool kmqtt_memo_recall(const struct kmqtt_memo *memo, struct kmqtt_few *few);

/**
 * kmqtt_memo_keep() - remember, if it is not too much
 * @memo: of the publisher's connection
 * @publish: its message
 * @few: who has subscribed to its topic
 *
 * Context: (io), as kmqtt_memo_recall().
 */
void kmqtt_memo_keep(struct kmqtt_memo *memo,
		     const struct mqtt_publish *publish,
		     const struct kmqtt_few *few);

#endif
