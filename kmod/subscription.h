/* SPDX-License-Identifier: GPL-2.0 */
/* What hangs in the tree of topic filters. */
#ifndef KMQTT_SUBSCRIPTION_H
#define KMQTT_SUBSCRIPTION_H

#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>

struct kmqtt_broker;
struct kmqtt_group;
struct kmqtt_session;
struct mqtt_node;

/**
 * struct kmqtt_entry - what hangs on a node of broker->subs
 * @link: in node->entries; RCU hlist
 * @is_group: container is a struct kmqtt_group, else a struct kmqtt_sub
 */
struct kmqtt_entry {
	struct hlist_node link;
	bool is_group;
};

/**
 * struct kmqtt_sub - one subscription of one session
 * @entry: in node->entries (not shared)
 * @member: in group->members (shared), under group->lock
 * @index: in broker->sub_index
 * @of_session: in session->subs
 * @session: referenced; put a kmqtt_srcu grace period after the end
 * @node: in broker->subs, pinned by our entry or by the group's
 * @group: share group or NULL
 * @since: broker->sub_turn when it was made; who began to walk before passes
 *	it over
 * @sub_id: subscription identifier, 0: none; READ_ONCE
 * @options: as subscribed, QoS as granted; READ_ONCE
 */
struct kmqtt_sub {
	struct kmqtt_entry entry;
	struct list_head member;
	struct rhash_head index;
	struct list_head of_session;
	struct kmqtt_session *session;
	struct mqtt_node *node;
	struct kmqtt_group *group;
	u64 since;
	u32 sub_id;
	u8 options;
	struct rcu_head rcu;
};

/**
 * struct kmqtt_group - the members that share one topic filter ($share)
 * @entry: in node->entries
 * @hash: in broker->groups
 * @lock: guards @members; innermost
 * @members: struct kmqtt_sub; the next to be served stands first
 * @nr: members; under broker->lock, read without
 * @name: share name
 */
struct kmqtt_group {
	struct kmqtt_entry entry;
	struct rhash_head hash;
	struct kmqtt_broker *broker;
	struct mqtt_node *node;
	spinlock_t lock;
	struct list_head members;
	u32 nr;
	struct rcu_head rcu;
	u16 len;
	u8 name[];
};

#endif
