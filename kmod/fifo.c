// SPDX-License-Identifier: GPL-2.0
/*
 * A queue of references in chunks. A client that keeps up has one message at a
 * time, which has its place in the queue itself. A burst to a thousand clients
 * allocates a chunk for each, not an object for each message.
 */
#include "fifo.h"

#include <linux/slab.h>
#include "broker.h"

bool kmqtt_fifo_grow(struct kmqtt_fifo *fifo, struct kmqtt_broker *broker)
{
	struct kmqtt_fifo_chunk *chunk;

	if (!kmqtt_charge(broker, sizeof(*chunk)))
		return false;
	chunk = kmalloc(sizeof(*chunk), GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk) {
		kmqtt_uncharge(broker, sizeof(*chunk));
		return false;
	}
	chunk->next = NULL;
	chunk->base = fifo->tail;
	if (fifo->last)
		fifo->last->next = chunk;
	else
		fifo->first = chunk;
	fifo->last = chunk;
	return true;
}

void kmqtt_fifo_shrink(struct kmqtt_fifo *fifo, struct kmqtt_broker *broker)
{
	struct kmqtt_fifo_chunk *chunk = fifo->first;

	fifo->first = chunk->next;
	if (!fifo->first)
		fifo->last = NULL;
	kfree(chunk);
	kmqtt_uncharge(broker, sizeof(*chunk));
}
