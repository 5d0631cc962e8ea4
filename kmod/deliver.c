// SPDX-License-Identifier: GPL-2.0
/*
 * What is due to one session. A delivery stands in one of three lists:
 *
 *	pending --(window)--> ready --(sent)--> inflight --(acknowledged)--> gone
 *
 * QoS 0 goes to the fifo, a plain reference, and is gone when sent; with a
 * subscription identifier it goes to ready. The window is the client's receive
 * maximum; who is in it has a packet identifier. A new connection moves
 * inflight back to the front of ready [MQTT-4.4.0-1]. Retained messages for a
 * new subscription wait in replays and take the place of pending when that is
 * empty.
 */
#include "deliver.h"

#include <linux/slab.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "out.h"
#include "packet_ids.h"
#include "retain.h"
#include "session.h"

/*
 * Deliveries made ahead from a replay: so many, as long as they have no more
 * bytes than this. A message that was made a delivery stays until it is sent,
 * even if another takes its place in the tree.
 */
#define KMQTT_REPLAY_AHEAD	64
#define KMQTT_REPLAY_BYTES	131072
/*
 * A queue this long is sent before the publisher's next packet is looked at,
 * so that a burst fills no queue that its client would have emptied.
 */
#define KMQTT_FLUSH_AT		64
/*
 * Deliveries given up, or retained messages passed over, under one hold of
 * the lock.
 */
#define KMQTT_DROPS_AT_ONCE	64

static void kmqtt_deliver_count_queued(struct kmqtt_session *session, u32 size)
{
	WRITE_ONCE(session->nr_queued, session->nr_queued + 1);
	WRITE_ONCE(session->queued_bytes, session->queued_bytes + size);
}

static void kmqtt_deliver_uncount(struct kmqtt_session *session, u32 size)
{
	WRITE_ONCE(session->nr_queued, session->nr_queued - 1);
	WRITE_ONCE(session->queued_bytes, session->queued_bytes - size);
}

/* A message that the client does not get, for a reason of this session's. */
static void kmqtt_deliver_count_drop(struct kmqtt_session *session,
				     enum kmqtt_stat stat)
{
	session->dropped++;
	kmqtt_stat_inc(session->broker, stat);
}

void kmqtt_deliver_discard(struct kmqtt_session *session,
			   struct kmqtt_out *out)
{
	list_del(&out->link);
	if (out->state == MQTT_QOS_QUEUED)
		kmqtt_deliver_uncount(session, kmqtt_out_size(out));
	kmqtt_packet_id_put(session, out);
	kmqtt_out_put(out);
}

void kmqtt_deliver_discard_first(struct kmqtt_session *session)
{
	struct kmqtt_msg *msg;
	bool retain;

	msg = kmqtt_fifo_take(&session->fifo, &retain);
	kmqtt_deliver_uncount(session, kmqtt_msg_size(msg));
	kmqtt_msg_put(msg);
}

/* To the end of ready, behind what waits in the fifo now. */
static void kmqtt_deliver_make_ready(struct kmqtt_session *session,
				     struct kmqtt_out *out)
{
	out->behind = session->fifo.tail;
	list_move_tail(&out->link, &session->ready);
}

/* Is it the fifo's turn, not that of the first in ready? */
static bool kmqtt_deliver_fifo_first(const struct kmqtt_session *session,
				     const struct kmqtt_out *out)
{
	const struct kmqtt_fifo *fifo = &session->fifo;

	return !kmqtt_fifo_empty(fifo) &&
	       (!out || (s32)(out->behind - fifo->head) > 0);
}

static bool kmqtt_deliver_window_open(const struct kmqtt_session *session)
{
	return session->nr_inflight < session->window;
}

/* Into the window. Return: 0 or -ENOMEM. */
static int kmqtt_deliver_enter(struct kmqtt_session *session,
			       struct kmqtt_out *out)
{
	int ret = kmqtt_packet_id_get(session, out);

	if (!ret)
		kmqtt_deliver_make_ready(session, out);
	return ret;
}

/* The message, unless another has taken its place. Inside kmqtt_srcu. */
static int kmqtt_deliver_retained(struct kmqtt_session *session,
				  const struct kmqtt_replay *replay,
				  const struct kmqtt_retained *retained)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	struct kmqtt_msg *msg;
	struct kmqtt_out *out;
	int ret;
	u8 qos;

	if (READ_ONCE(retained->superseded))
		return 0;
	msg = retained->msg;
	if (kmqtt_msg_expired(msg, get_jiffies_64()))
		return 0;
	qos = min(replay->qos, msg->qos);
	if (!qos && !replay->sub_id) {
		if (!kmqtt_fifo_add(&session->fifo, msg, true))
			return -ENOMEM;
		kmqtt_deliver_count_queued(session, kmqtt_msg_size(msg));
		return 0;
	}
	out = kmqtt_out_fill(kmqtt_out_alloc(session->broker, gfp), msg, qos,
			     true, &replay->sub_id, !!replay->sub_id, gfp);
	if (!out)
		return -ENOMEM;
	INIT_LIST_HEAD(&out->link);
	if (qos) {
		ret = kmqtt_deliver_enter(session, out);
		if (ret) {
			kmqtt_out_put(out);
			return ret;
		}
	} else {
		kmqtt_deliver_make_ready(session, out);
	}
	kmqtt_deliver_count_queued(session, kmqtt_out_size(out));
	return 0;
}

/* One message of a replay to the queue. Return: 0, -ENOMEM. */
static int kmqtt_deliver_replay_one(struct kmqtt_session *session,
				    struct kmqtt_replay *replay)
{
	struct kmqtt_retained *retained = replay->items[replay->next];
	int idx, ret;

	idx = srcu_read_lock(kmqtt_srcu);
	ret = kmqtt_deliver_retained(session, replay, retained);
	srcu_read_unlock(kmqtt_srcu, idx);
	if (ret)
		return ret;
	kmqtt_retained_put(retained);
	replay->next++;
	session->nr_replay--;
	return 0;
}

void kmqtt_replay_free(struct kmqtt_session *session,
		       struct kmqtt_replay *replay)
{
	for (; replay->next < replay->nr; replay->next++)
		kmqtt_retained_put(replay->items[replay->next]);
	kmqtt_uncharge(session->broker, replay->charged);
	kmqtt_kvfree(replay);
}

static int kmqtt_deliver_refill_replays(struct kmqtt_session *session)
{
	u32 steps = KMQTT_REPLAY_AHEAD + KMQTT_DROPS_AT_ONCE;
	struct kmqtt_replay *replay;
	int ret;

	while (!list_empty(&session->replays) &&
	       session->nr_queued < KMQTT_REPLAY_AHEAD &&
	       session->queued_bytes < KMQTT_REPLAY_BYTES &&
	       kmqtt_deliver_window_open(session)) {
		replay = list_first_entry(&session->replays,
					  struct kmqtt_replay, link);
		if (replay->next == replay->nr) {
			list_del(&replay->link);
			kmqtt_replay_free(session, replay);
			continue;
		}
		if (!steps--)
			return -EAGAIN;
		ret = kmqtt_deliver_replay_one(session, replay);
		if (ret)
			return ret;
	}
	return 0;
}

int kmqtt_deliver_refill(struct kmqtt_session *session)
{
	struct kmqtt_out *out;
	int ret;

	lockdep_assert_held(&session->lock);
	while (!list_empty(&session->pending) &&
	       kmqtt_deliver_window_open(session)) {
		out = list_first_entry(&session->pending, struct kmqtt_out,
				       link);
		ret = kmqtt_deliver_enter(session, out);
		if (ret)
			return ret;
	}
	if (!list_empty(&session->pending))
		return 0;
	return kmqtt_deliver_refill_replays(session);
}

void kmqtt_deliver_replay(struct kmqtt_session *session,
			  struct kmqtt_replay *replay)
{
	bool dead;

	spin_lock_bh(&session->lock);
	dead = session->dead;
	if (!dead) {
		list_add_tail(&replay->link, &session->replays);
		session->nr_replay += replay->nr;
	}
	spin_unlock_bh(&session->lock);
	if (dead)
		kmqtt_replay_free(session, replay);
}

static bool kmqtt_deliver_over_limit(const struct kmqtt_session *session,
				     u32 size)
{
	u64 messages = kmqtt_cfg(session->broker,
				 KMQTT_SET_MAX_QUEUED_MESSAGES);
	u64 bytes = kmqtt_cfg(session->broker, KMQTT_SET_MAX_QUEUED_BYTES);

	if (messages && session->nr_queued >= messages)
		return true;
	/* One message always fits, or a small limit would pass none at all. */
	return bytes && session->nr_queued &&
	       session->queued_bytes + size > bytes;
}

/* Drop the oldest delivery that waits, of those that may be dropped. */
static bool kmqtt_deliver_drop_oldest(struct kmqtt_session *session)
{
	struct kmqtt_out *out;

	out = list_first_entry_or_null(&session->pending, struct kmqtt_out,
				       link);
	if (!out) {
		out = list_first_entry_or_null(&session->ready,
					       struct kmqtt_out, link);
		if (kmqtt_deliver_fifo_first(session, out)) {
			kmqtt_deliver_discard_first(session);
			return true;
		}
	}
	if (!out || out->state != MQTT_QOS_QUEUED)
		return false;
	kmqtt_deliver_discard(session, out);
	return true;
}

/*
 * The queue, or memory, is full, which @stat counts. Return: true if room was
 * made by dropping the oldest.
 */
static bool kmqtt_deliver_make_room(struct kmqtt_session *session,
				    enum kmqtt_stat stat)
{
	kmqtt_deliver_count_drop(session, stat);
	if (time_after_eq(jiffies, session->drop_event_at)) {
		session->drop_event_at = jiffies + HZ;
		kmqtt_event_session(session, KMQTT_EVENT_DROPPED, NULL, 0);
	}
	return kmqtt_cfg(session->broker, KMQTT_SET_QUEUE_FULL_DROPS_OLDEST) &&
	       kmqtt_deliver_drop_oldest(session);
}

/*
 * Memory is full: so many bytes may come for at least as many that go, of
 * which not too many are given up at once. session->lock held. Return: false:
 * they may not, which is counted.
 */
static bool kmqtt_deliver_exchange(struct kmqtt_session *session, u32 size)
{
	u64 before = session->queued_bytes;
	u32 drops = KMQTT_DROPS_AT_ONCE;

	/* It would take all that waits, and have no room yet. */
	if (before < size)
		drops = 0;
	while (drops--) {
		if (!kmqtt_deliver_make_room(session,
					     KMQTT_STAT_DROPPED_MEMORY))
			return false;
		if (before - session->queued_bytes >= size)
			return true;
	}
	kmqtt_deliver_count_drop(session, KMQTT_STAT_DROPPED_MEMORY);
	return false;
}

/*
 * Will a message leave as soon as it is queued, as far as one can tell? To a
 * client that reads and acknowledges messages pass through, with all others
 * they stay. session->lock held.
 */
static bool kmqtt_deliver_flows(const struct kmqtt_session *session, u8 qos)
{
	return session->conn &&
	       !test_bit(KMQTT_CONN_TX_BLOCKED, &session->conn->flags) &&
	       (!qos || (kmqtt_deliver_window_open(session) &&
			 list_empty(&session->pending)));
}

/* Would so many bytes be queued without a loss? session->lock held. */
static bool kmqtt_deliver_has_room(const struct kmqtt_session *session, u8 qos,
				   u32 size)
{
	struct kmqtt_broker *broker = session->broker;

	return !session->dead &&
	       (session->conn || qos ||
		kmqtt_cfg(broker, KMQTT_SET_QUEUE_QOS0_OFFLINE)) &&
	       (kmqtt_deliver_flows(session, qos) ||
		kmqtt_room(broker, 0, KMQTT_STORE)) &&
	       !kmqtt_deliver_over_limit(session, size);
}

/*
 * May so many bytes be queued now? session->lock held. Return: false: no, and
 * that is counted, unless it was an offer.
 */
static bool kmqtt_deliver_admit(struct kmqtt_session *session, u8 qos,
				u32 size, bool offer)
{
	struct kmqtt_broker *broker = session->broker;

	if (offer)
		return kmqtt_deliver_has_room(session, qos, size);

	if (session->dead) {
		kmqtt_stat_inc(broker, KMQTT_STAT_DROPPED_SESSION);
		return false;
	}
	if (!session->conn && !qos &&
	    !kmqtt_cfg(broker, KMQTT_SET_QUEUE_QOS0_OFFLINE)) {
		kmqtt_stat_inc(broker, KMQTT_STAT_DROPPED_OFFLINE);
		return false;
	}
	if (!kmqtt_deliver_flows(session, qos) &&
	    !kmqtt_room(broker, 0, KMQTT_STORE) &&
	    !kmqtt_deliver_exchange(session, size))
		return false;
	while (kmqtt_deliver_over_limit(session, size))
		if (!kmqtt_deliver_make_room(session,
					     KMQTT_STAT_DROPPED_QUEUE_FULL))
			return false;
	return true;
}

/* session->lock held. Return: false: dropped, the caller frees. */
static bool kmqtt_deliver_enqueue(struct kmqtt_session *session,
				  struct kmqtt_out *out, bool offer)
{
	if (!kmqtt_deliver_admit(session, out->qos, kmqtt_out_size(out), offer))
		return false;
	kmqtt_deliver_count_queued(session, kmqtt_out_size(out));
	if (!out->qos) {
		INIT_LIST_HEAD(&out->link);
		kmqtt_deliver_make_ready(session, out);
		return true;
	}
	list_add_tail(&out->link, &session->pending);
	/* Without memory it stays pending; the next send tries again. */
	if (session->conn)
		kmqtt_deliver_refill(session);
	return true;
}

/* Time to send, before more comes? */
static bool kmqtt_deliver_half_full(const struct kmqtt_session *session)
{
	u64 messages = kmqtt_cfg(session->broker,
				 KMQTT_SET_MAX_QUEUED_MESSAGES);
	u64 bytes = kmqtt_cfg(session->broker, KMQTT_SET_MAX_QUEUED_BYTES);
	u32 queued = READ_ONCE(session->nr_queued);

	return queued >= KMQTT_FLUSH_AT ||
	       (messages && queued * 2ULL >= messages) ||
	       (bytes && READ_ONCE(session->queued_bytes) * 2 >= bytes);
}

/* And is there what can be sent now? session->lock held. */
static bool kmqtt_deliver_must_flush(const struct kmqtt_session *session)
{
	return session->conn && kmqtt_deliver_half_full(session) &&
	       kmqtt_deliver_ready(session) &&
	       !test_bit(KMQTT_CONN_TX_BLOCKED, &session->conn->flags);
}

bool kmqtt_deliver_full(struct kmqtt_session *session)
{
	bool full;

	/* Hardly ever it is. */
	if (!kmqtt_deliver_half_full(session))
		return false;
	/* A publisher's socket is locked, if it is TCP's: no waiting here. */
	if (!spin_trylock(&session->lock))
		return true;
	full = kmqtt_deliver_must_flush(session);
	spin_unlock(&session->lock);
	return full;
}

/*
 * Is there nothing in the way of so many bytes of QoS 0, nor of more behind them?
 * That is so nearly always, and has not to be asked in detail. session->lock held.
 */
static bool kmqtt_deliver_clear(const struct kmqtt_session *session, u32 size)
{
	u64 messages = kmqtt_cfg(session->broker,
				 KMQTT_SET_MAX_QUEUED_MESSAGES);
	u64 bytes = kmqtt_cfg(session->broker, KMQTT_SET_MAX_QUEUED_BYTES);
	u32 queued = session->nr_queued + 1;

	return kmqtt_deliver_flows(session, 0) && !session->dead &&
	       queued < KMQTT_FLUSH_AT &&
	       (!messages || queued * 2ULL < messages) &&
	       (!bytes || (session->queued_bytes + size) * 2 < bytes);
}

/* session->lock held. Return: false: there is no memory. */
static bool kmqtt_deliver_add(struct kmqtt_session *session,
			      struct kmqtt_msg *msg, u32 size, bool retain,
			      bool offer)
{
	if (kmqtt_fifo_add(&session->fifo, msg, retain)) {
		kmqtt_deliver_count_queued(session, size);
		return true;
	}
	if (!offer)
		kmqtt_deliver_count_drop(session, KMQTT_STAT_DROPPED_MEMORY);
	return false;
}

bool kmqtt_deliver_plain(struct kmqtt_run *run, struct kmqtt_session *session,
			 struct kmqtt_msg *msg, bool retain, bool offer)
{
	u32 size = kmqtt_msg_size(msg);
	bool clear, queued;

	spin_lock_bh(&session->lock);
	clear = kmqtt_deliver_clear(session, size);
	queued = (clear || kmqtt_deliver_admit(session, 0, size, offer)) &&
		 kmqtt_deliver_add(session, msg, size, retain, offer);
	if (queued && session->conn)
		kmqtt_send_mark(run, session->conn);
	if (!clear && kmqtt_deliver_must_flush(session))
		run->full = true;
	spin_unlock_bh(&session->lock);
	return queued;
}

void kmqtt_deliver_burst(struct kmqtt_run *run, struct kmqtt_session *session,
			 struct kmqtt_msg **msgs, u32 nr)
{
	bool queued = false;
	u32 i, size;

	spin_lock_bh(&session->lock);
	for (i = 0; i < nr; i++) {
		size = kmqtt_msg_size(msgs[i]);
		if (!kmqtt_deliver_clear(session, size))
			break;
		queued |= kmqtt_deliver_add(session, msgs[i], size, false,
					    false);
	}
	if (queued)
		kmqtt_send_mark(run, session->conn);
	spin_unlock_bh(&session->lock);
	/* Each may take its time, to give up others. */
	for (; i < nr; i++)
		kmqtt_deliver_plain(run, session, msgs[i], false, false);
}

bool kmqtt_deliver(struct kmqtt_run *run, struct kmqtt_session *session,
		   struct kmqtt_msg *msg, u8 qos, bool retain,
		   const u32 *ids, u32 nr_ids, bool offer)
{
	struct kmqtt_out *out;
	bool queued;

	out = kmqtt_out_fill(kmqtt_out_take(run), msg, qos, retain, ids, nr_ids,
			     run->gfp);
	if (!out) {
		if (!offer)
			kmqtt_stat_inc(run->broker, KMQTT_STAT_DROPPED_MEMORY);
		return false;
	}
	spin_lock_bh(&session->lock);
	queued = kmqtt_deliver_enqueue(session, out, offer);
	if (queued && session->conn)
		kmqtt_send_mark(run, session->conn);
	if (kmqtt_deliver_must_flush(session))
		run->full = true;
	spin_unlock_bh(&session->lock);
	if (!queued)
		kmqtt_out_put(out);
	return queued;
}

void kmqtt_deliver_resume(struct kmqtt_session *session)
{
	struct kmqtt_out *out, *next;
	LIST_HEAD(again);

	lockdep_assert_held(&session->lock);
	/*
	 * What a retry has put back into ready was sent before all that is in
	 * flight; the rest of ready waits for its turn on a connection.
	 */
	list_for_each_entry_safe(out, next, &session->ready, link)
		if (out->retries)
			list_move_tail(&out->link, &again);
	list_splice_tail_init(&session->inflight, &again);
	list_for_each_entry(out, &again, link) {
		out->counted = 0;
		out->retries = 0;
	}
	session->nr_sent = 0;
	list_splice(&again, &session->ready);
	kmqtt_deliver_refill(session);
}

/* May it be larger than the client takes [MQTT-3.1.2-24]? Most are by far too small. */
static bool kmqtt_deliver_large(const struct kmqtt_session *session,
				const struct kmqtt_msg *msg, u32 nr_ids)
{
	return kmqtt_msg_size(msg) + 5ULL * nr_ids >
	       (session->max_packet ?: MQTT_PACKET_MAX);
}

/* @out: NULL for plain QoS 0 */
static bool kmqtt_deliver_too_large(const struct kmqtt_session *session,
				    const struct kmqtt_msg *msg,
				    const struct kmqtt_out *out)
{
	return kmqtt_deliver_large(session, msg, out ? out->nr_ids : 0) &&
	       kmqtt_out_packet_size(msg, out, session->version) >
	       (session->max_packet ?: MQTT_PACKET_MAX);
}

/*
 * Must it not be sent any more? That is counted: expired before it was ever
 * sent [MQTT-3.3.2-5], or too large [MQTT-3.1.2-25], which it may have become
 * with a new connection.
 */
static bool kmqtt_deliver_stale(struct kmqtt_session *session,
				const struct kmqtt_msg *msg,
				const struct kmqtt_out *out)
{
	enum kmqtt_stat stat;

	if (out && out->state == MQTT_QOS_WAIT_PUBCOMP)
		return false;
	if ((!out || out->state == MQTT_QOS_QUEUED) &&
	    kmqtt_msg_expired(msg, get_jiffies_64()))
		stat = KMQTT_STAT_DROPPED_EXPIRED;
	else if (kmqtt_deliver_too_large(session, msg, out))
		stat = KMQTT_STAT_DROPPED_TOO_LARGE;
	else
		return false;
	kmqtt_deliver_count_drop(session, stat);
	return true;
}

/* Sent now, or sent again. session->lock held. */
static void kmqtt_deliver_take(struct kmqtt_session *session,
			       struct kmqtt_out *out,
			       struct kmqtt_tx_item *item)
{
	u8 event = out->state == MQTT_QOS_QUEUED ? MQTT_QOS_SEND :
						   MQTT_QOS_RESUME;
	struct mqtt_qos_step step = mqtt_qos_step(out->state, event, out->qos);

	if (out->state == MQTT_QOS_QUEUED)
		kmqtt_deliver_uncount(session, kmqtt_out_size(out));
	else
		kmqtt_stat_inc(session->broker, KMQTT_STAT_PUBLISH_RESENT);
	out->state = step.next;
	item->msg = out->msg;
	item->out = out;
	item->packet_id = out->packet_id;
	item->pubrel = step.action == MQTT_QOS_SEND_PUBREL;
	item->flags = out->qos << MQTT_PUB_QOS_SHIFT;
	if (out->retain)
		item->flags |= MQTT_PUB_RETAIN;
	if (step.action == MQTT_QOS_SEND_PUBLISH_DUP)
		item->flags |= MQTT_PUB_DUP;
	if (!out->qos) {
		/* The list's reference goes to the taker. */
		list_del(&out->link);
		return;
	}
	if (!item->pubrel && !out->counted) {
		out->counted = 1;
		session->nr_sent++;
	}
	out->sent = jiffies;
	refcount_inc(&out->ref);
	list_move_tail(&out->link, &session->inflight);
}

/* The oldest of the fifo. Return: false: it is dropped. */
static bool kmqtt_deliver_take_first(struct kmqtt_session *session,
				     struct kmqtt_tx_item *item)
{
	struct kmqtt_msg *msg;
	bool retain;

	msg = kmqtt_fifo_take(&session->fifo, &retain);
	kmqtt_deliver_uncount(session, kmqtt_msg_size(msg));
	if ((msg->expires || kmqtt_deliver_large(session, msg, 0)) &&
	    kmqtt_deliver_stale(session, msg, NULL)) {
		kmqtt_msg_put(msg);
		return false;
	}
	item->msg = msg;
	item->out = NULL;
	item->packet_id = 0;
	item->pubrel = false;
	item->flags = retain ? MQTT_PUB_RETAIN : 0;
	return true;
}

bool kmqtt_deliver_next(struct kmqtt_session *session,
			struct kmqtt_tx_item *item)
{
	u32 drops = KMQTT_DROPS_AT_ONCE;
	struct kmqtt_out *out;

	lockdep_assert_held(&session->lock);
	for (; drops; drops--) {
		out = list_first_entry_or_null(&session->ready,
					       struct kmqtt_out, link);
		if (kmqtt_deliver_fifo_first(session, out)) {
			if (kmqtt_deliver_take_first(session, item))
				return true;
			continue;
		}
		if (!out)
			return false;
		if (kmqtt_deliver_stale(session, out->msg, out)) {
			kmqtt_deliver_discard(session, out);
			continue;
		}
		/* A new connection with a smaller receive maximum. */
		if (out->qos && out->state != MQTT_QOS_WAIT_PUBCOMP &&
		    !out->counted && session->nr_sent >= session->window)
			return false;
		kmqtt_deliver_take(session, out, item);
		return true;
	}
	return false;
}

bool kmqtt_deliver_due(const struct kmqtt_session *session)
{
	return kmqtt_deliver_ready(session) ||
	       !list_empty(&session->replays) ||
	       (!list_empty(&session->pending) &&
		kmqtt_deliver_window_open(session));
}
