/* SPDX-License-Identifier: GPL-2.0 */
/* Packet identifiers of a session: of deliveries, and what they cost. */
#ifndef KMQTT_PACKET_IDS_H
#define KMQTT_PACKET_IDS_H

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/xarray.h>

struct kmqtt_out;
struct kmqtt_session;

/*
 * What @nr packet identifiers up to @max may cost, chosen as badly as can be:
 * on each level of the xarray a node for each, until all of that level are
 * there.
 */
static inline size_t kmqtt_ids_bytes(u32 nr, u32 max)
{
	u32 level = max + 1, nodes = 0;

	do {
		level = DIV_ROUND_UP(level, XA_CHUNK_SIZE);
		nodes += min(nr, level);
	} while (level > 1);
	return nodes * sizeof(struct xa_node);
}

/* What one more of a client's choice may cost. */
static inline size_t kmqtt_id_bytes(u32 nr)
{
	return kmqtt_ids_bytes(nr + 1, U16_MAX) - kmqtt_ids_bytes(nr, U16_MAX);
}

/**
 * kmqtt_packet_id_get() - a delivery enters the window
 * @session: whose window has room
 * @out: gets an identifier that is not in use, and as many others ago as the
 *	window has places at least
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
