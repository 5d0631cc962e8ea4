/* SPDX-License-Identifier: GPL-2.0 */
/* What is due to a session: deliver.c for batch.c, and for purge.c, which gives it up. */
#ifndef KMQTT_DELIVER_H
#define KMQTT_DELIVER_H

#include "session.h"

struct kmqtt_out;
struct kmqtt_replay;

/* Has kmqtt_deliver_next() anything to look at? session->lock held. */
static inline bool kmqtt_deliver_ready(const struct kmqtt_session *session)
{
	return !list_empty(&session->ready) || !kmqtt_fifo_empty(&session->fifo);
}

/*
 * Queue @msg for @session: as @qos, with @ids (may be NULL). Any context that
 * run->gfp is for; takes session->lock. Return: false if it was dropped
 * (counted), or not taken (@offer: nothing is counted, and nothing dropped for
 * it). With QoS 0 and no ids it is kmqtt_deliver_plain().
 */
bool kmqtt_deliver(struct kmqtt_run *run, struct kmqtt_session *session,
		   struct kmqtt_msg *msg, u8 qos, bool retain,
		   const u32 *ids, u32 nr_ids, bool offer);

/* kmqtt_deliver() with QoS 0 and no subscription identifier. */
bool kmqtt_deliver_plain(struct kmqtt_run *run, struct kmqtt_session *session,
			 struct kmqtt_msg *msg, bool retain, bool offer);

/* The same for @nr, one after the other, that are not retained. */
void kmqtt_deliver_burst(struct kmqtt_run *run, struct kmqtt_session *session,
			 struct kmqtt_msg **msgs, u32 nr);

/*
 * Take a delivery that was not sent out of its list, for good. session->lock held.
 */
void kmqtt_deliver_discard(struct kmqtt_session *session,
			   struct kmqtt_out *out);
/* The oldest of the fifo goes without being sent. session->lock held. */
void kmqtt_deliver_discard_first(struct kmqtt_session *session);
/* It is in no list. As many steps as it has messages left. */
void kmqtt_replay_free(struct kmqtt_session *session,
		       struct kmqtt_replay *replay);

#endif
