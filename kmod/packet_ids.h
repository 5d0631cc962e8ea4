/* SPDX-License-Identifier: GPL-2.0 */
/* What the packet identifiers of a session cost. */
#ifndef KMQTT_PACKET_IDS_H
#define KMQTT_PACKET_IDS_H

#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/xarray.h>

/* So many QoS 2 identifiers are what a client needs that releases them. */
#define KMQTT_RX_QOS2_FEW	16

/*
 * What @nr packet identifiers may cost, chosen as badly as can be: on each
 * level of the xarray a node for each, until all of that level are there.
 */
static inline size_t kmqtt_ids_bytes(u32 nr)
{
	u32 level = U16_MAX + 1, nodes = 0;

	do {
		level = DIV_ROUND_UP(level, XA_CHUNK_SIZE);
		nodes += min(nr, level);
	} while (level > 1);
	return nodes * sizeof(struct xa_node);
}

/* What one more of them may cost. */
static inline size_t kmqtt_id_bytes(u32 nr)
{
	return kmqtt_ids_bytes(nr + 1) - kmqtt_ids_bytes(nr);
}

#endif
