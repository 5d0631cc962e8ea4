/* SPDX-License-Identifier: GPL-2.0 */
/* QoS 0 messages that wait for one client: references in a row, nothing more. */
#ifndef KMQTT_FIFO_H
#define KMQTT_FIFO_H

#include <linux/types.h>

struct kmqtt_fifo_chunk;
struct kmqtt_msg;

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

/**
 * kmqtt_fifo_add() - append a message
 * @fifo: where
 * @msg: a reference is taken
 * @retain: RETAIN flag to send
 *
 * Atomic context. Return: false if there was no memory.
 */
bool kmqtt_fifo_add(struct kmqtt_fifo *fifo, struct kmqtt_msg *msg, bool retain);

/* The oldest and its RETAIN flag; it stays. Not if it is empty. */
struct kmqtt_msg *kmqtt_fifo_peek(const struct kmqtt_fifo *fifo, bool *retain);

/* The same; it goes, with its reference. Atomic context. */
struct kmqtt_msg *kmqtt_fifo_take(struct kmqtt_fifo *fifo, bool *retain);

#endif
