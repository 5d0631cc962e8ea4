// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the fuzzer's first inputs: whole conversations, and all packets of
 * the unit tests, each to a connection of its version.
 *
 * usage: seeds DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include "ops.h"
#include "packets.h"

#define MAX_OPS	48
/* Packets of the unit tests in one input. */
#define CASES	6

/* One operation of client @who. */
#define DO(who, op, a, b, c)	{ { (op) | (who) << 5, a, b, c } }

/* Arguments of CONNECT */
#define V5	0
#define V4	2
#define V3	3
#define CLEAN	4
#define WILL	8
#define ID(n)	(n)
#define ALIASES	0x10
#define LIVES	0x40		/* expiry */
#define METHOD	0x80
/* of PUBLISH */
#define QOS(n)	((n) << 4)
#define RETAIN	0x40
#define PID(n)	((n) << 4)
/* of TIME */
#define SECONDS(n)	((n) == 1 ? 4 : (n) == 3 ? 5 : 6)
#define GRACE	0x80

struct op_bytes {
	u8 bytes[OP_SIZE];
};

static const struct op_bytes conversations[][MAX_OPS] = {
	{	/* every QoS, to both versions */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1), 0),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V3 | CLEAN, ID(2), 0),
		DO(0, OP_SUBSCRIBE, 4, 2, 4), DO(1, OP_SUBSCRIBE, 1, 2, 0),
		DO(2, OP_SUBSCRIBE, 2, 1, 3),
		DO(0, OP_PUBLISH, 1, 3, 0), DO(0, OP_PUBLISH, 1 | QOS(1), PID(1) | 2, 0x40),
		DO(1, OP_PUBLISH, 2 | QOS(2), PID(2) | 3, 0),
		DO(0, OP_ACK, 15, 0, 0), DO(1, OP_ACK, 15, 0, 0),
		DO(2, OP_ACK, 15, 0, 0), DO(0, OP_ACK, 15, 0, 0),
		DO(1, OP_ACK, 15, 0, 0), DO(2, OP_ACK, 15, 0, 0),
		DO(1, OP_ODD_ACK, 2, 2, 0), DO(0, OP_PING, 0, 0, 0),
		DO(0, OP_UNSUBSCRIBE, 4, 0, 1), DO(1, OP_DISCONNECT, 0, 0, 0),
		DO(0, OP_DISCONNECT, 1, 1, 0),
	},
	{	/* overlapping subscriptions with identifiers, and many clients */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 1),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V5 | CLEAN, ID(2), 0),
		DO(0, OP_SUBSCRIBE, 1, 1, 4 | 2), DO(0, OP_SUBSCRIBE, 13, 2, 8),
		DO(1, OP_SUBSCRIBE, 1, 1, 0), DO(2, OP_SUBSCRIBE, 1, 1, 0),
		DO(2, OP_PUBLISH, 1 | QOS(1), PID(1) | 3, 0),
		DO(2, OP_PUBLISH, 1 | QOS(2), PID(2) | 4, 0x88),
		DO(2, OP_BURST, 1 | QOS(1), 2, 12),
		DO(0, OP_ACK, 15, 0, 0), DO(1, OP_ACK, 0, 0, 0),
		DO(1, OP_ACK, 15, 0, 0), DO(1, OP_ACK, 15, 0, 0),
	},
	{	/* retained messages, replayed and cleared */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 1),
		DO(0, OP_PUBLISH, 0 | RETAIN, 2, 0),
		DO(0, OP_PUBLISH, 1 | RETAIN | QOS(1), PID(1) | 3, 8),
		DO(0, OP_PUBLISH, 3 | RETAIN | QOS(2), PID(2) | 3, 0),
		DO(0, OP_ODD_ACK, 2, 2, 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1), 0),
		DO(1, OP_SUBSCRIBE, 2, 2, 0), DO(0, OP_SUBSCRIBE, 2, 2, 4),
		DO(0, OP_PUBLISH, 1 | RETAIN, 0, 0), DO(0, OP_ACK, 15, 0, 0),
		DO(1, OP_ACK, 15, 0, 0), DO(0, OP_PUBLISH, 0 | RETAIN, 2, 0x18),
		DO(0, OP_TIME, SECONDS(6) | GRACE, 0, 0), DO(0, OP_TIME, 7, 0, 0),
		DO(0, OP_CLEAR, 4, 0, 0), DO(0, OP_TIME, GRACE, 0, 0),
	},
	{	/* a session that lives on, resumed with a smaller window */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES),
		DO(0, OP_SUBSCRIBE, 4, 2, 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(1, OP_BURST, 1 | QOS(2), 2, 9), DO(0, OP_ACK, 1, 0, 0),
		DO(0, OP_RESET, 0, 0, 0), DO(1, OP_BURST, 0 | QOS(1), 2, 9),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES | 1),
		DO(0, OP_ACK, 15, 0, 0), DO(0, OP_ACK, 15, 0, 0),
		DO(0, OP_ACK, 15, 1, 0), DO(0, OP_FIN, 0, 0, 0),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), 0x20),
		DO(0, OP_DISCONNECT, 1, 3, 0), DO(0, OP_TIME, SECONDS(6), 0, 0),
	},
	{	/* wills, at once and later */
		DO(0, OP_OPEN, 0, 0, 0),
		DO(0, OP_CONNECT, V5 | CLEAN | WILL | QOS(1), ID(0) | 0xc0, LIVES),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | WILL | RETAIN, ID(1), 0),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V5 | CLEAN, ID(2), 0),
		DO(2, OP_SUBSCRIBE, 2, 2, 0), DO(1, OP_RESET, 0, 0, 0),
		DO(0, OP_FIN, 0, 0, 0), DO(0, OP_TIME, SECONDS(3), 0, 0),
		DO(0, OP_TIME, SECONDS(1), 0, 0), DO(2, OP_ACK, 15, 0, 0),
	},
	{	/* a session is taken over, twice at once */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0) | 0x10, LIVES),
		DO(1, OP_OPEN, 0, 0, 0), DO(2, OP_OPEN, 0, 0, 0),
		DO(0, OP_HOLD, 3, 0, 0), DO(1, OP_CONNECT, V4, ID(0) | 0x20, 0),
		DO(2, OP_CONNECT, V5 | CLEAN, ID(0) | 0x20, 0),
		DO(3, OP_OPEN, 0, 0, 0), DO(3, OP_CONNECT, V5, ID(0), 0),
		DO(0, OP_KICK, 0, 0, 0), DO(0, OP_KICK, 0, 1, 0),
		DO(0, OP_TIME, SECONDS(3) | GRACE, 0, 0),
	},
	{	/* the authority: a challenge, success, again */
		DO(0, OP_OPEN, 1, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0) | 0x30, METHOD),
		DO(0, OP_ANSWER, 0, 2, 8), DO(0, OP_AUTH, 0, 2, 0),
		DO(0, OP_ANSWER, 0, 0, 9), DO(0, OP_SUBSCRIBE, 2, 1, 0),
		DO(0, OP_AUTH, 1, 0, 0), DO(0, OP_ANSWER, 0, 2, 8),
		DO(0, OP_AUTH, 0, 2, 0), DO(0, OP_ANSWER, 0, 0, 0),
		DO(1, OP_OPEN, 1, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1) | 0x30, 0),
		DO(1, OP_PING, 0, 0, 0), DO(1, OP_ANSWER, 0, 4, 4),
		DO(2, OP_OPEN, 1, 0, 0), DO(2, OP_CONNECT, V5 | CLEAN, ID(2), METHOD),
		DO(0, OP_AUTHORITY, 0, 0, 0), DO(0, OP_AUTHORITY, 3, 0, 0),
		DO(0, OP_TIME, 2, 0, 0), DO(0, OP_AUTHORITY, 1, 0, 0),
		DO(0, OP_TIME, SECONDS(6), 0, 0),
	},
	{	/* a client that does not read, and then does */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), ALIASES),
		DO(0, OP_SUBSCRIBE, 2, 1, 0), DO(0, OP_WINDOW, 0, 0, 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(1, OP_BURST, 5 | QOS(1), 2, 100), DO(0, OP_BURST, QOS(1), 2, 120),
		DO(0, OP_PING, 0, 0, 0),
		DO(1, OP_PUBLISH, 1, 11, 0), DO(0, OP_WINDOW, 5, 0, 0),
		DO(0, OP_WINDOW, 6, 0, 0), DO(0, OP_WINDOW, 4, 0, 0),
		DO(0, OP_MISC, 2, 3, 0), DO(0, OP_WINDOW, 7, 0, 0),
		DO(0, OP_MISC, 3, 3, 0), DO(1, OP_BURST, 5, 2, 20),
		DO(0, OP_ACK, 15, 0, 0), DO(0, OP_TIME, 2, 0, 0),
	},
	{	/* one that is answered and does not listen */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(0, OP_WINDOW, 0, 0, 0), DO(0, OP_BURST, QOS(1), 0, 0xff),
		DO(0, OP_PING, 0, 0, 0), DO(0, OP_WINDOW, 7, 0, 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1), 0),
		DO(1, OP_WINDOW, 0, 0, 0), DO(1, OP_BURST, QOS(2), 0, 0xff),
		DO(1, OP_RESET, 0, 0, 0),
	},
	{	/* more than a batch has room for, made once for two */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V4 | CLEAN, ID(2), 0),
		DO(0, OP_SUBSCRIBE, 2, 0, 0), DO(1, OP_SUBSCRIBE, 2, 0, 0),
		DO(0, OP_WINDOW, 2, 0, 0), DO(1, OP_WINDOW, 2, 0, 0),
		DO(2, OP_BURST, 1, 4, 60), DO(2, OP_BURST, 1, 3, 60),
		DO(0, OP_WINDOW, 7, 0, 0), DO(1, OP_WINDOW, 7, 0, 0),
	},
	{	/* clients that take small packets only */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0x04),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0x18),
		DO(0, OP_SUBSCRIBE, 2, 1, 0), DO(1, OP_SUBSCRIBE, 2, 1, 4),
		DO(1, OP_PUBLISH, 1, 2, 0), DO(1, OP_PUBLISH, 1, 3, 0),
		DO(1, OP_PUBLISH, 5 | QOS(1), 3, 0x40), DO(1, OP_PUBLISH, 5, 2, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), 4, 0), DO(0, OP_SUBSCRIBE, 0, 1, 3),
	},
	{	/* shared subscriptions */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5, ID(1), LIVES),
		DO(0, OP_SUBSCRIBE, 5, 1, 0), DO(1, OP_SUBSCRIBE, 5, 2, 4),
		DO(0, OP_SUBSCRIBE, 9, 0, 0), DO(0, OP_SUBSCRIBE, 14, 0, 0),
		DO(0, OP_BURST, QOS(1), 2, 5), DO(1, OP_RESET, 0, 0, 0),
		DO(0, OP_BURST, QOS(1), 2, 5), DO(0, OP_UNSUBSCRIBE, 5, 0, 0),
		DO(0, OP_BURST, QOS(1), 2, 3), DO(0, OP_TIME, GRACE, 0, 0),
	},
	{	/* rules */
		DO(0, OP_ACL, 3, 0x13, 0xc0), DO(0, OP_ACL, 1, 0x0f, 0x92),
		DO(0, OP_ACL, 2, 0x03, 0x01), DO(0, OP_MISC, 0, 1, 0),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN | WILL, ID(0) | 0x10, 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1) | 0x20, 0),
		DO(0, OP_SUBSCRIBE, 2, 1, 2), DO(1, OP_SUBSCRIBE, 1, 1, 2),
		DO(0, OP_PUBLISH, 1 | QOS(1) | RETAIN, PID(1) | 2, 0),
		DO(1, OP_PUBLISH, 1 | QOS(2), PID(1) | 2, 0),
		DO(0, OP_ACL, 4, 0, 0), DO(1, OP_PUBLISH, 3, 2, 0),
		DO(0, OP_RESET, 0, 0, 0),
	},
	{	/* topic aliases, both ways */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), ALIASES),
		DO(0, OP_SUBSCRIBE, 2, 0, 0), DO(0, OP_PUBLISH, 5, 2, 1),
		DO(0, OP_PUBLISH, 5, 2, 3), DO(0, OP_PUBLISH, 3, 2, 2),
		DO(0, OP_PUBLISH, 3, 2, 1), DO(0, OP_PUBLISH, 0, 2, 3),
		DO(0, OP_BURST, 5, 2, 4), DO(0, OP_PUBLISH, 5, 2, 4),
	},
	{	/* large packets, in pieces */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V4 | CLEAN, ID(1), 0),
		DO(1, OP_SUBSCRIBE, 2, 1, 0), DO(0, OP_SPLIT, 200, 0, 0),
		DO(0, OP_PUBLISH, 1 | QOS(1), PID(1) | 8, 0), DO(0, OP_SPLIT, 3, 0, 0),
		DO(0, OP_PUBLISH, 1, 5, 0x40), DO(0, OP_SPLIT, 0, 0, 0),
		DO(0, OP_PUBLISH, 1 | QOS(1), PID(2) | 11, 8), DO(0, OP_PUBLISH, 1, 13, 1),
		DO(0, OP_PUBLISH, 1, 13, 3), DO(0, OP_PUBLISH, 1, 8, 4),
		DO(1, OP_WINDOW, 6, 0, 0), DO(0, OP_PUBLISH, 1, 15, 0),
		DO(1, OP_WINDOW, 7, 0, 0), DO(0, OP_PUBLISH, 1 | QOS(2), PID(3) | 12, 0x20),
		DO(0, OP_PUBLISH, 1, 12, 0x20),
	},
	{	/* the end of it all, and a new beginning */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES),
		DO(0, OP_SUBSCRIBE, 2, 2, 0), DO(0, OP_PUBLISH, RETAIN | QOS(1), PID(1) | 2, 0),
		DO(0, OP_WINDOW, 0, 0, 0), DO(1, OP_OPEN, 1, 0, 0),
		DO(1, OP_CONNECT, V4, ID(1), 0), DO(0, OP_STOP, 0, 0, 0),
		DO(0, OP_TIME, SECONDS(1), 0, 0), DO(0, OP_TIME, SECONDS(3), 0, 0),
		DO(0, OP_LISTENER, 0, 1, 1), DO(2, OP_OPEN, 0, 0, 0),
		DO(2, OP_CONNECT, V5, ID(2), 0), DO(0, OP_LISTENER, 0, 0, 0),
		DO(0, OP_TIME, SECONDS(3), 0, 0), DO(0, OP_LISTENER, 2, 1, 0),
		DO(3, OP_OPEN, 2, 0, 0), DO(3, OP_CONNECT, V5, ID(2), 0),
		DO(0, OP_LISTENER, 2, 2, 1), DO(0, OP_LISTENER, 2, 4, 1),
		DO(1, OP_OPEN, 2, 0, 0), DO(2, OP_OPEN, 2, 0, 0),
		DO(0, OP_MISC, 1, 0, 0),
	},
	{	/* queues that are full, memory that is not there */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES | 1),
		DO(0, OP_SUBSCRIBE, 2, 1, 4), DO(0, OP_CONFIG, 6, 3, 0),
		DO(0, OP_CONFIG, 8, 1, 0), DO(1, OP_OPEN, 0, 0, 0),
		DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0), DO(1, OP_BURST, 1 | QOS(1), 2, 12),
		DO(1, OP_BURST, 1, 2, 12), DO(0, OP_FAIL, 2, 3, 0),
		DO(1, OP_BURST, 1 | QOS(1), 2, 3), DO(0, OP_CONFIG, 22, 1, 0),
		DO(1, OP_PUBLISH, 1, 15, 0), DO(0, OP_CONFIG, 9, 1, 0),
		DO(0, OP_RESET, 0, 0, 0), DO(1, OP_BURST, 1, 2, 12),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES),
		DO(0, OP_ACK, 15, 0, 0),
	},
	{	/* a 3.x client that acknowledges nothing, a silent one */
		DO(0, OP_CONFIG, 23, 1, 0), DO(0, OP_CONFIG, 24, 1, 0),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V4 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1) | 4, 0),
		DO(0, OP_SUBSCRIBE, 2, 2, 0), DO(1, OP_PUBLISH, QOS(2), PID(1) | 2, 0),
		DO(0, OP_TIME, SECONDS(1), 0, 0), DO(0, OP_TIME, SECONDS(1), 0, 0),
		DO(0, OP_TIME, SECONDS(1), 0, 0), DO(2, OP_OPEN, 0, 0, 0),
		DO(0, OP_TIME, SECONDS(6), 0, 0),
	},
	{	/* several at once, one of them in the midst of another */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(0, OP_SUBSCRIBE, 2, 1, 0), DO(1, OP_SUBSCRIBE, 2, 1, 0),
		DO(0, OP_HOLD, 4, 0, 0), DO(0, OP_PUBLISH, 0 | QOS(1), PID(1) | 2, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), PID(1) | 2, 0), DO(0, OP_PREEMPT, 40, 0, 0),
		DO(0, OP_RUN, 0, 0, 0), DO(0, OP_RUN, 1, 0, 0),
		DO(0, OP_PREEMPT, 0, 3, 0), DO(0, OP_SPLIT, 0, 1, 0),
		DO(0, OP_SUBSCRIBE, 0, 1, 3), DO(0, OP_PUBLISH, 0, 2, 0),
		DO(0, OP_PUBLISH, 0, 2, 0), DO(0, OP_SPLIT, 0, 0, 0),
	},
};

/* What is worth being interrupted at each of its points. */
static const struct op_bytes races[][MAX_OPS] = {
	{	/* overlapping subscriptions that come and go meanwhile */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(0, OP_SUBSCRIBE, 1, 0, 0), DO(0, OP_SUBSCRIBE, 2, 0, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(1, OP_PUBLISH, 1, 2, 0),
		DO(0, OP_UNSUBSCRIBE, 1, 0, 0), DO(0, OP_TIME, 0, 0, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(1, OP_PUBLISH, 1, 2, 0),
		DO(0, OP_SUBSCRIBE, 1, 0, 0), DO(0, OP_TIME, 0, 0, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(1, OP_PUBLISH, 1, 2, 0),
		DO(0, OP_UNSUBSCRIBE, 2, 0, 0), DO(0, OP_TIME, 0, 0, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(1, OP_PUBLISH, 1, 2, 0),
		DO(0, OP_SUBSCRIBE, 2, 0, 0), DO(0, OP_TIME, 0, 0, 0),
	},
	{	/* a session is taken over, and the newcomer is to make room */
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V5 | WILL, ID(0), LIVES),
		DO(3, OP_OPEN, 0, 0, 0), DO(3, OP_CONNECT, V5 | CLEAN, ID(2), 0),
		DO(3, OP_SUBSCRIBE, 2, 1, 0), DO(0, OP_CONFIG, 1, 1, 0),
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_HOLD, 2, 0, 0),
		DO(0, OP_CONNECT, V5 | WILL, ID(0), LIVES), DO(1, OP_OPEN, 0, 0, 0),
		DO(1, OP_CONNECT, V4 | CLEAN, ID(1), 0), DO(1, OP_SUBSCRIBE, 0, 1, 0),
		DO(0, OP_PUBLISH, 1 | QOS(1), 2, 0), DO(1, OP_ACK, 15, 0, 0),
		DO(3, OP_ACK, 15, 0, 0),
	},
	{	/* clients are ended, and messages for them come */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V5, ID(2), LIVES),
		DO(0, OP_SUBSCRIBE, 2, 0, 0), DO(2, OP_SUBSCRIBE, 2, 1, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(0, OP_KICK, 0, 0, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), PID(1) | 2, 0),
		DO(0, OP_HOLD, 2, 0, 0), DO(2, OP_KICK, 2, 0, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), PID(2) | 2, 0),
	},
	{	/* messages to a share group, and members that leave it or end */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5, ID(1), LIVES),
		DO(2, OP_OPEN, 0, 0, 0), DO(2, OP_CONNECT, V5 | CLEAN, ID(2), 0),
		DO(0, OP_SUBSCRIBE, 5, 1, 0), DO(1, OP_SUBSCRIBE, 5, 1, 0),
		DO(2, OP_SUBSCRIBE, 5, 1, 0), DO(1, OP_RESET, 0, 0, 0),
		DO(0, OP_CONFIG, 6, 2, 0), DO(0, OP_HOLD, 5, 0, 0),
		DO(2, OP_PUBLISH, QOS(1), PID(1) | 2, 0),
		DO(2, OP_PUBLISH, QOS(1), PID(2) | 2, 0),
		DO(0, OP_UNSUBSCRIBE, 5, 0, 0), DO(0, OP_KICK, 1, 1, 0),
		DO(0, OP_TIME, GRACE, 0, 0), DO(0, OP_SUBSCRIBE, 5, 1, 0),
		DO(0, OP_ACK, 15, 0, 0), DO(2, OP_ACK, 15, 0, 0),
		DO(0, OP_HOLD, 3, 0, 0), DO(2, OP_PUBLISH, QOS(1), PID(1) | 2, 0),
		DO(0, OP_UNSUBSCRIBE, 5, 0, 0), DO(2, OP_RESET, 0, 0, 0),
		DO(0, OP_TIME, GRACE, 0, 0),
	},
	{	/* a replay, and retained messages that are replaced and cleared */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | CLEAN, ID(0), 0),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(1, OP_PUBLISH, 1 | RETAIN, 2, 0), DO(1, OP_PUBLISH, 2 | RETAIN, 2, 0),
		DO(1, OP_PUBLISH, 0 | RETAIN | QOS(1), PID(1) | 2, 0),
		DO(0, OP_HOLD, 4, 0, 0), DO(1, OP_PUBLISH, 1 | RETAIN, 2, 0),
		DO(0, OP_SUBSCRIBE, 2, 1, 4), DO(1, OP_PUBLISH, 1 | RETAIN, 0, 0),
		DO(0, OP_CLEAR, 4, 0, 0), DO(0, OP_TIME, GRACE, 0, 0),
		DO(0, OP_ACK, 15, 0, 0), DO(0, OP_WINDOW, 0, 0, 0),
		DO(1, OP_PUBLISH, 1 | RETAIN, 2, 0), DO(0, OP_SUBSCRIBE, 2, 1, 4),
		DO(0, OP_HOLD, 4, 0, 0), DO(1, OP_PUBLISH, 1 | RETAIN, 2, 0),
		DO(0, OP_KICK, 0, 1, 0), DO(0, OP_WINDOW, 7, 0, 0),
		DO(0, OP_TIME, GRACE, 0, 0),
	},
	{	/* the broker stops; a message, two CONNECTs and a take-over */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5 | WILL, ID(0), LIVES),
		DO(1, OP_OPEN, 0, 0, 0), DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0),
		DO(0, OP_SUBSCRIBE, 2, 1, 0), DO(1, OP_PUBLISH, 1 | RETAIN, 2, 0),
		DO(1, OP_SUBSCRIBE, 5, 1, 0), DO(2, OP_OPEN, 1, 0, 0),
		DO(3, OP_OPEN, 0, 0, 0), DO(0, OP_HOLD, 6, 0, 0),
		DO(1, OP_PUBLISH, 1 | QOS(2) | RETAIN, PID(2) | 3, 0),
		DO(0, OP_UNSUBSCRIBE, 2, 0, 0), DO(2, OP_CONNECT, V5, ID(2), METHOD),
		DO(3, OP_CONNECT, V5, ID(0), LIVES), DO(0, OP_STOP, 0, 0, 0),
		DO(0, OP_TIME, SECONDS(1), 0, 0), DO(0, OP_TIME, SECONDS(3) | GRACE, 0, 0),
	},
	{	/* a challenge, its answer, and one who is to have the room */
		DO(0, OP_CONFIG, 1, 1, 0), DO(0, OP_OPEN, 1, 0, 0),
		DO(0, OP_CONNECT, V5 | CLEAN, ID(0) | 0x30, METHOD),
		DO(0, OP_HOLD, 2, 0, 0), DO(0, OP_ANSWER, 0, 2, 8),
		DO(1, OP_OPEN, 0, 0, 0), DO(0, OP_AUTH, 0, 2, 0),
		DO(0, OP_ANSWER, 0, 0, 9), DO(2, OP_OPEN, 1, 0, 0),
		DO(2, OP_CONNECT, V5 | CLEAN, ID(2) | 0x30, METHOD),
		DO(0, OP_ANSWER, 0, 2, 8), DO(0, OP_HOLD, 2, 0, 0),
		DO(2, OP_AUTH, 0, 2, 0), DO(3, OP_OPEN, 0, 0, 0),
		DO(0, OP_ANSWER, 0, 0, 9), DO(0, OP_TIME, SECONDS(1), 0, 0),
	},
	{	/* a delivery that TCP has no memory for, and the session resumed */
		DO(0, OP_OPEN, 0, 0, 0), DO(0, OP_CONNECT, V5, ID(0), LIVES | 2),
		DO(0, OP_SUBSCRIBE, 2, 2, 0), DO(1, OP_OPEN, 0, 0, 0),
		DO(1, OP_CONNECT, V5 | CLEAN, ID(1), 0), DO(1, OP_BURST, 1 | QOS(1), 2, 5),
		DO(0, OP_MISC, 2, 3, 0), DO(0, OP_MISC, 3, 3, 0),
		DO(3, OP_OPEN, 0, 0, 0), DO(0, OP_HOLD, 4, 0, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), 2, 0), DO(0, OP_ACK, 1, 0, 0),
		DO(3, OP_CONNECT, V5, ID(0), LIVES), DO(0, OP_RESET, 0, 0, 0),
		DO(0, OP_TIME, 0, 0, 0), DO(3, OP_ACK, 15, 0, 0),
		DO(1, OP_PUBLISH, 1 | QOS(1), 2, 0), DO(0, OP_TIME, SECONDS(1), 0, 0),
		DO(3, OP_ACK, 15, 0, 0),
	},
};

static void put(const char *directory, const char *kind, u32 number,
		const struct op_bytes *all, u32 nr)
{
	static const u8 head[OP_SIZE];
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%03u", directory, kind, number);
	file = fopen(path, "wb");
	if (!file || fwrite(head, OP_SIZE, 1, file) != 1 ||
	    fwrite(all, OP_SIZE, nr, file) != nr || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void put_all(const char *directory, const char *kind,
		    const struct op_bytes (*all)[MAX_OPS], u32 nr_all)
{
	static const u8 empty[OP_SIZE];
	u32 i, nr;

	for (i = 0; i < nr_all; i++) {
		for (nr = MAX_OPS; nr; nr--)
			if (memcmp(&all[i][nr - 1], empty, OP_SIZE))
				break;
		put(directory, kind, i, all[i], nr);
	}
}

/* The first one, read in pieces of every size that matters. */
static void put_pieces(const char *directory)
{
	static const u8 sizes[] = { 1, 2, 3, 4, 5, 7, 13, 60 };
	struct op_bytes all[2 * MAX_OPS];
	u32 i, j, nr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		nr = 0;
		for (j = 0; j < MAX_OPS; j++) {
			all[nr++] = conversations[0][j];
			if (conversations[0][j].bytes[0] % 32 != OP_CONNECT)
				continue;
			all[nr++] = (struct op_bytes)
				DO(conversations[0][j].bytes[0] >> 5, OP_SPLIT,
				   sizes[i], 0, 0);
		}
		put(directory, "pieces", i, all, nr);
	}
}

static void put_cases(const char *directory)
{
	struct op_bytes all[3 * CASES];
	u32 i, nr = 0;
	u8 version;

	for (i = 0; i < nr_packet_cases; i++) {
		version = packet_cases[i].version;
		all[nr++] = (struct op_bytes)DO(0, OP_OPEN, 0, 0, 0);
		if (version)
			all[nr++] = (struct op_bytes)
				DO(0, OP_CONNECT, CLEAN | (version == 5 ? V5 :
				   version == 4 ? V4 : V3), 0, 0);
		all[nr++] = (struct op_bytes)DO(0, OP_CASE, (u8)i, i >> 8, 0);
		if (i % CASES != CASES - 1 && i != nr_packet_cases - 1)
			continue;
		put(directory, "case", i / CASES, all, nr);
		nr = 0;
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	put_all(argv[1], "talk", conversations, ARRAY_SIZE(conversations));
	put_all(argv[1], "race", races, ARRAY_SIZE(races));
	put_pieces(argv[1]);
	put_cases(argv[1]);
	return 0;
}
