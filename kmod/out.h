/* SPDX-License-Identifier: GPL-2.0 */
/* One message on its way to one client, where a reference does not tell all. */
#ifndef KMQTT_OUT_H
#define KMQTT_OUT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include "message.h"

struct kmqtt_broker;
struct kmqtt_run;
struct kmqtt_tx_item;

/**
 * struct kmqtt_out - one message on its way to one client
 * @link: in session->ready, ->pending or ->inflight; under session->lock
 * @ref: one for the session's lists, one for a send in progress
 * @nr_ids: subscription identifiers in @ids, or in @more_ids if above 1
 * @state: enum mqtt_qos_state; QoS above 0 only; under session->lock
 * @qos: of this delivery: the smaller of message and subscription
 * @retain: RETAIN flag to send
 * @counted: it takes one of the client's receive maximum
 * @retries: repetitions so far (3.x with retry_interval)
 * @behind: position in session->fifo; what waits there before it goes first
 * @packet_id: 0 until it is in the inflight window
 * @sent: jiffies of the last transmission
 */
struct kmqtt_out {
	struct list_head link;
	struct kmqtt_msg *msg;
	refcount_t ref;
	u16 packet_id;
	u8 state;
	u8 qos : 2;
	u8 retain : 1;
	u8 counted : 1;
	u8 retries;
	u32 behind;
	u32 nr_ids;
	union {
		u32 id;
		u32 *more_ids;
	};
	unsigned long sent;
};

static inline const u32 *kmqtt_out_ids(const struct kmqtt_out *out)
{
	return out->nr_ids > 1 ? out->more_ids : &out->id;
}

/* Bytes that @out counts for against max_queued_bytes. */
static inline u32 kmqtt_out_size(const struct kmqtt_out *out)
{
	return kmqtt_msg_size(out->msg) + out->nr_ids * sizeof(out->id);
}

/**
 * kmqtt_out_alloc() - room for a delivery, charged, not filled in
 * @broker: whose
 * @gfp: any
 *
 * Return: it, or NULL: no memory, or over memory_max.
 */
struct kmqtt_out *kmqtt_out_alloc(struct kmqtt_broker *broker, gfp_t gfp);

/*
 * The same from the stock of @run, which a fan-out fills many at a time. Context:
 * as run->gfp has it.
 */
struct kmqtt_out *kmqtt_out_take(struct kmqtt_run *run);

/* Fill the stock, which is empty, with @nr, or nothing: return false. */
bool kmqtt_out_stock(struct kmqtt_run *run, u32 nr);

/* At the end of a run: free what is left of its stock. */
void kmqtt_out_unstock(struct kmqtt_run *run);

/**
 * kmqtt_out_fill() - make it a delivery
 * @out: of kmqtt_out_alloc() or kmqtt_out_take(); NULL: nothing is done
 * @msg: a reference is taken
 * @qos: of this delivery
 * @retain: RETAIN flag to send
 * @ids: subscription identifiers; copied
 * @nr_ids: how many
 * @gfp: any
 *
 * Return: @out with one reference, the caller's; or NULL, then it is freed.
 */
struct kmqtt_out *kmqtt_out_fill(struct kmqtt_out *out, struct kmqtt_msg *msg,
				 u8 qos, bool retain, const u32 *ids,
				 u32 nr_ids, gfp_t gfp);

/* Any context. */
void kmqtt_out_put(struct kmqtt_out *out);

/* Let go of what @items refer to, at most KMQTT_TX_ITEMS. Any context. */
void kmqtt_out_put_all(const struct kmqtt_tx_item *items, u32 nr);

/*
 * Bytes of the PUBLISH that brings @msg to a client of @version: as @out, or (NULL)
 * with QoS 0 and no subscription identifier.
 */
u32 kmqtt_out_packet_size(const struct kmqtt_msg *msg,
			  const struct kmqtt_out *out, u8 version);

int kmqtt_out_init(void);
void kmqtt_out_uninit(void);

#endif
