/* SPDX-License-Identifier: GPL-2.0 */
/* Packet identifiers of what is on its way to a client [MQTT-2.2.1-4]. */
#ifndef KMQTT_PACKET_IDS_H
#define KMQTT_PACKET_IDS_H

#include <linux/types.h>

struct kmqtt_out;
struct kmqtt_session;

/* Places that a session has without allocating any. */
#define KMQTT_ID_FEW	2

/**
 * struct kmqtt_packet_ids - identifier -> delivery
 * @slots: the place of an identifier is its remainder by @size: a pointer to the
 *	delivery that has it, or the identifier it is given to next and the place
 *	that is taken after this one (see packet_ids.c)
 * @size: of @slots; a power of two
 * @first: place to take next
 * @last: place to take last
 * @newest: the foremost identifier that was given; what comes behind it is unused
 *	for the longest
 * @few: @slots, as long as they are enough
 *
 * All of it under session->lock.
 */
struct kmqtt_packet_ids {
	u64 *slots;
	u32 size;
	u16 first;
	u16 last;
	u16 newest;
	u64 few[KMQTT_ID_FEW];
};

/* @session is new; its last reference has gone. */
void kmqtt_packet_ids_init(struct kmqtt_session *session);
void kmqtt_packet_ids_end(struct kmqtt_session *session);

/* Free what is there for more than have an identifier. session->lock held. */
void kmqtt_packet_ids_trim(struct kmqtt_session *session);

/**
 * kmqtt_packet_id_get() - a delivery enters the window
 * @session: whose window has room
 * @out: gets an identifier that is not in use; those before are not used again
 *	for as long as can be, since a client may acknowledge one twice
 *
 * Context: session->lock held. Return: 0, or -ENOMEM and nothing has changed.
 */
int kmqtt_packet_id_get(struct kmqtt_session *session, struct kmqtt_out *out);

/**
 * kmqtt_packet_id_find() - whose is it
 * @session: of the client that acknowledges
 * @id: what it says
 *
 * Context: session->lock held. Return: the delivery, NULL if there is none.
 */
struct kmqtt_out *kmqtt_packet_id_find(struct kmqtt_session *session, u16 id);

/**
 * kmqtt_packet_id_put() - it leaves the window
 * @session: whose
 * @out: may have no identifier
 *
 * Context: session->lock held.
 */
void kmqtt_packet_id_put(struct kmqtt_session *session, struct kmqtt_out *out);

#endif
