/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client as the fuzzer plays it, and what is held against the broker: both
 * directions are read by code that shares nothing with kmod/.
 */
#ifndef CONNFUZZ_CLIENT_H
#define CONNFUZZ_CLIENT_H

#include <linux/types.h>
#include "kernel/shim.h"

/* The fuzzer's. The last comes when all is over: the broker must serve it. */
#define NR_CLIENTS	5
#define PROBE		4
#define MAX_CLIENTS	320
#define NR_ALIASES	16
#define NR_FLIGHT	128
#define NR_OWED		64
#define NR_ROWS		64

/* The broker did what it must not: say what, and end. */
#define RULE(client, condition, text)					\
do {									\
	if (!(condition))						\
		broken_rule(client, text, __FILE__, __LINE__);		\
} while (0)

/** enum flight_state - where a packet identifier of the broker's is */
enum flight_state {
	FLIGHT_FREE,
	FLIGHT_PUBLISHED,	/* PUBLISH was sent on this connection */
	FLIGHT_RECEIVED,	/* and its PUBREC was read */
	FLIGHT_RESUMED,		/* PUBREL of an earlier connection's PUBLISH */
};

struct flight {
	u16 id;
	u8 state;
	u8 qos;
};

/* A byte range that is not ours. */
struct span {
	const u8 *data;
	u32 len;
};

/**
 * struct message - published by a client
 * @number: in the order they were read
 * @again: more than one, or not in that order: a will
 */
struct message {
	u64 hash;
	u32 number;
	u16 from;
	bool again;
};

/* The last of a row of messages that must come in their order. */
struct row {
	u64 topic;
	u32 number;
	u16 from;
	u8 qos;
};

/** enum answer - what the broker owes for a packet it has read */
enum answer {
	OWES_PUBACK,
	OWES_PUBREC,
	OWES_PUBCOMP,
	OWES_SUBACK,
	OWES_UNSUBACK,
	OWES_PINGRESP,
	NR_ANSWERS,
};

/* What we owe the broker: an acknowledgement by its type. */
struct owed {
	u8 type;
	u16 id;
};

/**
 * struct client - one connection, both of its ends
 * @peer: the socket's other end
 * @used: it was opened, and its memory is to be freed
 * @wild: it was sent what may be malformed
 * @copies: it may get a message more than once, by share groups
 *
 * What the broker has read (reads.c):
 * @parsed: bytes of peer.in that were whole packets
 * @connect: CONNECT was read
 * @refusable: that CONNECT is none: it must not be accepted
 * @wrong: a packet that must end the connection was read
 * @leaving: DISCONNECT was read
 * @odd: it was acknowledged what had not been sent: flow rules are off
 * @version: as CONNECT says, 0: unknown
 * @receive_max: of the broker's packets
 * @max_packet: bytes, 0: any
 * @alias_max: that the broker may use
 * @topics: by the client's own aliases, owned
 * @unreleased: packet identifiers of QoS 2 without PUBREL, 3.x only
 * @owes: answers due
 *
 * What the broker has sent (watch.c):
 * @out: bytes, from the last packet that is not whole
 * @connack: it was sent
 * @accepted: with success
 * @present: with session present, or perhaps so
 * @ended: CONNACK or DISCONNECT said the end
 * @reason: of the last CONNACK, acknowledgement or DISCONNECT
 * @aliases: topics by the broker's aliases, owned
 * @flight: packet identifiers in use
 * @nr_counted: of these, against @receive_max
 * @rows: messages by topic, publisher and QoS
 * @owed: acknowledgements we have not given, oldest first
 */
struct client {
	struct shim_peer peer;
	bool used;
	bool wild;
	bool copies;

	u32 parsed;
	bool connect;
	bool refusable;
	bool wrong;
	bool leaving;
	bool odd;
	u8 version;
	u16 receive_max;
	u32 max_packet;
	u16 alias_max;
	struct span topics[NR_ALIASES];
	u32 unreleased;
	u32 owes[NR_ANSWERS];

	u8 *out;
	u32 out_len;
	u32 out_size;
	bool connack;
	bool accepted;
	bool present;
	bool ended;
	u8 reason;
	struct span aliases[NR_ALIASES];
	struct flight flight[NR_FLIGHT];
	u32 nr_counted;
	struct row rows[NR_ROWS];
	struct owed owed[NR_OWED];
	u32 nr_owed;
	u32 nr_received;	/* PUBLISH */
};

extern struct client clients[MAX_CLIENTS];

void broken_rule(const struct client *client, const char *text,
		 const char *file, int line) __attribute__((noreturn));

/* reads.c */
void client_was_read(struct shim_peer *peer, const u8 *data, u32 len);
/* The message with this topic and payload, NULL: nobody has published it. */
const struct message *message_find(const struct span *topic,
				   const struct span *payload);
u64 span_hash(const struct span *span, u64 hash);
void published_reset(void);

/* watch.c */
/* A copy of @span instead of what is in @slot. */
void span_keep(struct span *slot, const struct span *span);
void client_was_sent(struct shim_peer *peer, const u8 *data, u32 len);
struct flight *flight_find(struct client *client, u16 id);
void flight_free(struct client *client, struct flight *flight);

/* client.c */
bool client_open(struct client *client, u16 port);
void client_free(struct client *client);
/* Whatever is to be true of a connection when nothing is left to be done. */
void client_settled(const struct client *client);

/* wire.c: a reader that fails once and for all */
struct reader {
	const u8 *at;
	const u8 *end;
	bool failed;
};

u8 get8(struct reader *r);
u16 get16(struct reader *r);
u32 get32(struct reader *r);
u32 get_varint(struct reader *r);
struct span get_span(struct reader *r);	/* with two bytes of length */
struct span get_rest(struct reader *r);
bool is_text(const struct span *span);

/** struct props - those that are looked at */
struct props {
	bool ok;
	bool has_alias;
	u16 alias;
	u16 receive_max;
	u32 max_packet;
	u16 alias_max;
	bool has_method;
};

/* Properties with their length. @where: a packet's type, 0: a will. */
void get_props(struct reader *r, struct props *props, u8 where);

/*
 * A fixed header. Return: bytes of the whole packet, 0: not known yet,
 * -1: it is none.
 */
s64 packet_len(const u8 *data, u32 len, u32 *head);

#endif
