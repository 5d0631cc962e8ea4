// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets a message. The tree is walked under SRCU, so that a fan-out to
 * ten thousand subscribers can allocate and reschedule on its way.
 *
 * A client whose subscriptions overlap gets one copy, with the highest QoS
 * and all subscription identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-4]. Only clients
 * with several subscriptions can be met twice: they are gathered in a small
 * hash table and served after the walk, all others at once.
 *
 * Subscriptions come and go meanwhile. One that came after the walk began is
 * passed over, else a client served at once for its only subscription would be
 * met again by its second. When one went, and a single one is left, its client
 * may stand in the table.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "burst.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "deliver.h"
#include "express.h"
#include "gather.h"
#include "message.h"
#include "session.h"
#include "spread.h"
#include "subscription.h"

/* Slots of the first table; it doubles when half full. */
#define KMQTT_MERGE_FIRST	16

/* Members of a share group asked for a connection before the first is taken. */
#define KMQTT_GROUP_LOOK	64

/* Members of a share group offered one message, if the first cannot take it. */
#define KMQTT_GROUP_TRIES	8

/** enum kmqtt_taken - what became of a message for one client */
enum kmqtt_taken {
	KMQTT_TAKEN,	/* delivered, or not meant for it */
	KMQTT_REFUSED,	/* its queue, or memory, has no room */
	KMQTT_DENIED,	/* its rules do not let it see that topic */
};

/**
 * struct kmqtt_merge - what one client is to get, from all its subscriptions
 * @session: who; pinned by a subscription inside kmqtt_srcu
 * @ids: subscription identifiers
 * @nr_ids: how many
 * @max_ids: room in @ids
 * @qos: highest of the subscriptions
 * @retain: one of them wants RETAIN as published
 */
struct kmqtt_merge {
	struct kmqtt_session *session;
	u32 *ids;
	u32 nr_ids;
	u32 max_ids;
	u8 qos;
	bool retain;
};

/**
 * struct kmqtt_route - one message being routed, or several
 * @run: gathers who is to be sent something
 * @msg: the message, or one of them
 * @msgs: all of a burst, of QoS 0 and not retained
 * @nr: how many, if more than one
 * @imaged: their images are made, see kmqtt_image_index()
 * @from: its publisher, or NULL
 * @turn: broker->sub_turn when the walk began
 * @met: subscriptions, and clients that had several
 * @last: nothing that could be gathered with it is about to come, as far as one knows
 * @count: deliveries; those of one session count once
 * @table: open addressing by session
 * @size: its slots, a power of two or 0
 * @used: of them in use
 */
struct kmqtt_route {
	struct kmqtt_run *run;
	struct kmqtt_msg *msg;
	struct kmqtt_msg **msgs;
	u32 nr;
	bool imaged[4];
	struct kmqtt_session *from;
	u64 turn;
	u32 met;
	bool last;
	u32 count;
	struct kmqtt_merge *table;
	u32 size;
	u32 used;
};

/* @offer: if it is not taken nothing is lost yet, and nothing is counted. */
static enum kmqtt_taken kmqtt_route_deliver(struct kmqtt_route *route,
					    struct kmqtt_session *session,
					    u8 qos, bool retain,
					    const u32 *ids, u32 nr_ids,
					    bool offer)
{
	struct kmqtt_msg *msg = route->msg;
	bool taken;

	if (!kmqtt_acl_check(session, KMQTT_ACCESS_READ, &msg->topic)) {
		if (!offer)
			kmqtt_stat_inc(route->run->broker,
				       KMQTT_STAT_ACL_DENIED_DELIVERY);
		return KMQTT_DENIED;
	}
	/* From the second on, there may be many who get the same bytes. */
	if (route->count && !kmqtt_msg_image(msg, READ_ONCE(session->version),
					     qos))
		kmqtt_msg_make_image(msg, READ_ONCE(session->version), qos,
				     route->run->gfp);
	if (qos || nr_ids)
		taken = kmqtt_deliver(route->run, session, msg, qos, retain, ids,
				      nr_ids, offer);
	else
		taken = kmqtt_deliver_plain(route->run, session, msg, retain,
					    offer);
	if (taken || !offer)
		route->count++;
	return taken ? KMQTT_TAKEN : KMQTT_REFUSED;
}

/* From the second subscriber on, there may be many who get the same bytes. */
static void kmqtt_route_images(struct kmqtt_route *route, u8 version)
{
	bool *imaged = &route->imaged[kmqtt_image_index(version, 0)];
	u32 i;

	if (*imaged || !route->count)
		return;
	*imaged = true;
	for (i = 0; i < route->nr; i++)
		if (!kmqtt_msg_image(route->msgs[i], version, 0))
			kmqtt_msg_make_image(route->msgs[i], version, 0,
					     route->run->gfp);
}

/* All of a burst, which most get as it is. */
static enum kmqtt_taken kmqtt_route_each(struct kmqtt_route *route,
					 struct kmqtt_session *session,
					 const u32 *ids, u32 nr_ids)
{
	u32 before = route->count, i;

	if (nr_ids || kmqtt_acl_in_force(session->broker)) {
		for (i = 0; i < route->nr; i++) {
			route->count = before;
			route->msg = route->msgs[i];
			kmqtt_route_deliver(route, session, 0, false, ids,
					    nr_ids, false);
		}
	} else {
		kmqtt_route_images(route, READ_ONCE(session->version));
		kmqtt_deliver_burst(route->run, session, route->msgs, route->nr);
	}
	route->count = before + 1;
	return KMQTT_TAKEN;
}

/* There is no memory. */
static enum kmqtt_taken kmqtt_route_lose(struct kmqtt_route *route)
{
	kmqtt_stat_add(route->run->broker, KMQTT_STAT_DROPPED_MEMORY, route->nr);
	route->count++;
	return KMQTT_TAKEN;
}

static struct kmqtt_merge *kmqtt_merge_slot(struct kmqtt_merge *table, u32 size,
					    const struct kmqtt_session *session)
{
	u32 i = hash_ptr(session, ilog2(size));

	while (table[i].session && table[i].session != session)
		i = (i + 1) & (size - 1);
	return &table[i];
}

static bool kmqtt_merge_grow(struct kmqtt_route *route)
{
	u32 size = route->size ? route->size * 2 : KMQTT_MERGE_FIRST, i;
	struct kmqtt_merge *table;

	table = kvcalloc(size, sizeof(*table), GFP_KERNEL | __GFP_NOWARN);
	if (!table)
		return false;
	for (i = 0; i < route->size; i++)
		if (route->table[i].session)
			*kmqtt_merge_slot(table, size,
					  route->table[i].session) =
				route->table[i];
	kvfree(route->table);
	route->table = table;
	route->size = size;
	return true;
}

static bool kmqtt_merge_add_id(struct kmqtt_merge *merge, u32 id)
{
	u32 max = merge->max_ids ? merge->max_ids * 2 : 4;
	u32 *ids;

	if (merge->nr_ids == merge->max_ids) {
		ids = kvmalloc_array(max, sizeof(*ids),
				     GFP_KERNEL | __GFP_NOWARN);
		if (!ids)
			return false;
		if (merge->nr_ids)
			memcpy(ids, merge->ids,
			       merge->nr_ids * sizeof(*ids));
		kvfree(merge->ids);
		merge->ids = ids;
		merge->max_ids = max;
	}
	merge->ids[merge->nr_ids++] = id;
	return true;
}

/* Return: false for want of memory. */
static bool kmqtt_route_merge(struct kmqtt_route *route,
			      struct kmqtt_session *session, u8 qos,
			      bool retain, u32 id)
{
	struct kmqtt_merge *merge;

	if (2 * route->used >= route->size && !kmqtt_merge_grow(route))
		return false;
	merge = kmqtt_merge_slot(route->table, route->size, session);
	if (id && !kmqtt_merge_add_id(merge, id))
		return false;
	if (!merge->session) {
		merge->session = session;
		route->used++;
	}
	merge->qos = max(merge->qos, qos);
	merge->retain |= retain;
	return true;
}

/* May it be met twice, or was it met before? */
static bool kmqtt_route_several(const struct kmqtt_route *route,
				const struct kmqtt_session *session)
{
	/* Pairs with kmqtt_sub_remove(). */
	return smp_load_acquire(&session->nr_subs) > 1 ||
	       (route->used && kmqtt_merge_slot(route->table, route->size,
						session)->session);
}

/* @offer: see kmqtt_route_deliver() */
static enum kmqtt_taken kmqtt_route_sub(struct kmqtt_route *route,
					struct kmqtt_sub *sub, bool shared,
					bool offer)
{
	struct kmqtt_session *session = sub->session;
	u8 options = READ_ONCE(sub->options);
	u32 id = READ_ONCE(sub->sub_id);
	u8 qos = min_t(u8, options & MQTT_SUB_QOS_MASK, route->msg->qos);
	bool retain = route->msg->retain &&
		      (options & MQTT_SUB_RETAIN_AS_PUBLISHED);

	if ((options & MQTT_SUB_NO_LOCAL) && session == route->from)
		return KMQTT_TAKEN;
	/*
	 * Without memory, a copy for each subscription is right as well; of a burst
	 * that would not be in order.
	 */
	if (!shared && kmqtt_route_several(route, session)) {
		if (kmqtt_route_merge(route, session, qos, retain, id))
			return KMQTT_TAKEN;
		if (route->nr > 1)
			return kmqtt_route_lose(route);
	}
	if (route->nr > 1)
		return kmqtt_route_each(route, session, &id, id ? 1 : 0);
	return kmqtt_route_deliver(route, session, qos, retain, &id,
				   id ? 1 : 0, offer);
}

/*
 * The member of a share group to serve: in turn, one with a connection if
 * there is any. It stays valid while we are inside kmqtt_srcu.
 */
static struct kmqtt_sub *kmqtt_group_pick(struct kmqtt_group *group)
{
	struct kmqtt_sub *sub, *picked = NULL;
	u32 look = KMQTT_GROUP_LOOK;

	spin_lock_bh(&group->lock);
	list_for_each_entry(sub, &group->members, member) {
		if (!picked)
			picked = sub;
		if (!look--)
			break;
		if (READ_ONCE(sub->session->conn)) {
			picked = sub;
			break;
		}
	}
	if (picked)
		list_move_tail(&picked->member, &group->members);
	spin_unlock_bh(&group->lock);
	return picked;
}

/*
 * Members other than @first, those with a connection before all others.
 * Return: how many there are in @subs.
 */
static u32 kmqtt_group_others(struct kmqtt_group *group,
			      const struct kmqtt_sub *first,
			      struct kmqtt_sub **subs)
{
	struct kmqtt_sub *absent[KMQTT_GROUP_TRIES], *sub;
	u32 look = KMQTT_GROUP_LOOK, nr = 0, nr_absent = 0, i;

	spin_lock_bh(&group->lock);
	list_for_each_entry(sub, &group->members, member) {
		if (nr == KMQTT_GROUP_TRIES || !look--)
			break;
		if (sub == first)
			continue;
		if (READ_ONCE(sub->session->conn))
			subs[nr++] = sub;
		else if (nr_absent < KMQTT_GROUP_TRIES)
			absent[nr_absent++] = sub;
	}
	spin_unlock_bh(&group->lock);
	for (i = 0; i < nr_absent && nr < KMQTT_GROUP_TRIES; i++)
		subs[nr++] = absent[i];
	return nr;
}

/*
 * One member gets it; if its queue is full or its rules forbid, another. If
 * none takes it, the first that might have seen it has lost it.
 */
static void kmqtt_route_group(struct kmqtt_route *route,
			      struct kmqtt_group *group)
{
	struct kmqtt_sub *others[KMQTT_GROUP_TRIES];
	struct kmqtt_sub *sub = kmqtt_group_pick(group), *loser = sub;
	enum kmqtt_taken taken;
	bool denied;
	u32 nr, i;

	if (!sub)
		return;
	taken = kmqtt_route_sub(route, sub, true, true);
	if (taken == KMQTT_TAKEN)
		return;
	denied = taken == KMQTT_DENIED;
	nr = kmqtt_group_others(group, sub, others);
	for (i = 0; i < nr; i++) {
		taken = kmqtt_route_sub(route, others[i], true, true);
		if (taken == KMQTT_TAKEN)
			return;
		if (denied && taken == KMQTT_REFUSED) {
			loser = others[i];
			denied = false;
		}
	}
	kmqtt_route_sub(route, loser, true, false);
}

/* Until the last one is found others can have begun to send. */
static void kmqtt_route_met(struct kmqtt_route *route)
{
	if (!(++route->met % KMQTT_SPREAD_MIN) && route->last)
		kmqtt_spread_begin(route->run);
	cond_resched();
}

static int kmqtt_route_visit(struct mqtt_node *node, void *arg)
{
	struct kmqtt_route *route = arg;
	struct kmqtt_entry *entry;
	struct kmqtt_sub *sub;

	hlist_for_each_entry_srcu(entry, &node->entries, link,
				  srcu_read_lock_held(kmqtt_srcu)) {
		if (entry->is_group) {
			/* Of a burst: it has come since there was none. */
			if (route->nr <= 1)
				kmqtt_route_group(route,
						  container_of(entry,
							       struct kmqtt_group,
							       entry));
		} else {
			sub = container_of(entry, struct kmqtt_sub, entry);
			if (sub->since <= route->turn)
				kmqtt_route_sub(route, sub, false, false);
		}
		kmqtt_route_met(route);
	}
	return 0;
}

static void kmqtt_route_merged(struct kmqtt_route *route)
{
	struct kmqtt_merge *merge;
	u32 i;

	for (i = 0; i < route->size; i++) {
		merge = &route->table[i];
		if (!merge->session)
			continue;
		if (route->nr > 1)
			kmqtt_route_each(route, merge->session, merge->ids,
					 merge->nr_ids);
		else
			kmqtt_route_deliver(route, merge->session, merge->qos,
					    merge->retain, merge->ids,
					    merge->nr_ids, false);
		kvfree(merge->ids);
		kmqtt_route_met(route);
	}
	kvfree(route->table);
}

static void kmqtt_route_ask(struct kmqtt_few *few, struct kmqtt_session *session)
{
	if (!few->gather && !kmqtt_express_idle(session))
		few->gather = true;
	if (READ_ONCE(session->nr_queued) && kmqtt_deliver_full(session))
		few->full = true;
}

static int kmqtt_route_find_visit(struct mqtt_node *node, void *arg)
{
	struct kmqtt_few *few = arg;
	struct kmqtt_entry *entry;
	struct kmqtt_sub *sub;

	hlist_for_each_entry_srcu(entry, &node->entries, link,
				  srcu_read_lock_held(kmqtt_srcu)) {
		if (entry->is_group || few->nr == KMQTT_FEW)
			return -E2BIG;
		sub = container_of(entry, struct kmqtt_sub, entry);
		/* Pairs with kmqtt_sub_remove(). */
		if (smp_load_acquire(&sub->session->nr_subs) > 1 ||
		    sub->since > few->turn)
			return -E2BIG;
		kmqtt_route_ask(few, sub->session);
		few->subs[few->nr++] = sub;
	}
	return 0;
}

int kmqtt_route_find(struct kmqtt_conn *conn,
		     const struct mqtt_publish *publish, struct kmqtt_few *few)
{
	struct kmqtt_broker *broker = conn->broker;
	int ret = 0;
	u32 i;

	few->nr = 0;
	few->full = false;
	/* Pairs with kmqtt_sub_create() and kmqtt_sub_changed(). */
	few->turn = atomic64_read_acquire(&broker->sub_turn);
	if (publish->known && kmqtt_memo_recall(&conn->memo, few)) {
		for (i = 0; i < few->nr; i++)
			kmqtt_route_ask(few, few->subs[i]->session);
	} else {
		ret = mqtt_tree_match_few(&broker->subs, &publish->topic,
					  kmqtt_route_find_visit, few);
		if (!ret)
			kmqtt_memo_keep(&conn->memo, publish, few);
	}
	return ret ?: few->full ? -EBUSY : 0;
}

/* A client with one subscription is not met twice. */
static u32 kmqtt_route_few(struct kmqtt_route *route,
			   const struct kmqtt_few *few)
{
	u32 i;

	for (i = 0; i < few->nr; i++)
		kmqtt_route_sub(route, few->subs[i], true, false);
	return route->count;
}

static int kmqtt_route_find_group(struct mqtt_node *node, void *arg)
{
	struct kmqtt_entry *entry;

	hlist_for_each_entry_srcu(entry, &node->entries, link,
				  srcu_read_lock_held(kmqtt_srcu)) {
		if (entry->is_group)
			return -E2BIG;
		cond_resched();
	}
	return 0;
}

/*
 * Return: false: it is a burst, and there is a share group. A client may be a member
 * of that, and a subscriber besides: its two copies of all messages would not be in
 * order.
 */
static bool kmqtt_route_walk(struct kmqtt_route *route)
{
	struct kmqtt_run *run = route->run;
	struct kmqtt_broker *broker = run->broker;
	const struct mqtt_str *topic = &route->msg->topic;
	bool group;
	int idx;

	route->last = !run->behind && !run->spread && list_empty(&run->dirty) &&
		      !kmqtt_gather_expects();
	idx = srcu_read_lock(kmqtt_srcu);
	/* Pairs with kmqtt_sub_create(). */
	route->turn = atomic64_read_acquire(&broker->sub_turn);
	group = route->nr > 1 &&
		mqtt_tree_match_name(&broker->subs, topic,
				     kmqtt_route_find_group, NULL);
	if (!group) {
		mqtt_tree_match_name(&broker->subs, topic, kmqtt_route_visit,
				     route);
		kmqtt_route_merged(route);
	}
	srcu_read_unlock(kmqtt_srcu, idx);
	return !group;
}

u32 kmqtt_route(struct kmqtt_run *run, struct kmqtt_msg *msg,
		struct kmqtt_session *from)
{
	struct kmqtt_route route = {
		.run = run,
		.msg = msg,
		.from = from,
	};

	if (run->few)
		return kmqtt_route_few(&route, run->few);
	kmqtt_route_walk(&route);
	return route.count;
}

u32 kmqtt_route_burst(struct kmqtt_run *run, struct kmqtt_msg **msgs, u32 nr,
		      struct kmqtt_session *from)
{
	struct kmqtt_route route = {
		.run = run,
		.msg = msgs[0],
		.msgs = msgs,
		.nr = nr,
		.from = from,
	};
	u32 i, count, most = 0;

	if (nr > 1 && kmqtt_route_walk(&route))
		return route.count;
	/* Those who get the first are to get the others with it. */
	run->behind |= nr > 1;
	for (i = 0; i < nr; i++) {
		count = kmqtt_route(run, msgs[i], from);
		most = max(most, count);
	}
	return most;
}
