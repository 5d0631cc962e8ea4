/* SPDX-License-Identifier: GPL-2.0 */
/* The retained message of a topic, as it hangs in broker->retained. */
#ifndef KMQTT_RETAIN_H
#define KMQTT_RETAIN_H

#include <linux/rculist.h>
#include <linux/refcount.h>
#include "core/tree.h"
#include "message.h"

/**
 * struct kmqtt_retained - at most one for a node
 * @link: in node->entries
 * @ref: the tree's, until a grace period after its end, and of each replay
 * @superseded: not the topic's message any more; a replay leaves it out
 * @msg: referenced while the tree's reference is there; read under kmqtt_srcu
 *	if it is not @superseded, so that who replays slowly holds no message
 * @node: it hangs on
 * @broker: it is charged to
 * @gone: next one removed in the same walk; under broker->retain_lock
 * @rcu: kmqtt_srcu grace period, then the reference is put
 */
struct kmqtt_retained {
	struct hlist_node link;
	refcount_t ref;
	bool superseded;
	struct kmqtt_msg *msg;
	struct mqtt_node *node;
	struct kmqtt_broker *broker;
	struct kmqtt_retained *gone;
	struct rcu_head rcu;
};

/**
 * struct kmqtt_replay - retained messages a new subscription is to be sent
 *
 * A snapshot of references; fed into the session's queue as it drains, so
 * that ten thousand retained messages need no queue of that length. What is
 * replaced or removed meanwhile is passed over, and holds no message.
 *
 * @link: in session->replays, under session->lock
 * @next: first one not yet queued
 */
struct kmqtt_replay {
	struct list_head link;
	u32 nr;
	u32 next;
	u32 sub_id;		/* 0: none */
	u8 qos;			/* granted */
	size_t charged;
	struct kmqtt_retained *items[];
};

/* Any context. */
void kmqtt_retained_put(struct kmqtt_retained *retained);

#endif
