/* SPDX-License-Identifier: GPL-2.0 */
/* Who got the last message of a publisher: most publish to one topic for ever. */
#ifndef KMQTT_MEMO_H
#define KMQTT_MEMO_H

#include "conn.h"
#include "core/packet.h"
#include "express.h"

/* What is remembered: no more subscribers, and no longer topics. */
#define KMQTT_MEMO_SUBS		4
#define KMQTT_MEMO_TOPIC	72

/**
 * struct kmqtt_memo - the last topic that had few subscribers
 * @turn: broker->sub_turn when they were found: it is another one if any
 *	subscription was made or removed since
 * @topic: its name, in @name
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

/* The topic that is most likely the next; NULL: any (io). */
static inline const struct mqtt_known_topic *
kmqtt_memo_topic(const struct kmqtt_conn *conn)
{
	return conn->memo ? &conn->memo->topic : NULL;
}

/**
 * kmqtt_memo_recall() - who has subscribed to that topic
 * @conn: of the publisher
 * @few: @few->turn is set; gets them
 *
 * Context: (io), inside the kmqtt_srcu section in which @few->turn was read: what
 * is removed later is not freed before its end. Return: false: it is not known.
 */
bool kmqtt_memo_recall(const struct kmqtt_conn *conn, struct kmqtt_few *few);

/**
 * kmqtt_memo_keep() - remember
 * @conn: of the publisher
 * @publish: its message
 * @few: who has subscribed to its topic
 * @gfp: how to allocate, the first time
 *
 * Context: (io), as kmqtt_memo_recall(). Without memory nothing is remembered.
 */
void kmqtt_memo_keep(struct kmqtt_conn *conn,
		     const struct mqtt_publish *publish,
		     const struct kmqtt_few *few, gfp_t gfp);

void kmqtt_memo_free(struct kmqtt_conn *conn);

#endif
