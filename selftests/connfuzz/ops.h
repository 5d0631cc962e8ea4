/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_OPS_H
#define CONNFUZZ_OPS_H

#include "sends.h"

/* The input: a head, then operations, all of this size. */
#define OP_SIZE	4

/*
 * Head: these flags; the allocation that fails while the module is loaded, 0
 * for none; and two bytes, the lower one first, for the allocation that fails
 * afterwards, or the point where a task gives way.
 */
#define HEAD_INITIAL	1	/* in the initial namespace */
#define HEAD_PREEMPT	2

/* What the operations of the last input came to. */
extern unsigned long last_allocations, last_points;

/* Ports of the listeners there are at the beginning. */
#define PORT_OPEN	1883
#define PORT_AUTHORITY	1884
#define PORT_PROBE	1890

/*
 * enum op - the lower five bits of an operation's first byte; the two above
 * say which connection, three bytes of arguments follow
 */
enum op {
	OP_OPEN,	/* a: at which listener */
	OP_CONNECT,
	OP_SUBSCRIBE,
	OP_UNSUBSCRIBE,
	OP_PUBLISH,
	OP_BURST,	/* PUBLISH, c times, or many more */
	OP_ACK,		/* what is owed, a times; b: reason */
	OP_ODD_ACK,	/* a: type, b: identifier, c: reason */
	OP_PING,
	OP_DISCONNECT,
	OP_AUTH,
	OP_CASE,	/* a packet of the unit tests' */
	OP_RAW,		/* a, b, c */
	OP_MUTATE,	/* the next packet: at a, b is changed, c: it is cut */
	OP_SPLIT,	/* reads of a bytes; b: the packets go out together */
	OP_WINDOW,	/* room for so many bytes */
	OP_FIN,
	OP_RESET,
	OP_TIME,
	OP_AUTHORITY,	/* a: comes, goes, its socket is full */
	OP_ANSWER,	/* a: which request, b: reason, c: what else */
	OP_KICK,	/* a: whom, b: session and all */
	OP_LISTENER,	/* a: which, b: goes, comes, other mode */
	OP_STOP,
	OP_FAIL,	/* allocations: a: which, b: and how many after it */
	OP_PREEMPT,	/* a: at which point, b: time passes every so many */
	OP_HOLD,	/* a: nothing runs during so many operations */
	OP_RUN,		/* a: which, b: grace period */
	OP_CONFIG,
	OP_ACL,
	OP_CLEAR,	/* retained messages */
	OP_MISC,	/* a: events, counters, sockets, timers, the processor */
	NR_OPS,
};

void op_run(const u8 *op);
/* Of the input so far: nothing is held back or failing any more. */
void ops_relax(void);
void ops_reset(void);

/* In a task of its own, until it ends or blocks. */
struct kmqtt_broker *the_broker(void);
void do_in_task(void (*fn)(void *arg), void *arg);
int add_listener(u16 port, u8 mode);
void send_packet(struct client *client, struct packet packet);

#endif
