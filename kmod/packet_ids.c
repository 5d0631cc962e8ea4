// SPDX-License-Identifier: GPL-2.0
/*
 * Packet identifiers of what is on its way to a client. We choose them, so there
 * is a table without collisions: an identifier's place is its remainder by the
 * size. Free places are in a queue, and each time one is taken its identifier is
 * another one, @size further on. The table doubles when it is half full, so that
 * an identifier comes again after thousands of others, or, with tens of thousands
 * in flight, after as many as there is room for.
 *
 * (An xarray, which finds a free index by itself, took a third of the instructions
 * of a delivery of QoS 1.)
 */
#include "packet_ids.h"

#include <linux/kernel.h>
#include <linux/slab.h>
#include "broker.h"
#include "datapath.h"
#include "session.h"

/* The first table beyond the session, and the largest one that stays empty. */
#define KMQTT_ID_FIRST	16
#define KMQTT_ID_KEEP	64

/* A free place is odd, which no pointer is. */
#define KMQTT_SLOT_FREE		BIT_ULL(0)
#define KMQTT_SLOT_NEXT_SHIFT	1
#define KMQTT_SLOT_ID_SHIFT	17

static u16 kmqtt_slot_next(u64 slot)
{
	return slot >> KMQTT_SLOT_NEXT_SHIFT;
}

static u16 kmqtt_slot_id(u64 slot)
{
	return slot >> KMQTT_SLOT_ID_SHIFT;
}

/* With a place for each identifier, there is none for 0. */
static u32 kmqtt_packet_ids_room(const struct kmqtt_packet_ids *ids)
{
	return min_t(u32, ids->size, U16_MAX);
}

/* Place @i is free, to be taken as @id after all others; @only: there are none. */
static void kmqtt_packet_ids_append(struct kmqtt_packet_ids *ids, u16 i, u16 id,
				    bool only)
{
	ids->slots[i] = KMQTT_SLOT_FREE | (u64)id << KMQTT_SLOT_ID_SHIFT;
	if (only)
		ids->first = i;
	else
		ids->slots[ids->last] |= (u64)i << KMQTT_SLOT_NEXT_SHIFT;
	ids->last = i;
}

/* Where @slots is 0 is a free place: in the order of the identifiers to come. */
static void kmqtt_packet_ids_line_up(struct kmqtt_packet_ids *ids)
{
	bool only = true;
	u32 n, i;
	u16 id;

	for (n = 1; n <= ids->size; n++) {
		id = ids->newest + n;
		i = id & (ids->size - 1);
		if (ids->slots[i])
			continue;
		/* 0 is no identifier, but its place may have others. */
		if (!id && ids->size > U16_MAX)
			continue;
		kmqtt_packet_ids_append(ids, i, id ?: ids->size, only);
		only = false;
	}
}

void kmqtt_packet_ids_init(struct kmqtt_session *session)
{
	struct kmqtt_packet_ids *ids = &session->ids;

	ids->slots = ids->few;
	ids->size = KMQTT_ID_FEW;
	memset(ids->few, 0, sizeof(ids->few));
	kmqtt_packet_ids_line_up(ids);
}

void kmqtt_packet_ids_end(struct kmqtt_session *session)
{
	struct kmqtt_packet_ids *ids = &session->ids;

	if (ids->slots == ids->few)
		return;
	kfree(ids->slots);
	kmqtt_uncharge(session->broker, ids->size * sizeof(*ids->slots));
}

/*
 * A small table is there even at memory_max, since a window of 20 is the default; and
 * a smaller one than there is.
 */
static u64 *kmqtt_packet_ids_alloc(struct kmqtt_session *session, u32 size)
{
	size_t bytes = size * sizeof(u64);
	u64 *slots;

	if (size <= KMQTT_ID_KEEP || size < session->ids.size)
		kmqtt_charge_always(session->broker, bytes);
	else if (!kmqtt_charge_share(session->broker, bytes, KMQTT_HOLD))
		return NULL;
	slots = kcalloc(size, sizeof(*slots), GFP_ATOMIC | __GFP_NOWARN);
	if (!slots)
		kmqtt_uncharge(session->broker, bytes);
	return slots;
}

/* Return: false: two have the same place, where there are fewer of them. */
static bool kmqtt_packet_ids_move(const struct kmqtt_packet_ids *ids, u64 *slots,
				  u32 size)
{
	struct kmqtt_out *out;
	u32 i, at;

	for (i = 0; i < ids->size; i++) {
		if (!ids->slots[i] || ids->slots[i] & KMQTT_SLOT_FREE)
			continue;
		out = (struct kmqtt_out *)(unsigned long)ids->slots[i];
		at = out->packet_id & (size - 1);
		if (slots[at])
			return false;
		slots[at] = ids->slots[i];
	}
	return true;
}

/* What is in use stays so. Return: false: no memory, or not with so few places. */
static bool kmqtt_packet_ids_resize(struct kmqtt_session *session, u32 size)
{
	struct kmqtt_packet_ids *ids = &session->ids;
	u64 *slots = kmqtt_packet_ids_alloc(session, size);

	if (!slots)
		return false;
	if (!kmqtt_packet_ids_move(ids, slots, size)) {
		kfree(slots);
		kmqtt_uncharge(session->broker, size * sizeof(*slots));
		return false;
	}
	kmqtt_packet_ids_end(session);
	ids->slots = slots;
	ids->size = size;
	kmqtt_packet_ids_line_up(ids);
	return true;
}

void kmqtt_packet_ids_trim(struct kmqtt_session *session)
{
	struct kmqtt_packet_ids *ids = &session->ids;

	lockdep_assert_held(&session->lock);
	if (!session->nr_inflight && ids->slots != ids->few) {
		kmqtt_packet_ids_end(session);
		kmqtt_packet_ids_init(session);
		return;
	}
	/* Each time half as many: all in all twice the places there are now. */
	while (ids->size > KMQTT_ID_FIRST &&
	       session->nr_inflight <= ids->size / 8 &&
	       kmqtt_packet_ids_resize(session, ids->size / 2))
		;
}

/* Not each time where there is no memory: at one half, and when it is full. */
static bool kmqtt_packet_ids_should_grow(const struct kmqtt_session *session)
{
	const struct kmqtt_packet_ids *ids = &session->ids;
	u32 nr = session->nr_inflight;

	if (ids->size > U16_MAX)
		return false;
	return nr == ids->size || (ids->size > KMQTT_ID_FEW && nr == ids->size / 2);
}

int kmqtt_packet_id_get(struct kmqtt_session *session, struct kmqtt_out *out)
{
	struct kmqtt_packet_ids *ids = &session->ids;
	u64 *slot;

	lockdep_assert_held(&session->lock);
	if (kmqtt_packet_ids_should_grow(session))
		kmqtt_packet_ids_resize(session, max_t(u32, 2 * ids->size,
						       KMQTT_ID_FIRST));
	if (session->nr_inflight == kmqtt_packet_ids_room(ids))
		return -ENOMEM;
	slot = &ids->slots[ids->first];
	ids->first = kmqtt_slot_next(*slot);
	out->packet_id = kmqtt_slot_id(*slot);
	/* A place that was held for long is behind the others. */
	if ((u16)(out->packet_id - ids->newest) <= S16_MAX)
		ids->newest = out->packet_id;
	*slot = (unsigned long)out;
	session->nr_inflight++;
	return 0;
}

struct kmqtt_out *kmqtt_packet_id_find(struct kmqtt_session *session, u16 id)
{
	const struct kmqtt_packet_ids *ids = &session->ids;
	u64 slot = ids->slots[id & (ids->size - 1)];
	struct kmqtt_out *out;

	lockdep_assert_held(&session->lock);
	if (!slot || slot & KMQTT_SLOT_FREE)
		return NULL;
	out = (struct kmqtt_out *)(unsigned long)slot;
	return out->packet_id == id ? out : NULL;
}

void kmqtt_packet_id_put(struct kmqtt_session *session, struct kmqtt_out *out)
{
	struct kmqtt_packet_ids *ids = &session->ids;
	u32 next = out->packet_id + ids->size;
	u32 i = out->packet_id & (ids->size - 1);

	lockdep_assert_held(&session->lock);
	if (!out->packet_id)
		return;
	if (next > U16_MAX)
		next = i ?: ids->size;
	kmqtt_packet_ids_append(ids, i, next, session->nr_inflight ==
				kmqtt_packet_ids_room(ids));
	out->packet_id = 0;
	session->nr_inflight--;
	if (out->counted)
		session->nr_sent--;
	out->counted = 0;
	if (!session->nr_inflight && ids->size > KMQTT_ID_KEEP)
		kmqtt_packet_ids_trim(session);
}
