/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that come one at a time are handled where they arrive: what express.c offers,
 * and what the stations of the path (datapath.h) have for it alone.
 */
#ifndef KMQTT_EXPRESS_H
#define KMQTT_EXPRESS_H

#include "datapath.h"

/* express.c */
/*
 * Something has come for @conn, under its socket's lock: may it be handled
 * where it has arrived? Then that is done, or the io work queued after all.
 * Bottom halves disabled. Return: false: queue the io work.
 */
bool kmqtt_express_take(struct kmqtt_conn *conn);
/*
 * The same for a Unix socket, whose callback is called in the process of who has
 * sent, without a lock: then kmqtt_express_client() is to handle it there, or to
 * queue the io work after all, with a reference that it puts; it may sleep.
 */
bool kmqtt_express_take_unix(struct kmqtt_conn *conn);
void kmqtt_express_client(struct kmqtt_conn *conn);
/* What the io work has found: so many packets; @took: jiffies of a wide fan-out (io). */
void kmqtt_express_learn(struct kmqtt_conn *conn, u32 packets,
			 unsigned long took);
/*
 * Begin and end of the io work: what is marked (io) is ours now. Return: false: it
 * is another's, who queues the io work when he is done.
 */
bool kmqtt_express_claim(struct kmqtt_conn *conn);
void kmqtt_express_release(struct kmqtt_conn *conn);
/*
 * Has its client, as far as one can tell, taken what was sent to it? Bottom halves
 * disabled; tries session->lock.
 */
bool kmqtt_express_idle(struct kmqtt_session *session);
void kmqtt_express_init(void);
/* No connection is left. */
void kmqtt_express_uninit(void);

/* receive.c */
/* Is a packet with this header welcome here, before its body is read? (io) */
u8 kmqtt_receive_admit(struct kmqtt_conn *conn, const struct mqtt_fixed *fixed);
/* A packet has come, and is whole (io). */
void kmqtt_receive_note(struct kmqtt_conn *conn);
/* So many bytes have come (io). */
void kmqtt_receive_note_bytes(struct kmqtt_conn *conn, u32 len);
/* They are for the next io work, which comes before it reads on (io). */
void kmqtt_receive_aside(struct kmqtt_conn *conn, const u8 *data, u32 len);
/* Handle a small packet that is whole (io). Return: 0, or why it is the end. */
u8 kmqtt_receive_packet(struct kmqtt_run *run, struct kmqtt_conn *conn,
			const struct mqtt_fixed *fixed, const u8 *packet,
			void **buf, size_t buf_size);
/* The peer broke the rules: say so once, count it, end the connection. */
void kmqtt_receive_fail(struct kmqtt_conn *conn, u8 reason);

/* publish.c */
/* kmqtt_publish_handle() for one that is decoded (io). */
u8 kmqtt_publish_decoded(struct kmqtt_run *run, struct kmqtt_conn *conn,
			 const struct mqtt_publish *publish, void **buf,
			 size_t buf_size);

/* route.c */
/* Subscribers of one message, found in advance. */
#define KMQTT_FEW	16

/**
 * struct kmqtt_few - who is to get a message, if they are not many
 * @subs: their subscriptions; valid inside the kmqtt_srcu section that found
 *	them
 * @nr: how many
 * @in_client: it is a client's process that handles it
 * @gather: what is due to them will wait for more
 * @full: one of them has to be sent to before
 * @turn: broker->sub_turn when the search began
 */
struct kmqtt_few {
	struct kmqtt_sub *subs[KMQTT_FEW];
	u32 nr;
	bool in_client;
	bool gather;
	bool full;
	u64 turn;
};

/*
 * Find them, without sleeping. (io) of @conn, the publisher's, inside kmqtt_srcu.
 * Return: 0, -E2BIG: they are too many, or it takes more than a look to tell who
 * gets it; -EBUSY: the queue of one of them is half full.
 */
int kmqtt_route_find(struct kmqtt_conn *conn,
		     const struct mqtt_publish *publish, struct kmqtt_few *few);

/* send.c */
/*
 * kmqtt_send_flush() with bottom halves disabled: in a softirq, or (@in_client) in a
 * client's process, where it may go through Unix sockets.
 */
void kmqtt_send_flush_bh(struct kmqtt_run *run, bool in_client);

#endif
