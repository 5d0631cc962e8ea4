/* SPDX-License-Identifier: GPL-2.0 */
/* How what is due to a session is given up: deliver.c for purge.c. */
#ifndef KMQTT_DELIVER_H
#define KMQTT_DELIVER_H

struct kmqtt_out;
struct kmqtt_replay;
struct kmqtt_session;

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
