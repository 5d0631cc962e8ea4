// SPDX-License-Identifier: GPL-2.0
/*
 * A queue of references in chunks. A client that keeps up has one message at a
 * time, which has its place in the queue itself. A burst to a thousand clients
 * allocates a chunk for each, not an object for each message.
 */
#include "fifo.h"

#include <linux/slab.h>
#include "broker.h"
#include "message.h"

/* With @next and @base: 512 bytes. */
#define KMQTT_FIFO_CHUNK	62
/* RETAIN, in the pointer to a message. */
#define KMQTT_FIFO_RETAIN	1UL

struct kmqtt_fifo_chunk {
	struct kmqtt_fifo_chunk *next;
	u32 base;	/* position of the first of @items */
	unsigned long items[KMQTT_FIFO_CHUNK];
};

static struct kmqtt_fifo_chunk *kmqtt_fifo_grow(struct kmqtt_fifo *fifo,
						struct kmqtt_broker *broker)
{
	struct kmqtt_fifo_chunk *chunk;

	if (!kmqtt_charge(broker, sizeof(*chunk)))
		return NULL;
	chunk = kmalloc(sizeof(*chunk), GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk) {
		kmqtt_uncharge(broker, sizeof(*chunk));
		return NULL;
	}
	chunk->next = NULL;
	chunk->base = fifo->tail;
	if (fifo->last)
		fifo->last->next = chunk;
	else
		fifo->first = chunk;
	fifo->last = chunk;
	return chunk;
}

bool kmqtt_fifo_add(struct kmqtt_fifo *fifo, struct kmqtt_msg *msg, bool retain)
{
	unsigned long item = (unsigned long)msg |
			     (retain ? KMQTT_FIFO_RETAIN : 0);
	struct kmqtt_fifo_chunk *chunk = fifo->last;

	if (kmqtt_fifo_empty(fifo)) {
		kmqtt_msg_get(msg);
		fifo->alone = item;
		fifo->tail++;
		return true;
	}
	if (!chunk || fifo->tail - chunk->base == KMQTT_FIFO_CHUNK) {
		chunk = kmqtt_fifo_grow(fifo, msg->broker);
		if (!chunk)
			return false;
	}
	kmqtt_msg_get(msg);
	chunk->items[fifo->tail++ - chunk->base] = item;
	return true;
}

struct kmqtt_msg *kmqtt_fifo_peek(const struct kmqtt_fifo *fifo, bool *retain)
{
	const struct kmqtt_fifo_chunk *chunk = fifo->first;
	unsigned long item = fifo->alone;

	if (!item)
		item = chunk->items[fifo->head - chunk->base];

	*retain = item & KMQTT_FIFO_RETAIN;
	return (struct kmqtt_msg *)(item & ~KMQTT_FIFO_RETAIN);
}

struct kmqtt_msg *kmqtt_fifo_take(struct kmqtt_fifo *fifo, bool *retain)
{
	struct kmqtt_msg *msg = kmqtt_fifo_peek(fifo, retain);
	struct kmqtt_fifo_chunk *chunk = fifo->first;

	fifo->head++;
	if (fifo->alone) {
		fifo->alone = 0;
		return msg;
	}
	if (fifo->head - chunk->base < KMQTT_FIFO_CHUNK &&
	    !kmqtt_fifo_empty(fifo))
		return msg;
	fifo->first = chunk->next;
	if (!fifo->first)
		fifo->last = NULL;
	kfree(chunk);
	kmqtt_uncharge(msg->broker, sizeof(*chunk));
	return msg;
}
