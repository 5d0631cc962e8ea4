/* SPDX-License-Identifier: GPL-2.0 */
/* The retained message of a topic, as it hangs in broker->retained. */
#ifndef KMQTT_RETAIN_H
#define KMQTT_RETAIN_H

#include <linux/rculist.h>
#include "core/tree.h"
#include "message.h"

/**
 * struct kmqtt_retained - at most one for a node
 * @link: in node->entries
 * @msg: referenced; read under kmqtt_srcu
 * @node: it hangs on
 * @gone: next one removed in the same walk; under broker->retain_lock
 * @rcu: kmqtt_srcu grace period, then the reference is put
 */
struct kmqtt_retained {
	struct hlist_node link;
	struct kmqtt_msg *msg;
	struct mqtt_node *node;
	struct kmqtt_retained *gone;
	struct rcu_head rcu;
};

#endif
