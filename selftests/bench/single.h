/* SPDX-License-Identifier: GPL-2.0 */
/* What happens once for a client, measured many times over. */
#ifndef BENCH_SINGLE_H
#define BENCH_SINGLE_H

#include "meter.h"
#include "peer.h"

/*
 * Each does its work @warm_up or so times, then @nr times by the meter, counts
 * in traffic_count.deliveries how often that came off, and what went wrong as
 * for any traffic. False with a diagnostic if it could not be done at all.
 */

/* CONNECT, CONNACK, DISCONNECT, and the broker closes; one after the other. */
bool single_connects(const struct peer_target *target, unsigned int warm_up,
		     unsigned int nr, struct meter *meter);

/* @nr retained messages of @size bytes to one who subscribes to everything. */
bool single_retained(const struct peer_target *target, unsigned int size,
		     unsigned int nr, struct meter *meter);

/* @nr messages of QoS 1 that were published while the client was away. */
bool single_queued(const struct peer_target *target, unsigned int size,
		   unsigned int nr, struct meter *meter);

#endif /* BENCH_SINGLE_H */
