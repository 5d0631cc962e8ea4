/* SPDX-License-Identifier: GPL-2.0 */
/* Packets on their way into one sendmsg(). */
#ifndef KMQTT_BATCH_H
#define KMQTT_BATCH_H

#include <linux/bitmap.h>
#include <linux/uio.h>
#include "datapath.h"
#include "transport.h"

struct kmqtt_laid;

/* Deliveries in one sendmsg(), and the bytes after which no more are added. */
#define KMQTT_TX_BYTES		262144
/* Room for heads and small payloads of a batch. */
#define KMQTT_TX_SCRATCH	8192
/* Control packets, and a head and a payload of each item. */
#define KMQTT_TX_VECS		(2 * KMQTT_TX_ITEMS + 1)

/**
 * struct kmqtt_batch - packets on their way into a socket
 * @items: taken from the session, referenced
 * @nr_items: how many
 * @encoded: of these, already in @vec
 * @vec: what to send, in order: the control packets, pieces of @scratch and
 *	of @big, payloads
 * @nr_vec: how many
 * @vec_done: of these, sent
 * @nr_paged: of @vec, in pages that TCP may send from
 * @paged: which; undefined if none
 * @bytes: in @vec, not sent yet
 * @ctl: control packets taken from the connection, or NULL: few are copied to
 *	@scratch
 * @ctl_size: bytes allocated for it
 * @big: head of a message whose topic or properties pass @scratch, or NULL
 * @big_size: bytes allocated and charged for it
 * @scratch_len: bytes used
 * @more: the session has, or may have, more that is due
 * @laid: of strip.c, where all of @vec is; referenced; NULL: it is not
 * @kept: charged, since it belongs to a connection
 * @barren: how often in a row the socket took nothing, up to 2
 * @scratch: heads and small payloads
 */
struct kmqtt_batch {
	struct kmqtt_tx_item items[KMQTT_TX_ITEMS];
	u32 nr_items;
	u32 encoded;
	struct kvec vec[KMQTT_TX_VECS];
	u32 nr_vec;
	u32 vec_done;
	u32 nr_paged;
	DECLARE_BITMAP(paged, KMQTT_TX_VECS);
	size_t bytes;
	u8 *ctl;
	u32 ctl_size;
	u8 *big;
	u32 big_size;
	u32 scratch_len;
	struct kmqtt_laid *laid;
	bool more;
	bool kept;
	u8 barren;
	u8 scratch[KMQTT_TX_SCRATCH];
};

/*
 * A batch of this CPU's, or a new one; NULL for want of memory. It belongs to
 * the caller until kmqtt_batch_return(). Its contents are undefined.
 */
struct kmqtt_batch *kmqtt_batch_borrow(gfp_t gfp);
void kmqtt_batch_return(struct kmqtt_batch *batch);

/* What it costs to keep one for @conn, the full socket included. */
static inline size_t kmqtt_batch_bytes(const struct kmqtt_conn *conn)
{
	return sizeof(struct kmqtt_batch) + kmqtt_transport_holds(conn);
}

/* Make it empty; what was in it is forgotten, not released. */
void kmqtt_batch_reset(struct kmqtt_batch *batch);

/* Let go of what it holds: it is sent, or never will be. Any context. */
void kmqtt_batch_release(struct kmqtt_conn *conn, struct kmqtt_batch *batch);

/* Free @big, if there is one. Any context. */
void kmqtt_batch_free_big(struct kmqtt_conn *conn, struct kmqtt_batch *batch);

/* No control packets are queued. ctl_lock held, or nobody else has @conn. */
void kmqtt_batch_start_control(struct kmqtt_conn *conn);

/* Take what is due: control packets, deliveries. Tx owner, any context. */
void kmqtt_batch_take_control(struct kmqtt_conn *conn,
			      struct kmqtt_batch *batch);
void kmqtt_batch_take_items(struct kmqtt_conn *conn, struct kmqtt_batch *batch);

/*
 * Encode as many of the items as fit. Tx owner.
 * Return: 0, or -ENOMEM (nothing could be encoded).
 */
int kmqtt_batch_encode(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
		       gfp_t gfp);

/*
 * All its items, and nothing else, are encoded in @len bytes at @data, which are in a
 * page: it needs them no more, and their references are the caller's. That to @laid is
 * its own now. Tx owner.
 */
void kmqtt_batch_lay(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
		     struct kmqtt_laid *laid, const u8 *data, u32 len);

/* What was encoded is sent: room for more of it. */
void kmqtt_batch_next(struct kmqtt_conn *conn, struct kmqtt_batch *batch);

void kmqtt_batch_free_aliases(struct kmqtt_conn *conn);
void kmqtt_batch_uninit(void);

/* push.c APIs: */
/*
 * Give the socket what is encoded. @gfp: as of a run. Tx owner. Return: 0 all sent,
 * -EAGAIN: not all; -EBUSY: not here; -ENOMEM, -ENOBUFS, or what the socket says.
 */
int kmqtt_push(struct kmqtt_conn *conn, struct kmqtt_batch *batch, gfp_t gfp);
void kmqtt_push_uninit(void);

#endif
