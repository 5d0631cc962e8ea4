// SPDX-License-Identifier: GPL-2.0
/*
 * SUBSCRIBE and UNSUBSCRIBE: the writing side of the subscription tree.
 *
 * A subscription is found in three ways: by topic (its node, for the router),
 * by (session, node, group) (to replace or remove it without a search), and
 * by its session (to remove all). broker->lock makes them one.
 */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "core/rhash.h"
#include "core/topic.h"
#include "datapath.h"
#include "gather.h"
#include "session.h"
#include "subscription.h"

/* Reason codes of one SUBACK that need no allocation. */
#define KMQTT_REASONS_INLINE	32

/* Retained messages a session may be waiting for beside twice all there are. */
#define KMQTT_REPLAY_SLACK	1024

/** struct kmqtt_sub_key - identity of a subscription */
struct kmqtt_sub_key {
	const struct kmqtt_session *session;
	const struct mqtt_node *node;
	const struct kmqtt_group *group;
};

/** struct kmqtt_group_key - identity of a share group */
struct kmqtt_group_key {
	const struct mqtt_node *node;
	struct mqtt_str name;
};

static u32 kmqtt_sub_hash_key(const void *data, u32 len, u32 seed)
{
	return jhash(data, sizeof(struct kmqtt_sub_key), seed);
}

static u32 kmqtt_sub_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_sub *sub = data;
	struct kmqtt_sub_key key = {
		.session = sub->session,
		.node = sub->node,
		.group = sub->group,
	};

	return kmqtt_sub_hash_key(&key, len, seed);
}

static int kmqtt_sub_compare(struct rhashtable_compare_arg *arg,
			     const void *obj)
{
	const struct kmqtt_sub_key *key = arg->key;
	const struct kmqtt_sub *sub = obj;

	return sub->session != key->session || sub->node != key->node ||
	       sub->group != key->group;
}

static const struct rhashtable_params kmqtt_sub_params = {
	.head_offset = offsetof(struct kmqtt_sub, index),
	.key_len = sizeof(struct kmqtt_sub_key),
	.hashfn = kmqtt_sub_hash_key,
	.obj_hashfn = kmqtt_sub_hash_obj,
	.obj_cmpfn = kmqtt_sub_compare,
	.automatic_shrinking = true,
};

static u32 kmqtt_group_hash_key(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_group_key *key = data;

	return jhash(key->name.data, key->name.len,
		     jhash(&key->node, sizeof(key->node), seed));
}

static u32 kmqtt_group_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct kmqtt_group *group = data;
	struct kmqtt_group_key key = {
		.node = group->node,
		.name = { .data = group->name, .len = group->len },
	};

	return kmqtt_group_hash_key(&key, len, seed);
}

static int kmqtt_group_compare(struct rhashtable_compare_arg *arg,
			       const void *obj)
{
	const struct kmqtt_group_key *key = arg->key;
	const struct kmqtt_group *group = obj;

	return group->node != key->node || group->len != key->name.len ||
	       memcmp(group->name, key->name.data, group->len);
}

static const struct rhashtable_params kmqtt_group_params = {
	.head_offset = offsetof(struct kmqtt_group, hash),
	.key_len = sizeof(struct kmqtt_group_key),
	.hashfn = kmqtt_group_hash_key,
	.obj_hashfn = kmqtt_group_hash_obj,
	.obj_cmpfn = kmqtt_group_compare,
	.automatic_shrinking = true,
};

static void kmqtt_sub_free(struct rcu_head *rcu)
{
	struct kmqtt_sub *sub = container_of(rcu, struct kmqtt_sub, rcu);
	struct kmqtt_broker *broker = sub->session->broker;

	kmqtt_session_put(sub->session);
	kmqtt_uncharge(broker, sizeof(*sub));
	/*
	 * The index is read under plain RCU by its own resizing only, which
	 * has let go of it long ago: it was removed under broker->lock.
	 */
	kfree_rcu(sub, rcu);
}

static size_t kmqtt_group_size(u16 len)
{
	const struct kmqtt_group *group;

	return struct_size(group, name, len);
}

static void kmqtt_group_free(struct rcu_head *rcu)
{
	struct kmqtt_group *group = container_of(rcu, struct kmqtt_group, rcu);

	kmqtt_uncharge(group->broker, kmqtt_group_size(group->len));
	/* Its table was read under broker->lock only. */
	kvfree(group);
}

/* The group of a node and a share name; made if @create. */
static struct kmqtt_group *kmqtt_group_get(struct kmqtt_broker *broker,
					   struct mqtt_node *node,
					   const struct mqtt_str *name,
					   bool create)
{
	struct kmqtt_group_key key = { .node = node, .name = *name };
	struct kmqtt_group *group;
	size_t size;

	lockdep_assert_held(&broker->lock);
	group = rhashtable_lookup_fast(&broker->groups, &key,
				       kmqtt_group_params);
	if (group || !create)
		return group;
	size = kmqtt_group_size(name->len);
	if (!kmqtt_charge_share(broker, size, KMQTT_HOLD))
		return NULL;
	group = kvzalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!group)
		goto err_charge;
	group->entry.is_group = true;
	group->broker = broker;
	group->node = node;
	spin_lock_init(&group->lock);
	INIT_LIST_HEAD(&group->members);
	group->len = name->len;
	memcpy(group->name, name->data, name->len);
	if (mqtt_rhash_insert(&broker->groups, &group->hash,
			      kmqtt_group_params))
		goto err_group;
	hlist_add_head_rcu(&group->entry.link, &node->entries);
	return group;

err_group:
	kvfree(group);
err_charge:
	kmqtt_uncharge(broker, size);
	return NULL;
}

static void kmqtt_group_drop_empty(struct kmqtt_group *group)
{
	if (group->nr)
		return;
	rhashtable_remove_fast(&group->broker->groups, &group->hash,
			       kmqtt_group_params);
	hlist_del_rcu(&group->entry.link);
	call_srcu(kmqtt_srcu, &group->rcu, kmqtt_group_free);
}

/* Hang @sub where the router finds it. */
static void kmqtt_sub_link(struct kmqtt_sub *sub)
{
	struct kmqtt_group *group = sub->group;

	if (group) {
		spin_lock_bh(&group->lock);
		list_add_tail(&sub->member, &group->members);
		spin_unlock_bh(&group->lock);
		WRITE_ONCE(group->nr, group->nr + 1);
	} else {
		hlist_add_head_rcu(&sub->entry.link, &sub->node->entries);
	}
}

static void kmqtt_sub_unlink(struct kmqtt_sub *sub)
{
	struct kmqtt_group *group = sub->group;

	if (group) {
		spin_lock_bh(&group->lock);
		list_del(&sub->member);
		spin_unlock_bh(&group->lock);
		WRITE_ONCE(group->nr, group->nr - 1);
		kmqtt_group_drop_empty(group);
	} else {
		hlist_del_rcu(&sub->entry.link);
	}
}

/*
 * There is a subscription more or less in the tree: who reads the new number finds
 * it so, and what was remembered with an old one is void (memo.c).
 */
static void kmqtt_sub_changed(struct kmqtt_broker *broker)
{
	smp_mb__before_atomic(); /* pairs with the acquire in kmqtt_route_find() */
	atomic64_inc(&broker->sub_turn);
}

static void kmqtt_sub_remove(struct kmqtt_sub *sub)
{
	struct kmqtt_session *session = sub->session;
	struct kmqtt_broker *broker = session->broker;

	lockdep_assert_held(&broker->lock);
	rhashtable_remove_fast(&broker->sub_index, &sub->index,
			       kmqtt_sub_params);
	list_del(&sub->of_session);
	kmqtt_sub_unlink(sub);
	kmqtt_sub_changed(broker);
	/* Who reads the new number does not meet @sub: kmqtt_route_sub(). */
	smp_store_release(&session->nr_subs, session->nr_subs - 1);
	WRITE_ONCE(broker->nr_subs, broker->nr_subs - 1);
	mqtt_tree_prune(&broker->subs, sub->node);
	call_srcu(kmqtt_srcu, &sub->rcu, kmqtt_sub_free);
}

void kmqtt_unsubscribe_all(struct kmqtt_session *session)
{
	struct kmqtt_sub *sub, *next;

	lockdep_assert_held(&session->broker->lock);
	list_for_each_entry_safe(sub, next, &session->subs, of_session) {
		kmqtt_sub_remove(sub);
		cond_resched();
	}
}

static struct kmqtt_sub *kmqtt_sub_find(struct kmqtt_session *session,
					struct mqtt_node *node,
					struct kmqtt_group *group)
{
	struct kmqtt_sub_key key = {
		.session = session,
		.node = node,
		.group = group,
	};

	return rhashtable_lookup_fast(&session->broker->sub_index, &key,
				      kmqtt_sub_params);
}

static struct kmqtt_sub *kmqtt_sub_create(struct kmqtt_session *session,
					  struct mqtt_node *node,
					  struct kmqtt_group *group)
{
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_sub *sub;

	if (!kmqtt_charge_share(broker, sizeof(*sub), KMQTT_HOLD))
		return NULL;
	sub = kzalloc(sizeof(*sub), GFP_KERNEL);
	if (!sub)
		goto err_charge;
	sub->session = session;
	sub->node = node;
	sub->group = group;
	if (mqtt_rhash_insert(&broker->sub_index, &sub->index,
			      kmqtt_sub_params))
		goto err_sub;
	kmqtt_session_get(session);
	list_add_tail(&sub->of_session, &session->subs);
	WRITE_ONCE(session->nr_subs, session->nr_subs + 1);
	WRITE_ONCE(broker->nr_subs, broker->nr_subs + 1);
	/* Who walks with this turn reads the new number: kmqtt_route(). */
	sub->since = atomic64_inc_return(&broker->sub_turn);
	return sub;

err_sub:
	kfree(sub);
err_charge:
	kmqtt_uncharge(broker, sizeof(*sub));
	return NULL;
}

/**
 * struct kmqtt_sub_request - one topic filter of a SUBSCRIBE
 * @group: share name
 * @filter: without the share prefix
 * @shared: 1 with @group, 0, or -EINVAL
 * @sub_id: subscription identifier, 0: none
 * @options: subscription options, QoS as granted
 * @fresh: result: the subscription did not exist
 */
struct kmqtt_sub_request {
	struct mqtt_str group;
	struct mqtt_str filter;
	int shared;
	u32 sub_id;
	u8 options;
	bool fresh;
};

/*
 * Make or replace; the old one goes on until the new is there, since it is
 * the same one [MQTT-3.8.4-4]. broker->lock held.
 */
static u8 kmqtt_sub_put(struct kmqtt_session *session,
			struct kmqtt_sub_request *req)
{
	struct kmqtt_broker *broker = session->broker;
	struct kmqtt_group *group = NULL;
	struct kmqtt_sub *sub;
	struct mqtt_node *node;

	if (session->dead)
		return MQTT_RC_UNSPECIFIED;
	node = mqtt_tree_get(&broker->subs, &req->filter);
	if (IS_ERR(node))
		return MQTT_RC_QUOTA_EXCEEDED;
	if (req->shared == 1) {
		group = kmqtt_group_get(broker, node, &req->group, true);
		if (!group)
			goto err_node;
	}
	sub = kmqtt_sub_find(session, node, group);
	req->fresh = !sub;
	if (!sub) {
		if (session->nr_subs >= kmqtt_cfg(broker,
						  KMQTT_SET_MAX_SUBSCRIPTIONS))
			goto err_group;
		sub = kmqtt_sub_create(session, node, group);
		if (!sub)
			goto err_group;
	}
	WRITE_ONCE(sub->sub_id, req->sub_id);
	WRITE_ONCE(sub->options, req->options);
	if (req->fresh) {
		kmqtt_sub_link(sub);
		kmqtt_sub_changed(broker);
	}
	return req->options & MQTT_SUB_QOS_MASK;

err_group:
	if (group)
		kmqtt_group_drop_empty(group);
err_node:
	mqtt_tree_prune(&broker->subs, node);
	return MQTT_RC_QUOTA_EXCEEDED;
}

static u8 kmqtt_subscribe_check(struct kmqtt_session *session,
				const struct kmqtt_sub_request *req)
{
	struct kmqtt_broker *broker = session->broker;

	if (req->shared < 0 || !mqtt_topic_filter_valid(&req->filter) ||
	    mqtt_topic_depth(&req->filter) >
	    kmqtt_cfg(broker, KMQTT_SET_MAX_TOPIC_LEVELS))
		return MQTT_RC_TOPIC_FILTER_INVALID;
	if (!kmqtt_acl_check_filter(session, &req->filter)) {
		kmqtt_stat_inc(broker, KMQTT_STAT_ACL_DENIED_SUBSCRIBE);
		kmqtt_event_session(session, KMQTT_EVENT_ACL_DENIED,
				    &req->filter, 0);
		return MQTT_RC_NOT_AUTHORIZED;
	}
	return 0;
}

/* Retained messages a subscription asks for [MQTT-3.3.1-9] to -11. */
static void kmqtt_subscribe_retained(struct kmqtt_session *session,
				     const struct kmqtt_sub_request *req,
				     u8 qos)
{
	u8 handling = (req->options & MQTT_SUB_RETAIN_HANDLING_MASK) >>
		      MQTT_SUB_RETAIN_HANDLING_SHIFT;

	if (req->shared || handling == 2 || (handling == 1 && !req->fresh))
		return;
	/* Filters that do not overlap never come to more than there are. */
	if (READ_ONCE(session->nr_replay) >
	    2 * READ_ONCE(session->broker->nr_retained) + KMQTT_REPLAY_SLACK) {
		kmqtt_stat_inc(session->broker, KMQTT_STAT_DROPPED_QUEUE_FULL);
		return;
	}
	/*
	 * Pairs with kmqtt_retain_store(): either its message is found here,
	 * or its router, which comes after it, finds the subscription.
	 */
	smp_mb();
	kmqtt_retain_replay(session, &req->filter, qos, req->sub_id);
}

/* Return: the reason code for the SUBACK. */
static u8 kmqtt_subscribe_one(struct kmqtt_conn *conn,
			      const struct mqtt_str *filter, u8 options,
			      u32 sub_id)
{
	struct kmqtt_session *session = conn->session;
	struct kmqtt_broker *broker = conn->broker;
	struct kmqtt_sub_request req = { .sub_id = sub_id };
	u8 max_qos = kmqtt_cfg(broker, KMQTT_SET_MAXIMUM_QOS);
	u8 reason;

	req.options = options;
	if ((options & MQTT_SUB_QOS_MASK) > max_qos)
		req.options = (options & ~MQTT_SUB_QOS_MASK) | max_qos;
	req.filter = *filter;
	req.shared = mqtt_share_parse(filter, &req.group, &req.filter);
	reason = kmqtt_subscribe_check(session, &req);
	if (reason)
		return reason;
	mutex_lock(&broker->lock);
	reason = kmqtt_sub_put(session, &req);
	mutex_unlock(&broker->lock);
	if (reason == MQTT_RC_QUOTA_EXCEEDED)
		kmqtt_stat_inc(broker, KMQTT_STAT_SUBSCRIPTIONS_REFUSED);
	if (reason >= 0x80)
		return reason;
	kmqtt_event_session(session, KMQTT_EVENT_SUBSCRIBED, filter, reason);
	kmqtt_subscribe_retained(session, &req, reason);
	return reason;
}

/*
 * Before filters take effect: does the client take the answer? Also, nobody
 * waits for what we have for him while we wait for broker->lock.
 */
static u8 kmqtt_subscribe_begin(struct kmqtt_run *run,
				const struct kmqtt_conn *conn, u32 nr)
{
	kmqtt_gather_flush(run);
	if (conn->client_max_packet &&
	    mqtt_suback_len(MQTT_SUBACK, conn->version, nr) > conn->client_max_packet)
		return MQTT_RC_PACKET_TOO_LARGE; /* [MQTT-3.1.2-24] */
	return 0;
}

/*
 * A packet may hold half a million filters. To give way is not enough: the
 * CPU's other works start only when this one sleeps.
 */
static void kmqtt_subscribe_pause(struct kmqtt_run *run)
{
	if (!kmqtt_run_spent(run)) {
		cond_resched();
		return;
	}
	schedule_timeout_uninterruptible(1);
	kmqtt_run_prolong(run);
}

static u8 kmqtt_subscribe_answer(struct kmqtt_conn *conn, u8 type,
				 u16 packet_id, const u8 *reasons, u32 nr)
{
	size_t size = nr + 16;
	u8 inline_buf[KMQTT_REASONS_INLINE + 16], *buf = inline_buf;
	u8 reason = 0;
	int len;

	if (size > sizeof(inline_buf))
		buf = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!buf)
		return MQTT_RC_QUOTA_EXCEEDED;
	len = mqtt_encode_suback(buf, size, type, conn->version, packet_id,
				 reasons, nr);
	if (len < 0 || kmqtt_send_control(conn, buf, len, GFP_KERNEL))
		reason = MQTT_RC_QUOTA_EXCEEDED;
	if (buf != inline_buf)
		kvfree(buf);
	return reason;
}

u8 kmqtt_subscribe_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			  const u8 *body, u32 len)
{
	u8 inline_reasons[KMQTT_REASONS_INLINE], *reasons = inline_reasons;
	struct mqtt_subscribe subscribe;
	struct mqtt_str filter;
	u8 options, reason;
	u32 i = 0;

	reason = mqtt_decode_subscribe(body, len, conn->version, &subscribe) ?:
		 kmqtt_subscribe_begin(run, conn, subscribe.nr);
	if (reason)
		return reason;
	if (subscribe.nr > KMQTT_REASONS_INLINE)
		reasons = kvmalloc(subscribe.nr,
				   GFP_KERNEL | __GFP_NOWARN);
	if (!reasons)
		return MQTT_RC_QUOTA_EXCEEDED;
	while (mqtt_subscribe_next(&subscribe.filters, &options, &filter)) {
		reasons[i++] = kmqtt_subscribe_one(conn, &filter, options,
						   subscribe.props.subscription_id);
		kmqtt_subscribe_pause(run);
	}
	reason = kmqtt_subscribe_answer(conn, MQTT_SUBACK, subscribe.packet_id,
					reasons, i);
	kmqtt_send_mark(run, conn);
	if (reasons != inline_reasons)
		kvfree(reasons);
	return reason;
}

/* [MQTT-3.10.4-1] Return: the reason code for the UNSUBACK. */
static u8 kmqtt_unsubscribe_one(struct kmqtt_session *session,
				const struct mqtt_str *filter)
{
	struct kmqtt_broker *broker = session->broker;
	struct mqtt_str name, rest = *filter;
	struct kmqtt_group *group = NULL;
	struct kmqtt_sub *sub = NULL;
	struct mqtt_node *node;
	int shared;

	shared = mqtt_share_parse(filter, &name, &rest);
	if (shared < 0 || !mqtt_topic_filter_valid(&rest))
		return MQTT_RC_TOPIC_FILTER_INVALID;
	mutex_lock(&broker->lock);
	node = mqtt_tree_find(&broker->subs, &rest);
	if (node && shared)
		group = kmqtt_group_get(broker, node, &name, false);
	if (node && (group || !shared))
		sub = kmqtt_sub_find(session, node, group);
	if (sub)
		kmqtt_sub_remove(sub);
	mutex_unlock(&broker->lock);
	if (!sub)
		return MQTT_RC_NO_SUBSCRIPTION_EXISTED;
	kmqtt_event_session(session, KMQTT_EVENT_UNSUBSCRIBED, filter, 0);
	return MQTT_RC_SUCCESS;
}

u8 kmqtt_unsubscribe_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			    const u8 *body, u32 len)
{
	u8 inline_reasons[KMQTT_REASONS_INLINE], *reasons = inline_reasons;
	struct mqtt_subscribe unsubscribe;
	struct mqtt_str filter;
	u8 reason;
	u32 i = 0;

	reason = mqtt_decode_unsubscribe(body, len, conn->version,
					 &unsubscribe) ?:
		 kmqtt_subscribe_begin(run, conn, unsubscribe.nr);
	if (reason)
		return reason;
	if (unsubscribe.nr > KMQTT_REASONS_INLINE)
		reasons = kvmalloc(unsubscribe.nr,
				   GFP_KERNEL | __GFP_NOWARN);
	if (!reasons)
		return MQTT_RC_QUOTA_EXCEEDED;
	while (mqtt_subscribe_next(&unsubscribe.filters, NULL, &filter)) {
		reasons[i++] = kmqtt_unsubscribe_one(conn->session, &filter);
		kmqtt_subscribe_pause(run);
	}
	reason = kmqtt_subscribe_answer(conn, MQTT_UNSUBACK,
					unsubscribe.packet_id, reasons, i);
	kmqtt_send_mark(run, conn);
	if (reasons != inline_reasons)
		kvfree(reasons);
	return reason;
}

static bool kmqtt_subscribe_charge_node(struct mqtt_tree *tree, size_t bytes,
					bool charge)
{
	return kmqtt_charge_node(container_of(tree, struct kmqtt_broker, subs),
				 bytes, KMQTT_HOLD, charge);
}

int kmqtt_subscribe_init(struct kmqtt_broker *broker)
{
	int ret;

	ret = mqtt_tree_init(&broker->subs, &broker->lock, kmqtt_srcu,
			     kmqtt_config_default(KMQTT_SET_SUBSCRIPTION_BYTES_MAX));
	if (ret)
		return ret;
	broker->subs.charge = kmqtt_subscribe_charge_node;
	ret = rhashtable_init(&broker->sub_index, &kmqtt_sub_params);
	if (ret)
		goto err_tree;
	ret = rhashtable_init(&broker->groups, &kmqtt_group_params);
	if (ret)
		goto err_index;
	return 0;

err_index:
	rhashtable_destroy(&broker->sub_index);
err_tree:
	mqtt_tree_destroy(&broker->subs);
	return ret;
}

void kmqtt_subscribe_uninit(struct kmqtt_broker *broker)
{
	rhashtable_destroy(&broker->groups);
	rhashtable_destroy(&broker->sub_index);
	mqtt_tree_destroy(&broker->subs);
}
