/* SPDX-License-Identifier: GPL-2.0 */
/* QoS 0 messages that wait for one client: references in a row, nothing more. */
#ifndef KMQTT_FIFO_H
#define KMQTT_FIFO_H

#include <linux/types.h>
#include "message.h"

struct kmqtt_broker;

/* With @next and @base: 512 bytes. */
#define KMQTT_FIFO_CHUNK	62
/* RETAIN, in the pointer to a message. */
#define KMQTT_FIFO_RETAIN	1UL

/**
 * struct kmqtt_fifo_chunk - some in a row
 * @next: newer ones
 * @base: position of the first of @items
 * @items: messages, and KMQTT_FIFO_RETAIN
 */
struct kmqtt_fifo_chunk {
	struct kmqtt_fifo_chunk *next;
	u32 base;
	unsigned long items[KMQTT_FIFO_CHUNK];
};

/**
 * struct kmqtt_fifo - all zero when new; its owner's lock guards it
 * @alone: the oldest, if it came when there was no other, else 0
 * @first: chunk of the oldest of the others; NULL if there is none
 * @last: chunk of the newest
 * @head: position of the oldest; counts what was ever taken
 * @tail: position behind the newest
 */
struct kmqtt_fifo {
	unsigned long alone;
	struct kmqtt_fifo_chunk *first;
	struct kmqtt_fifo_chunk *last;
	u32 head;
	u32 tail;
};

static inline bool kmqtt_fifo_empty(const struct kmqtt_fifo *fifo)
{
	return fifo->head == fifo->tail;
}

/* One more chunk, behind all others. Atomic context. Return: false: no memory. */
bool kmqtt_fifo_grow(struct kmqtt_fifo *fifo, struct kmqtt_broker *broker);

/**
 * kmqtt_fifo_add() - append a message
 * @fifo: where
 * @msg: a reference is taken
 * @retain: RETAIN flag to send
 *
 * Atomic context. Return: false if there was no memory.
 */
static inline bool kmqtt_fifo_add(struct kmqtt_fifo *fifo,
				  struct kmqtt_msg *msg, bool retain)
{
	unsigned long item = (unsigned long)msg |
			     (retain ? KMQTT_FIFO_RETAIN : 0);
	struct kmqtt_fifo_chunk *chunk = fifo->last;

	if (kmqtt_fifo_empty(fifo)) {
		fifo->alone = item;
		fifo->tail++;
	} else {
		if ((!chunk || fifo->tail - chunk->base == KMQTT_FIFO_CHUNK) &&
		    !kmqtt_fifo_grow(fifo, msg->broker))
			return false;
		chunk = fifo->last;
		chunk->items[fifo->tail++ - chunk->base] = item;
	}
	kmqtt_msg_get(msg);
	return true;
}

/* Free the oldest chunk, which is done with. */
void kmqtt_fifo_shrink(struct kmqtt_fifo *fifo, struct kmqtt_broker *broker);

/*
 * The oldest and its RETAIN flag; it goes, with its reference. Not if it is empty.
 * Atomic context.
 */
static inline struct kmqtt_msg *kmqtt_fifo_take(struct kmqtt_fifo *fifo,
						bool *retain)
{
	const struct kmqtt_fifo_chunk *chunk = fifo->first;
	unsigned long item = fifo->alone;
	struct kmqtt_msg *msg;

	if (!item)
		item = chunk->items[fifo->head - chunk->base];
	*retain = item & KMQTT_FIFO_RETAIN;
	msg = (struct kmqtt_msg *)(item & ~KMQTT_FIFO_RETAIN);
	fifo->head++;
	if (fifo->alone)
		fifo->alone = 0;
	else if (fifo->head - chunk->base == KMQTT_FIFO_CHUNK ||
		 kmqtt_fifo_empty(fifo))
		kmqtt_fifo_shrink(fifo, msg->broker);
	return msg;
}

#endif
