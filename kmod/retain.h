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

/* Any context. */
void kmqtt_retained_put(struct kmqtt_retained *retained);

#endif
