/* SPDX-License-Identifier: GPL-2.0 */
/* Session state (MQTT 5.0 section 4.1): outlives its connections. */
#ifndef KMQTT_SESSION_H
#define KMQTT_SESSION_H

#include <linux/kref.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "core/packet.h"
#include "core/qos.h"
#include "fifo.h"
#include "message.h"
#include "out.h"
#include "packet_ids.h"
#include "released.h"

struct kmqtt_broker;
struct kmqtt_conn;

/**
 * struct kmqtt_will - will message of a session, waiting
 * @delay: seconds between the end of the connection and its publication
 * @expiry: message expiry interval (seconds) if @has_expiry; counts from its
 *	publication
 */
struct kmqtt_will {
	struct kmqtt_msg *msg;
	u32 delay;
	u32 expiry;
	bool has_expiry;
};

/**
 * struct kmqtt_session - what is kept for a client identifier
 * @hash: in broker->sessions
 * @ref: table, connection, each subscription, timer
 * @rcu: for lookups; with the last reference gone, in place of @replays
 * @broker: whose
 * @client_id: in @id_buf
 * @username: NUL-terminated or NULL, charged; replaced at attach under
 *	broker->lock, freed after a kmqtt_srcu grace period
 *
 * @lock: guards what follows; innermost but for the xarray's, never held
 *	across a socket call; bottom halves disabled
 * @dead: out of the table; nothing may be queued or attached
 * @conn: connection that owns the session, referenced
 * @waiter: connection that will get the session when @conn is gone
 * @ready: kmqtt_out to send next, in order
 * @fifo: QoS 0 to send next, without an object each; see kmqtt_out.behind
 * @pending: QoS above 0, waits for the window
 * @inflight: sent and not acknowledged, in the order they were sent
 * @ids: kmqtt_out in @ready or @inflight with a packet identifier
 * @nr_inflight: packet identifiers in use
 * @nr_sent: of these, sent on this connection and not acknowledged; never
 *	above @window [MQTT-3.3.4-9]
 * @window: receive maximum of the client, capped by max_inflight
 * @nr_queued: in @ready (first transmissions), @fifo and @pending
 * @queued_bytes: their size
 * @replays: struct kmqtt_replay, oldest first
 * @nr_replay: messages in them that are not queued yet
 * @dropped: deliveries lost at this session
 * @rel_few: packet identifiers of QoS 2 not released yet (released.h), 0: free
 * @rel_more: @nr_rel_more others; @nr_rel: of both; (io) of the owner
 * @max_packet: largest packet the client takes, 0: any
 * @version: enum mqtt_version of its (last) connection
 * @expiry: seconds to live without a connection, MQTT_EXPIRY_NEVER
 * @will: or NULL
 * @will_at: jiffies when the will is due (@will_due)
 * @will_due: no connection, will delay running
 * @expires_at: jiffies when the session ends (@expiring)
 * @expiring: no connection, expiry running
 * @drop_event_at: jiffies of the last event for a full queue
 *
 * @timer: will delay and session expiry, whichever comes first
 * @subs: struct kmqtt_sub, under broker->lock
 * @nr_subs: under broker->lock, read without: 0 or 1 spares the router a look
 *	for overlapping subscriptions
 */
struct kmqtt_session {
	struct rhash_head hash;
	struct kref ref;
	struct kmqtt_broker *broker;
	struct mqtt_str client_id;
	char __rcu *username;

	spinlock_t lock;
	bool dead;
	bool will_due;
	bool expiring;
	u8 version;
	u16 window;
	struct kmqtt_conn *conn;
	struct kmqtt_conn *waiter;
	struct list_head ready;
	struct kmqtt_fifo fifo;
	struct list_head pending;
	struct list_head inflight;
	struct kmqtt_packet_ids ids;
	u16 nr_inflight;
	u16 nr_sent;
	u32 nr_queued;
	u64 queued_bytes;
	union {
		struct rcu_head rcu;
		struct list_head replays;
	};
	u32 nr_replay;
	u64 dropped;
	u16 rel_few[KMQTT_REL_FEW];
	struct xarray rel_more;
	u32 nr_rel_more;
	u32 nr_rel;
	u32 max_packet;
	u32 expiry;
	struct kmqtt_will *will;
	unsigned long will_at;
	unsigned long expires_at;
	unsigned long drop_event_at;

	struct delayed_work timer;
	struct list_head subs;
	u32 nr_subs;
	size_t charged;
	u8 id_buf[];
};

/* session.c: table and life */

/**
 * struct kmqtt_attach - what a CONNECT asks of its session
 * @present: result: an existing session was resumed
 */
struct kmqtt_attach {
	struct kmqtt_conn *conn;
	struct mqtt_str client_id;
	const char *username;	/* NUL-terminated or NULL; copied */
	bool clean_start;
	u8 version;
	u16 window;
	u32 max_packet;
	u32 expiry;
	struct kmqtt_will *will; /* taken over on success */
	bool present;
};

/**
 * kmqtt_session_attach() - make @attach->conn the owner of its session
 *
 * Finds or makes the session, ends the old one for a clean start, resumes
 * what is in flight. If another connection owns the session, that one is closed
 * with 0x8e, when what has come on it is handled, and ours is kept as the waiter:
 * the io work of our connection is queued when it is to call again.
 *
 * Context: process; takes broker->lock.
 * Return: 0, -EINPROGRESS (call again later), -ENOMEM, -ENOSPC (session_max),
 * -ESHUTDOWN. On 0 conn->session holds a reference.
 */
int kmqtt_session_attach(struct kmqtt_attach *attach);

/**
 * kmqtt_session_detach() - the connection is over
 * @conn: its owner; afterwards the session may be taken by its waiter
 * @send_will: it was not ended by a normal DISCONNECT [MQTT-3.14.4-3]
 *
 * Starts will delay and session expiry, or ends the session at once.
 */
void kmqtt_session_detach(struct kmqtt_conn *conn, bool send_will);

/* Forget that @conn waits for a session (it is being closed). */
void kmqtt_session_forget_waiter(struct kmqtt_conn *conn);

/* By client identifier. Return: a reference or NULL. */
struct kmqtt_session *kmqtt_session_find(struct kmqtt_broker *broker,
					 const struct mqtt_str *client_id);

/**
 * kmqtt_session_drop() - end a session and its connection, if any
 * @reason: for the DISCONNECT
 * No will is sent. The caller keeps its own reference.
 */
void kmqtt_session_drop(struct kmqtt_session *session, u8 reason);

/* End every session. No listener, no connection is left. */
void kmqtt_session_drop_all(struct kmqtt_broker *broker);

static inline struct kmqtt_session *
kmqtt_session_get(struct kmqtt_session *session)
{
	kref_get(&session->ref);
	return session;
}

/* Process context. */
void kmqtt_session_put(struct kmqtt_session *session);

int kmqtt_session_table_init(struct kmqtt_broker *broker);
void kmqtt_session_table_uninit(struct kmqtt_broker *broker);

#endif
