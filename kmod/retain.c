// SPDX-License-Identifier: GPL-2.0
/* Retained messages: the last one of each topic, for later subscribers. */
#include "retain.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "session.h"

/* How often expired ones are looked for; nobody is sent one before that. */
#define KMQTT_RETAIN_SWEEP	(60 * HZ)

static u64 kmqtt_retain_size(const struct kmqtt_msg *msg)
{
	return (u64)msg->topic.len + msg->props.len + msg->payload.len;
}

static struct kmqtt_retained *kmqtt_retained_at(struct mqtt_node *node)
{
	struct hlist_node *first;

	first = srcu_dereference_check(hlist_first_rcu(&node->entries),
				       kmqtt_srcu, true);
	return first ? hlist_entry(first, struct kmqtt_retained, link) : NULL;
}

void kmqtt_retained_put(struct kmqtt_retained *retained)
{
	if (!refcount_dec_and_test(&retained->ref))
		return;
	kmqtt_uncharge(retained->broker, sizeof(*retained));
	kfree(retained);
}

static void kmqtt_retained_free(struct rcu_head *rcu)
{
	struct kmqtt_retained *retained =
		container_of(rcu, struct kmqtt_retained, rcu);

	kmqtt_msg_put(retained->msg);
	kmqtt_retained_put(retained);
}

/*
 * Take it away from its node. retain_lock held; the caller prunes the node
 * and has it freed.
 */
static void kmqtt_retained_unlink(struct kmqtt_broker *broker,
				  struct kmqtt_retained *retained)
{
	lockdep_assert_held(&broker->retain_lock);
	WRITE_ONCE(retained->superseded, true);
	hlist_del_rcu(&retained->link);
	broker->nr_retained--;
	broker->retained_bytes -= kmqtt_retain_size(retained->msg);
}

static void kmqtt_retained_remove(struct kmqtt_broker *broker,
				  struct kmqtt_retained *retained)
{
	kmqtt_retained_unlink(broker, retained);
	call_srcu(kmqtt_srcu, &retained->rcu, kmqtt_retained_free);
}

static bool kmqtt_retain_fits(struct kmqtt_broker *broker,
			      const struct kmqtt_retained *old,
			      const struct kmqtt_msg *msg)
{
	u32 nr = broker->nr_retained + !old;
	u64 bytes = broker->retained_bytes + kmqtt_retain_size(msg) -
		    (old ? kmqtt_retain_size(old->msg) : 0);

	return nr <= kmqtt_cfg(broker, KMQTT_SET_RETAINED_MAX) &&
	       bytes <= kmqtt_cfg(broker, KMQTT_SET_RETAINED_BYTES_MAX);
}

/* retain_lock held. Return: false if it could not be kept. */
static bool kmqtt_retain_put(struct kmqtt_broker *broker,
			     struct mqtt_node *node, struct kmqtt_msg *msg)
{
	struct kmqtt_retained *old = kmqtt_retained_at(node), *retained;
	enum kmqtt_share share = KMQTT_STORE;

	if (!kmqtt_retain_fits(broker, old, msg))
		return false;
	/*
	 * Who brings a topic up to date stores nothing more, once the old one
	 * is gone. (It may still be being routed, and grow.)
	 */
	if (old && msg->charged <= READ_ONCE(old->msg->charged))
		share = KMQTT_HOLD;
	if (!kmqtt_charge_share(broker, sizeof(*retained), share))
		return false;
	retained = kmalloc(sizeof(*retained), GFP_KERNEL);
	if (!retained) {
		kmqtt_uncharge(broker, sizeof(*retained));
		return false;
	}
	retained->broker = broker;
	refcount_set(&retained->ref, 1);
	retained->superseded = false;
	retained->msg = kmqtt_msg_get(msg);
	retained->node = node;
	if (old)
		kmqtt_retained_remove(broker, old);
	hlist_add_head_rcu(&retained->link, &node->entries);
	broker->nr_retained++;
	broker->retained_bytes += kmqtt_retain_size(msg);
	return true;
}

/*
 * [MQTT-3.3.1-5]; an empty payload removes [MQTT-3.3.1-6]. What cannot be
 * kept is counted, and the old one removed: a stale value would be worse.
 */
void kmqtt_retain_store(struct kmqtt_broker *broker, struct kmqtt_msg *msg)
{
	struct kmqtt_retained *old;
	struct mqtt_node *node;

	mutex_lock(&broker->retain_lock);
	if (msg->payload.len)
		node = mqtt_tree_get(&broker->retained, &msg->topic);
	else
		node = mqtt_tree_find(&broker->retained, &msg->topic);
	if (IS_ERR(node)) {
		kmqtt_stat_inc(broker, KMQTT_STAT_RETAINED_REFUSED);
	} else if (node) {
		if (msg->payload.len && kmqtt_retain_put(broker, node, msg))
			goto unlock;
		if (msg->payload.len)
			kmqtt_stat_inc(broker, KMQTT_STAT_RETAINED_REFUSED);
		old = kmqtt_retained_at(node);
		if (old)
			kmqtt_retained_remove(broker, old);
		mqtt_tree_prune(&broker->retained, node);
	}
unlock:
	mutex_unlock(&broker->retain_lock);
	/* Pairs with kmqtt_subscribe_retained(). */
	smp_mb();
}

/**
 * struct kmqtt_collect - matching messages of a replay being built
 * @session: for whom
 * @replay: grows by doubling; NULL until the first match
 * @max: messages it has room for
 * @failed: it could not grow
 */
struct kmqtt_collect {
	struct kmqtt_session *session;
	struct kmqtt_replay *replay;
	u32 max;
	bool failed;
};

static bool kmqtt_collect_grow(struct kmqtt_collect *collect)
{
	u32 max = collect->max ? collect->max * 2 : 8;
	struct kmqtt_broker *broker = collect->session->broker;
	struct kmqtt_replay *old = collect->replay, *replay;
	size_t size = struct_size(replay, items, max);

	if (!kmqtt_charge_share(broker, size, KMQTT_HOLD))
		return false;
	replay = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	if (!replay) {
		kmqtt_uncharge(broker, size);
		return false;
	}
	memset(replay, 0, sizeof(*replay));
	if (old) {
		memcpy(replay, old, struct_size(old, items, old->nr));
		kmqtt_uncharge(broker, old->charged);
		kvfree(old);
	}
	replay->charged = size;
	collect->replay = replay;
	collect->max = max;
	return true;
}

static int kmqtt_collect_visit(struct mqtt_node *node, void *arg)
{
	struct kmqtt_collect *collect = arg;
	struct kmqtt_retained *retained = kmqtt_retained_at(node);
	struct kmqtt_replay *replay = collect->replay;
	struct kmqtt_msg *msg;

	if (!retained)
		return 0;
	msg = retained->msg;
	if (kmqtt_msg_expired(msg, get_jiffies_64()))
		return 0;
	if (!kmqtt_acl_check(collect->session, KMQTT_ACCESS_READ, &msg->topic))
		return 0;
	if ((!replay || replay->nr == collect->max) &&
	    !kmqtt_collect_grow(collect)) {
		collect->failed = true;
		return -ENOMEM;
	}
	replay = collect->replay;
	refcount_inc(&retained->ref);
	replay->items[replay->nr++] = retained;
	return 0;
}

void kmqtt_retain_replay(struct kmqtt_session *session,
			 const struct mqtt_str *filter, u8 qos, u32 sub_id)
{
	struct kmqtt_collect collect = { .session = session };
	struct kmqtt_broker *broker = session->broker;
	int idx;

	idx = srcu_read_lock(kmqtt_srcu);
	mqtt_tree_match_filter(&broker->retained, filter, kmqtt_collect_visit,
			       &collect);
	srcu_read_unlock(kmqtt_srcu, idx);
	if (collect.failed)
		kmqtt_stat_inc(broker, KMQTT_STAT_DROPPED_MEMORY);
	if (!collect.replay)
		return;
	collect.replay->qos = qos;
	collect.replay->sub_id = sub_id;
	kmqtt_deliver_replay(session, collect.replay);
}

/**
 * struct kmqtt_retain_removal - a walk that removes
 * @broker: whose
 * @filter: what to remove; NULL: everything
 * @expired: only what has expired
 * @gone: removed ones; their nodes are pruned after the walk, which must not
 *	lose the ground it stands on
 * @count: how many
 */
struct kmqtt_retain_removal {
	struct kmqtt_broker *broker;
	const struct mqtt_str *filter;
	bool expired;
	struct kmqtt_retained *gone;
	u32 count;
};

static int kmqtt_retain_remove_visit(struct mqtt_node *node, void *arg)
{
	struct kmqtt_retain_removal *removal = arg;
	struct kmqtt_retained *retained = kmqtt_retained_at(node);

	if (!retained)
		return 0;
	if (removal->expired &&
	    !kmqtt_msg_expired(retained->msg, get_jiffies_64()))
		return 0;
	kmqtt_retained_unlink(removal->broker, retained);
	retained->gone = removal->gone;
	removal->gone = retained;
	removal->count++;
	return 0;
}

static void kmqtt_retain_remove(struct kmqtt_retain_removal *removal)
{
	struct kmqtt_broker *broker = removal->broker;
	struct kmqtt_retained *retained;
	int idx;

	mutex_lock(&broker->retain_lock);
	/*
	 * Inside SRCU, pruning a child may take a node of @gone away but not
	 * free it.
	 */
	idx = srcu_read_lock(kmqtt_srcu);
	if (removal->filter)
		mqtt_tree_match_filter(&broker->retained, removal->filter,
				       kmqtt_retain_remove_visit, removal);
	else
		mqtt_tree_walk(&broker->retained, kmqtt_retain_remove_visit,
			       removal);
	while ((retained = removal->gone)) {
		removal->gone = retained->gone;
		mqtt_tree_prune(&broker->retained, retained->node);
		call_srcu(kmqtt_srcu, &retained->rcu, kmqtt_retained_free);
		cond_resched();
	}
	srcu_read_unlock(kmqtt_srcu, idx);
	mutex_unlock(&broker->retain_lock);
}

u32 kmqtt_retain_clear(struct kmqtt_broker *broker,
		       const struct mqtt_str *filter)
{
	struct kmqtt_retain_removal removal = {
		.broker = broker,
		.filter = filter,
	};

	kmqtt_retain_remove(&removal);
	return removal.count;
}

void kmqtt_retain_clear_all(struct kmqtt_broker *broker)
{
	struct kmqtt_retain_removal removal = { .broker = broker };

	kmqtt_retain_remove(&removal);
}

static void kmqtt_retain_sweep(struct work_struct *work)
{
	struct kmqtt_broker *broker =
		container_of(to_delayed_work(work), struct kmqtt_broker,
			     retain_sweep);
	struct kmqtt_retain_removal removal = {
		.broker = broker,
		.expired = true,
	};

	kmqtt_retain_remove(&removal);
	queue_delayed_work(kmqtt_ctl_wq, &broker->retain_sweep,
			   KMQTT_RETAIN_SWEEP);
}

static bool kmqtt_retain_charge_node(struct mqtt_tree *tree, size_t bytes,
				     bool charge)
{
	return kmqtt_charge_node(container_of(tree, struct kmqtt_broker,
					      retained), bytes, KMQTT_STORE,
				 charge);
}

int kmqtt_retain_init(struct kmqtt_broker *broker)
{
	int ret;

	ret = mqtt_tree_init(&broker->retained, &broker->retain_lock,
			     kmqtt_srcu,
			     kmqtt_config_default(KMQTT_SET_RETAINED_BYTES_MAX));
	if (ret)
		return ret;
	broker->retained.charge = kmqtt_retain_charge_node;
	INIT_DELAYED_WORK(&broker->retain_sweep, kmqtt_retain_sweep);
	queue_delayed_work(kmqtt_ctl_wq, &broker->retain_sweep,
			   KMQTT_RETAIN_SWEEP);
	return 0;
}

void kmqtt_retain_uninit(struct kmqtt_broker *broker)
{
	cancel_delayed_work_sync(&broker->retain_sweep);
	mqtt_tree_destroy(&broker->retained);
}
