/* SPDX-License-Identifier: GPL-2.0 */
/* What the packet identifiers of a session cost. */
#ifndef KMQTT_PACKET_IDS_H
#define KMQTT_PACKET_IDS_H

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/xarray.h>

/* So many QoS 2 identifiers are what a client needs that releases them. */
#define KMQTT_RX_QOS2_FEW	16

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

/*
 * The highest identifier that is used for a window. They are taken in turn, so
 * that a second acknowledgment of one finds no other message, but which of
 * them stay in use is the client's choice: all nodes up to here may be needed.
 */
static inline u32 kmqtt_id_limit(u32 window)
{
	return min(round_up(2 * window + 2, (u32)XA_CHUNK_SIZE) - 1,
		   (u32)U16_MAX);
}

#endif
