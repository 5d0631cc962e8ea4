// SPDX-License-Identifier: GPL-2.0
/* Packet identifiers of what is on its way to a client [MQTT-2.2.1-4]. */
#include "packet_ids.h"

#include <linux/kernel.h>
#include "broker.h"
#include "datapath.h"
#include "session.h"

/*
 * The highest identifier that is used for a window. They are taken in turn, so
 * that a second acknowledgment of one finds no other message, but which of
 * them stay in use is the client's choice: all nodes up to here may be needed.
 */
static u32 kmqtt_packet_id_limit(u32 window)
{
	return min(round_up(2 * window + 2, (u32)XA_CHUNK_SIZE) - 1,
		   (u32)U16_MAX);
}

/* After a change of nr_inflight. */
static void kmqtt_packet_id_charge(struct kmqtt_session *session)
{
	u32 bytes = kmqtt_ids_bytes(session->nr_inflight, session->id_max);

	if (bytes > session->id_bytes)
		kmqtt_charge_always(session->broker, bytes - session->id_bytes);
	else if (bytes < session->id_bytes)
		kmqtt_uncharge(session->broker, session->id_bytes - bytes);
	session->id_bytes = bytes;
}

int kmqtt_packet_id_get(struct kmqtt_session *session, struct kmqtt_out *out)
{
	u32 limit = kmqtt_packet_id_limit(session->window), id;
	int ret;

	lockdep_assert_held(&session->lock);
	ret = xa_alloc_cyclic(&session->by_id, &id, out, XA_LIMIT(1, limit),
			      &session->last_id, GFP_ATOMIC | __GFP_NOWARN);
	if (ret < 0)
		return -ENOMEM;
	out->packet_id = id;
	session->nr_inflight++;
	session->id_max = max(session->id_max, limit);
	kmqtt_packet_id_charge(session);
	return 0;
}

void kmqtt_packet_id_put(struct kmqtt_session *session, struct kmqtt_out *out)
{
	lockdep_assert_held(&session->lock);
	if (!out->packet_id)
		return;
	xa_erase(&session->by_id, out->packet_id);
	out->packet_id = 0;
	session->nr_inflight--;
	if (!session->nr_inflight)
		session->id_max = 0;
	kmqtt_packet_id_charge(session);
	if (out->counted)
		session->nr_sent--;
	out->counted = 0;
}
