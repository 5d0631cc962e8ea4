/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of one read to one topic, which are routed together. */
#ifndef KMQTT_BURST_H
#define KMQTT_BURST_H

#include <linux/types.h>

struct kmqtt_msg;
struct kmqtt_run;
struct kmqtt_session;

/**
 * kmqtt_burst_join() - is a message to be routed together with others?
 * @run: that reads it; @run->behind says whether more has been read
 * @msg: a message of QoS 0 that is not retained; its reference is taken over
 * @from: its publisher, the only one of @run; stays until kmqtt_burst_end()
 *
 * May sleep. Return: false: it is the caller's to route, now, and all that came
 * before is.
 */
bool kmqtt_burst_join(struct kmqtt_run *run, struct kmqtt_msg *msg,
		      struct kmqtt_session *from);

/*
 * route.c: kmqtt_route() for @nr messages of QoS 0 to one topic, not retained. May
 * sleep, and change @run->behind. Return: 0: nobody gets them.
 */
u32 kmqtt_route_burst(struct kmqtt_run *run, struct kmqtt_msg **msgs, u32 nr,
		      struct kmqtt_session *from);

/* Route them: something comes that must not be before them. May sleep. */
void kmqtt_burst_flush(struct kmqtt_run *run);

/* The same; nothing else joins. @behind: more can be read. */
void kmqtt_burst_end(struct kmqtt_run *run, bool behind);

#endif
