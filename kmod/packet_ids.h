/* SPDX-License-Identifier: GPL-2.0 */
/* What the packet identifiers of a session cost. */
#ifndef KMQTT_PACKET_IDS_H
#define KMQTT_PACKET_IDS_H

#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/xarray.h>

/* So many QoS 2 identifiers are what a client needs that releases them. */
#define KMQTT_RX_QOS2_FEW	16

/* Nodes of an xarray that holds all packet identifiers. */
#define KMQTT_ID_NODES	((U16_MAX + 1) / XA_CHUNK_SIZE)

/* What @nr packet identifiers may cost: a node each, until all are there. */
static inline size_t kmqtt_ids_bytes(u32 nr)
{
	return min_t(u32, nr, KMQTT_ID_NODES) * sizeof(struct xa_node);
}

/* What one more of them may cost. */
static inline size_t kmqtt_id_bytes(u32 nr)
{
	return kmqtt_ids_bytes(nr + 1) - kmqtt_ids_bytes(nr);
}

#endif
