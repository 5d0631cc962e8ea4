// SPDX-License-Identifier: GPL-2.0
/*
 * What a session loses with its connection, or when it ends. It may be any number
 * of messages: some at a time are freed under its lock, with bottom halves disabled.
 */
#include <linux/sched.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "datapath.h"
#include "deliver.h"
#include "retain.h"
#include "session.h"

/* Deliveries looked at under one hold of the lock. */
#define KMQTT_PURGE_BUDGET	256

static void kmqtt_purge_fifo(struct kmqtt_session *session,
			     enum kmqtt_stat stat, u32 *budget)
{
	while (*budget && !kmqtt_fifo_empty(&session->fifo)) {
		--*budget;
		kmqtt_stat_inc(session->broker, stat);
		kmqtt_deliver_discard_first(session);
	}
}

/*
 * What is QoS 0 goes. @left: not looked at yet, @stay: is not. Return: true: there
 * may be more.
 */
static bool kmqtt_purge_qos0(struct kmqtt_session *session,
			     struct list_head *left, struct list_head *stay)
{
	u32 budget = KMQTT_PURGE_BUDGET;
	struct kmqtt_out *out, *next;

	kmqtt_purge_fifo(session, KMQTT_STAT_DROPPED_OFFLINE, &budget);
	list_for_each_entry_safe(out, next, left, link) {
		if (!budget)
			return true;
		budget--;
		if (out->qos) {
			list_move_tail(&out->link, stay);
			continue;
		}
		kmqtt_stat_inc(session->broker, KMQTT_STAT_DROPPED_OFFLINE);
		kmqtt_deliver_discard(session, out);
	}
	return !budget;
}

void kmqtt_deliver_offline(struct kmqtt_session *session)
{
	LIST_HEAD(left);
	LIST_HEAD(stay);
	bool again;

	lockdep_assert_held(&session->broker->lock);
	if (kmqtt_cfg(session->broker, KMQTT_SET_QUEUE_QOS0_OFFLINE))
		return;
	/*
	 * Nobody takes anything meanwhile: there is no connection, and without
	 * broker->lock there will be none. What is added to ready comes behind
	 * what stays. The lists here are under session->lock, as ready is.
	 */
	spin_lock_bh(&session->lock);
	list_splice_init(&session->ready, &left);
	spin_unlock_bh(&session->lock);
	do {
		cond_resched();
		spin_lock_bh(&session->lock);
		again = kmqtt_purge_qos0(session, &left, &stay);
		if (!again)
			list_splice(&stay, &session->ready);
		spin_unlock_bh(&session->lock);
	} while (again);
}

static void kmqtt_purge_list(struct kmqtt_session *session,
			     struct list_head *list, u32 *budget)
{
	struct kmqtt_out *out, *next;

	list_for_each_entry_safe(out, next, list, link) {
		if (!*budget)
			return;
		--*budget;
		if (out->state != MQTT_QOS_WAIT_PUBCOMP)
			kmqtt_stat_inc(session->broker,
				       KMQTT_STAT_DROPPED_SESSION);
		kmqtt_deliver_discard(session, out);
	}
}

bool kmqtt_deliver_purge(struct kmqtt_session *session)
{
	u32 budget = KMQTT_PURGE_BUDGET;

	spin_lock_bh(&session->lock);
	kmqtt_purge_fifo(session, KMQTT_STAT_DROPPED_SESSION, &budget);
	kmqtt_purge_list(session, &session->ready, &budget);
	kmqtt_purge_list(session, &session->pending, &budget);
	kmqtt_purge_list(session, &session->inflight, &budget);
	spin_unlock_bh(&session->lock);
	return !budget;
}

void kmqtt_deliver_free_replays(struct kmqtt_session *session,
				struct list_head *replays)
{
	struct kmqtt_replay *replay, *next;

	list_for_each_entry_safe(replay, next, replays, link) {
		list_del(&replay->link);
		kmqtt_replay_free(session, replay);
		cond_resched();
	}
}
