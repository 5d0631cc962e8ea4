/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way of a message, station by station:
 *
 *   listener -> conn -> receive (express) -> core/decode -> publish
 *            -> route (core/tree) -> deliver -> core/encode -> send
 *
 * Everything here runs in process context, in the io work of the connection
 * it is about ("io"), unless it says otherwise. What handles packets that come one
 * at a time (acknowledgments, PINGREQ, PUBLISH without what sleeps) also runs in a
 * softirq, or with bottom halves disabled in the process of a Unix socket's client,
 * for which express.c takes the io work's place: whoever has
 * KMQTT_CONN_RX is (io), and run->gfp is how it may allocate. Errors of the peer
 * are given back as 5.0 reason codes (0: go on); receive.c ends the connection.
 */
#ifndef KMQTT_DATAPATH_H
#define KMQTT_DATAPATH_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/slab.h>
#include "core/packet.h"

/* Deliveries in one batch. */
#define KMQTT_TX_ITEMS		64
/* Connections that are sent to in one go, with bottom halves disabled. */
#define KMQTT_TX_CHUNK		8

struct kmqtt_broker;
struct kmqtt_auth_answer;
struct kmqtt_burst;
struct kmqtt_conn;
struct kmqtt_few;
struct kmqtt_msg;
struct kmqtt_out;
struct kmqtt_replay;
struct kmqtt_session;
struct kmqtt_spread;
struct kmqtt_strips;
struct kmqtt_sub;
struct kmqtt_will;

/* How long one run may go on before the rest is put aside (jiffies). */
#define KMQTT_RUN_TIME	DIV_ROUND_UP(HZ, 100)

/* Deliveries allocated at once. */
#define KMQTT_RUN_SPARE		16

/**
 * struct kmqtt_run - one run of a work item through the data path
 *
 * What is queued for subscribers during a run leaves at its end, all that is
 * due to one of them in one send: a burst is gathered, a single message is not held
 * back. gather.c has what is gathered of several runs.
 *
 * @broker: whose
 * @dirty: connections that got something to send, each referenced
 * @full: a queue is half full: flush before the next packet
 * @aside: what was read is not all handled: the run was too long
 * @gfp: how to allocate: a softirq's may not sleep
 * @few: who is to get the next message, if that is known already (express.c)
 * @msg: the next message, if it is made already; ours until it is published
 * @behind: more has been read than what is being handled, or is known to come
 * @burst: what is to be routed together, in burst.c; NULL: nothing
 * @spread: where some of @dirty is laid out for helpers already, in spread.c; or NULL
 * @wide: some was laid out there
 * @strips: what was sent last, in strip.c; NULL: nothing is kept
 * @spare: deliveries allocated and charged, not used yet
 * @nr_spare: how many
 * @stock: to allocate at once the next time: twice the last time
 * @until: jiffies; from then on the rest is left to the next run, so that the
 *	other connections of the CPU get their turn
 */
struct kmqtt_run {
	struct kmqtt_broker *broker;
	struct list_head dirty;
	bool full;
	bool aside;
	bool behind;
	gfp_t gfp;
	const struct kmqtt_few *few;
	struct kmqtt_msg *msg;
	struct kmqtt_burst *burst;
	struct kmqtt_spread *spread;
	bool wide;
	struct kmqtt_strips *strips;
	u8 nr_spare;
	u8 stock;
	struct kmqtt_out *spare[KMQTT_RUN_SPARE];
	unsigned long until;
};

/**
 * struct kmqtt_tx_item - one transmission, taken under session->lock
 * @msg: what; referenced by the taker if there is no @out
 * @out: referenced by the taker; NULL: QoS 0 without subscription identifier
 * @packet_id: of @out, which may lose it while it is being sent
 * @pubrel: its PUBREL, not its PUBLISH
 * @flags: PUBLISH flags
 */
struct kmqtt_tx_item {
	struct kmqtt_msg *msg;
	struct kmqtt_out *out;
	u16 packet_id;
	bool pubrel;
	u8 flags;
};

static inline void kmqtt_run_init(struct kmqtt_run *run,
				  struct kmqtt_broker *broker)
{
	run->broker = broker;
	INIT_LIST_HEAD(&run->dirty);
	run->full = false;
	run->aside = false;
	run->behind = false;
	run->gfp = GFP_KERNEL | __GFP_NOWARN;
	run->few = NULL;
	run->msg = NULL;
	run->burst = NULL;
	run->spread = NULL;
	run->wide = false;
	run->strips = NULL;
	run->nr_spare = 0;
	run->stock = 1;
	run->until = jiffies + KMQTT_RUN_TIME;
}

/* It has to go on: what is left cannot be kept for the next one. */
static inline void kmqtt_run_prolong(struct kmqtt_run *run)
{
	run->until = jiffies + KMQTT_RUN_TIME;
}

static inline bool kmqtt_run_spent(const struct kmqtt_run *run)
{
	return time_after(jiffies, run->until);
}

/* receive.c APIs: */
/* Read and handle what is there, within a budget. Return: call again. */
bool kmqtt_receive(struct kmqtt_conn *conn);
/* Throw away what comes in. Return: true at the end of the stream. */
bool kmqtt_receive_discard(struct kmqtt_conn *conn);
void kmqtt_receive_free(struct kmqtt_conn *conn);
void kmqtt_receive_uninit(void);

/* connect.c APIs: */
u8 kmqtt_connect_handle(struct kmqtt_conn *conn, const u8 *body, u32 len);
/* io, in state AUTH or TAKEOVER: go on with what has happened since. */
void kmqtt_connect_continue(struct kmqtt_conn *conn);
u8 kmqtt_connect_disconnect(struct kmqtt_conn *conn, const u8 *body, u32 len);
/* Refuse before or instead of CONNACK 0: answers and closes. */
void kmqtt_connect_refuse(struct kmqtt_conn *conn, u8 reason);
void kmqtt_connect_free(struct kmqtt_conn *conn);
/* Ask the authority (io). Return: 0, or the reason to refuse. */
u8 kmqtt_connect_ask(struct kmqtt_conn *conn, u8 stage,
		     const struct mqtt_props *props);
/* The identifier a CONNECT in progress asks for (io). Return: false: none. */
bool kmqtt_connect_client_id(const struct kmqtt_conn *conn,
			     struct mqtt_str *client_id);

/* auth.c APIs, all (io): */
u8 kmqtt_auth_handle(struct kmqtt_conn *conn, const u8 *body, u32 len);
/* Send AUTH with the method of CONNECT. Return: 0, or the reason to end it. */
u8 kmqtt_auth_say(struct kmqtt_conn *conn, u8 reason,
		  const struct mqtt_str *data);
/* The authority's word on a client that is connected. @answer is freed. */
void kmqtt_auth_again_answered(struct kmqtt_conn *conn,
			       struct kmqtt_auth_answer *answer);

/* publish.c APIs: */
/*
 * @buf: the packet has a buffer of its own, see kmqtt_msg_create(); set to
 * NULL when it was taken.
 */
u8 kmqtt_publish_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			u8 flags, const u8 *body, u32 len, void **buf,
			size_t buf_size);
u8 kmqtt_publish_ack(struct kmqtt_run *run, struct kmqtt_conn *conn, u8 type,
		     const u8 *body, u32 len);
void kmqtt_publish_free_aliases(struct kmqtt_conn *conn);

/* subscribe.c APIs: */
u8 kmqtt_subscribe_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			  const u8 *body, u32 len);
u8 kmqtt_unsubscribe_handle(struct kmqtt_run *run, struct kmqtt_conn *conn,
			    const u8 *body, u32 len);
/* Remove all subscriptions of @session. broker->lock held. */
void kmqtt_unsubscribe_all(struct kmqtt_session *session);
int kmqtt_subscribe_init(struct kmqtt_broker *broker);
void kmqtt_subscribe_uninit(struct kmqtt_broker *broker);

/* route.c APIs: */
/*
 * Give @msg to everybody who has subscribed. @from: its publisher, for No
 * Local, or NULL. Any process context; a softirq with run->few. Return:
 * deliveries.
 */
u32 kmqtt_route(struct kmqtt_run *run, struct kmqtt_msg *msg,
		struct kmqtt_session *from);

/* deliver.c APIs: */
/*
 * Is the queue of a client that reads so full that it has to be sent to before
 * more comes? Bottom halves disabled; tries session->lock if it may be.
 */
bool kmqtt_deliver_full(struct kmqtt_session *session);
/* The connection is new: send again what is in flight. session->lock held. */
void kmqtt_deliver_resume(struct kmqtt_session *session);
/*
 * Fill the window from pending and the queue from replays. session->lock.
 * Return: 0, -ENOMEM: try again later, -EAGAIN: try again.
 */
int kmqtt_deliver_refill(struct kmqtt_session *session);
/* Queue retained messages behind all else; takes @replay over. */
void kmqtt_deliver_replay(struct kmqtt_session *session,
			  struct kmqtt_replay *replay);
/*
 * Is there anything to send, or what only lacked memory to be made ready?
 * session->lock held.
 */
bool kmqtt_deliver_due(const struct kmqtt_session *session);

/* purge.c APIs: */
/* Drop QoS 0 of a connection that is gone. broker->lock held; takes session->lock. */
void kmqtt_deliver_offline(struct kmqtt_session *session);
/*
 * The session is dead: free some of what is queued but for the replays; some, so
 * that no softirq waits for all of it. Takes session->lock. Return: true: again.
 */
bool kmqtt_deliver_purge(struct kmqtt_session *session);
void kmqtt_deliver_free_replays(struct kmqtt_session *session,
				struct list_head *replays);

/* inflight.c APIs: */
/* PUBACK, PUBREC or PUBCOMP (@type) from the client. */
u8 kmqtt_inflight_acked(struct kmqtt_run *run, struct kmqtt_conn *conn, u8 type,
			u16 packet_id, u8 reason);
/*
 * Queue again what is older than retry_interval (3.x). Return: jiffies until
 * the next is due, 0: none, -ETIME: retries are used up. Timer work.
 */
long kmqtt_inflight_retry(struct kmqtt_conn *conn);
/*
 * Take the next delivery to send. session->lock held. Return: false if none
 * is due.
 */
bool kmqtt_deliver_next(struct kmqtt_session *session,
			struct kmqtt_tx_item *item);

/* send.c APIs: */
/*
 * Queue an encoded control packet; sent by the next kick. Any process context, or a
 * softirq if @gfp does not sleep. Return: 0 or -ENOMEM: close it, nothing was said.
 */
int kmqtt_send_control(struct kmqtt_conn *conn, const u8 *buf, u32 len,
		       gfp_t gfp);
/* Bytes of them that are had in any case: a thousand acknowledgments. */
#define KMQTT_CTL_SMALL	4096
/* Put @conn on the flush list of @run. Any process context, or a softirq. */
void kmqtt_send_mark(struct kmqtt_run *run, struct kmqtt_conn *conn);
/* Send to all marked connections. */
void kmqtt_send_flush(struct kmqtt_run *run);
/* The same, by nobody else; kmqtt_strip_drop() when there is no more. */
void kmqtt_send_chunks(struct kmqtt_run *run);
/*
 * Send to connections that are taken from where others find them, too, no more than
 * KMQTT_TX_CHUNK at once: who is preempted has none in its hands. @take: moves them
 * to a flush list, bottom halves disabled, and says false if there are no more.
 */
void kmqtt_send_taken(bool (*take)(void *from, struct kmqtt_run *run),
		      void *from);
/* Send what is due to @conn; if somebody is at it, he will see it too. */
void kmqtt_send_kick(struct kmqtt_conn *conn);
void kmqtt_send_free(struct kmqtt_conn *conn);
void kmqtt_send_uninit(void);

/* retain.c APIs: */
/* Store, replace or (empty payload) remove [MQTT-3.3.1-5]. */
void kmqtt_retain_store(struct kmqtt_broker *broker, struct kmqtt_msg *msg);
/* Queue what matches a new subscription. */
void kmqtt_retain_replay(struct kmqtt_session *session,
			 const struct mqtt_str *filter, u8 qos, u32 sub_id);
/* Remove what matches @filter. Return: how many. */
u32 kmqtt_retain_clear(struct kmqtt_broker *broker,
		       const struct mqtt_str *filter);
void kmqtt_retain_clear_all(struct kmqtt_broker *broker);
int kmqtt_retain_init(struct kmqtt_broker *broker);
void kmqtt_retain_uninit(struct kmqtt_broker *broker);

/* will.c APIs: */
struct kmqtt_will *kmqtt_will_create(struct kmqtt_broker *broker,
				     const struct mqtt_connect *connect);
void kmqtt_will_free(struct kmqtt_will *will);
/* Publish and free. */
void kmqtt_will_publish(struct kmqtt_session *session, struct kmqtt_will *will);

#endif
