// SPDX-License-Identifier: GPL-2.0
/*
 * Packet identifiers of what is on its way to a client [MQTT-2.2.1-4]. One that
 * acknowledges each message before the next has their place in the session; an
 * xarray would allocate and free its node for each. Those beyond are in one.
 */
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

/* The place of @out, or a free one for NULL; NULL: there is none. */
static struct kmqtt_out **kmqtt_packet_id_place(struct kmqtt_session *session,
						const struct kmqtt_out *out)
{
	u32 i;

	for (i = 0; i < KMQTT_ID_FEW; i++)
		if (session->id_few[i] == out)
			return &session->id_few[i];
	return NULL;
}

static struct kmqtt_out *kmqtt_packet_id_few(struct kmqtt_session *session,
					     u32 id)
{
	u32 i;

	for (i = 0; i < KMQTT_ID_FEW; i++)
		if (session->id_few[i] && session->id_few[i]->packet_id == id)
			return session->id_few[i];
	return NULL;
}

struct kmqtt_out *kmqtt_packet_id_find(struct kmqtt_session *session, u16 id)
{
	lockdep_assert_held(&session->lock);
	return kmqtt_packet_id_few(session, id) ?: xa_load(&session->by_id, id);
}

/* After a change of nr_by_id. */
static void kmqtt_packet_id_charge(struct kmqtt_session *session)
{
	u32 bytes;

	if (!session->nr_by_id)
		session->id_max = 0;
	bytes = kmqtt_ids_bytes(session->nr_by_id, session->id_max);
	if (bytes > session->id_bytes)
		kmqtt_charge_always(session->broker, bytes - session->id_bytes);
	else if (bytes < session->id_bytes)
		kmqtt_uncharge(session->broker, session->id_bytes - bytes);
	session->id_bytes = bytes;
}

/* Into a free place, while nobody else has an identifier in the xarray. */
static bool kmqtt_packet_id_take(struct kmqtt_session *session,
				 struct kmqtt_out *out, u32 limit)
{
	struct kmqtt_out **place = kmqtt_packet_id_place(session, NULL);
	u32 id;

	if (!place)
		return false;
	/* Once more than there are places at most. */
	for (id = session->next_id;; id++) {
		if (!id || id > limit)
			id = 1;
		if (!kmqtt_packet_id_few(session, id))
			break;
	}
	session->next_id = id + 1;
	out->packet_id = id;
	*place = out;
	return true;
}

/* Into the xarray, which knows nothing of those in the session. */
static int kmqtt_packet_id_store(struct kmqtt_session *session,
				 struct kmqtt_out *out, u32 limit)
{
	u32 id;

	for (;;) {
		if (xa_alloc_cyclic(&session->by_id, &id, out,
				    XA_LIMIT(1, limit), &session->next_id,
				    GFP_ATOMIC | __GFP_NOWARN) < 0)
			return -ENOMEM;
		if (!kmqtt_packet_id_few(session, id))
			break;
		xa_erase(&session->by_id, id);
	}
	out->packet_id = id;
	session->nr_by_id++;
	session->id_max = max_t(u32, session->id_max, limit);
	kmqtt_packet_id_charge(session);
	return 0;
}

int kmqtt_packet_id_get(struct kmqtt_session *session, struct kmqtt_out *out)
{
	u32 limit = kmqtt_packet_id_limit(session->window);
	int ret = 0;

	lockdep_assert_held(&session->lock);
	if (session->nr_by_id || !kmqtt_packet_id_take(session, out, limit))
		ret = kmqtt_packet_id_store(session, out, limit);
	if (!ret)
		session->nr_inflight++;
	return ret;
}

void kmqtt_packet_id_put(struct kmqtt_session *session, struct kmqtt_out *out)
{
	struct kmqtt_out **place;

	lockdep_assert_held(&session->lock);
	if (!out->packet_id)
		return;
	place = kmqtt_packet_id_place(session, out);
	if (place) {
		*place = NULL;
	} else {
		xa_erase(&session->by_id, out->packet_id);
		session->nr_by_id--;
		kmqtt_packet_id_charge(session);
	}
	out->packet_id = 0;
	session->nr_inflight--;
	if (out->counted)
		session->nr_sent--;
	out->counted = 0;
}
