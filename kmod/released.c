// SPDX-License-Identifier: GPL-2.0
/*
 * Packet identifiers of QoS 2 messages that came and wait for PUBREL: a client
 * that releases them has a few at a time, which have their place in the
 * session. Those beyond are in an xarray, and cost what they may cost if they
 * are chosen badly.
 */
#include "released.h"

#include <linux/kernel.h>
#include <linux/xarray.h>
#include "broker.h"
#include "session.h"

/*
 * What @nr packet identifiers may cost, chosen as badly as can be: on each level of
 * the xarray a node for each, until all of that level are there.
 */
static size_t kmqtt_rel_bytes(u32 nr)
{
	u32 level = U16_MAX + 1, nodes = 0;

	do {
		level = DIV_ROUND_UP(level, XA_CHUNK_SIZE);
		nodes += min(nr, level);
	} while (level > 1);
	return nodes * sizeof(struct xa_node);
}

/* What one more may cost. */
static size_t kmqtt_rel_bytes_more(u32 nr)
{
	return kmqtt_rel_bytes(nr + 1) - kmqtt_rel_bytes(nr);
}

/* The place of an identifier, or a free one for 0; NULL: there is none. */
static u16 *kmqtt_rel_place(struct kmqtt_session *session, u16 packet_id)
{
	u32 i;

	for (i = 0; i < KMQTT_REL_FEW; i++)
		if (session->rel_few[i] == packet_id)
			return &session->rel_few[i];
	return NULL;
}

/* Dumps read the sum. */
static void kmqtt_rel_count(struct kmqtt_session *session, int more)
{
	WRITE_ONCE(session->nr_rel, session->nr_rel + more);
}

bool kmqtt_rel_has_place(struct kmqtt_session *session)
{
	return kmqtt_rel_place(session, 0);
}

bool kmqtt_rel_held(struct kmqtt_session *session, u16 packet_id)
{
	return session->nr_rel && (kmqtt_rel_place(session, packet_id) ||
				   xa_load(&session->rel_more, packet_id));
}

int kmqtt_rel_hold(struct kmqtt_session *session, u16 packet_id, gfp_t gfp)
{
	u16 *place = kmqtt_rel_place(session, 0);
	size_t size;
	int ret;

	if (place) {
		*place = packet_id;
		kmqtt_rel_count(session, 1);
		return 0;
	}
	size = kmqtt_rel_bytes_more(session->nr_rel_more);
	if (!kmqtt_charge_share(session->broker, size, KMQTT_HOLD))
		return -ENOMEM;
	ret = xa_err(xa_store_bh(&session->rel_more, packet_id,
				 xa_mk_value(1), gfp));
	if (ret) {
		kmqtt_uncharge(session->broker, size);
		return ret;
	}
	session->nr_rel_more++;
	kmqtt_rel_count(session, 1);
	return 0;
}

void kmqtt_rel_forget(struct kmqtt_session *session, u16 packet_id)
{
	u16 *place = kmqtt_rel_place(session, packet_id);

	if (place) {
		*place = 0;
	} else if (xa_erase_bh(&session->rel_more, packet_id)) {
		session->nr_rel_more--;
		kmqtt_uncharge(session->broker,
			       kmqtt_rel_bytes_more(session->nr_rel_more));
	} else {
		return;
	}
	kmqtt_rel_count(session, -1);
}

void kmqtt_rel_end(struct kmqtt_session *session)
{
	xa_destroy(&session->rel_more);
	kmqtt_uncharge(session->broker,
		       kmqtt_rel_bytes(session->nr_rel_more));
	session->nr_rel_more = 0;
}
