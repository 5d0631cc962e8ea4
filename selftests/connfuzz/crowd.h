/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A broker and hundreds of clients that take what they can get, of which one,
 * the witness, was there before and asks for little. What each of them is sent
 * is held against the standard, as it is for the fuzzer.
 */
#ifndef CONNFUZZ_CROWD_H
#define CONNFUZZ_CROWD_H

#include "client.h"

void crowd_begin(u64 memory_max);
/* Nothing must be left. */
void crowd_end(void);

/* One of those beside the witness and the newcomers. */
struct client *member(u32 which);

/* Session expiry: the session ends with its connection, or stays. */
#define ENDS	0
#define STAYS	1000000

/* A string of @len letters. */
const char *letters(u32 len);
/* What the client sends at once, written as bytes() reads it. */
void say(struct client *client, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* While @hold what is said is only sent: the broker comes to it later. */
void crowd_hold(bool hold);

void dial(struct client *client, u16 port);
/* Version 5.0. @user: its length, 0: none */
void connect_as(struct client *client, const char *name, u32 expiry, u32 user);
/* With an authentication method of @method bytes. */
void connect_by(struct client *client, const char *name, u32 method);
/* With CONNECT. @which: is its name, too. Return: member(@which). */
struct client *join(u32 which, u32 expiry);
void leave(struct client *client);

/* @flags: of the fixed header; @id: unless QoS is 0 */
void publish(struct client *client, const char *topic, u8 flags, u16 id,
	     u32 payload);
/* The topics of fill_store(), from 0 on. Valid until the next one is asked. */
const char *retained_topic(u32 which);
/* Retained messages of @payload bytes until no more are kept: how many are. */
u32 fill_store(struct client *client, u32 payload);
void subscribe(struct client *client, const char *filter, u8 options);
/* All that is not acknowledged. */
void acknowledge(struct client *client);

/* What is freed behind a grace period is. */
void grace(void);
s64 memory(void);
/* memory() may not be above so many 16ths of memory_max. */
void within_share(u32 share, const char *when);
/* "To those there who read, messages go on." */
void witness_is_served(const char *when);
/* Below fifteen 16ths everybody is let in. */
void newcomer_is_let_in(const char *when);

#endif
