/* SPDX-License-Identifier: GPL-2.0 */
/* Packet identifiers of QoS 2 messages that came and wait for PUBREL. */
#ifndef KMQTT_RELEASED_H
#define KMQTT_RELEASED_H

#include <linux/types.h>

struct kmqtt_session;

/* So many have their place in the session. */
#define KMQTT_REL_FEW	16

/**
 * kmqtt_rel_held() - has this message been handed on already?
 * @session: of the publisher
 * @packet_id: of a PUBLISH or PUBREL
 *
 * Context: (io) of the session's connection.
 */
bool kmqtt_rel_held(struct kmqtt_session *session, u16 packet_id);

/* Will kmqtt_rel_hold() find a place that it need not allocate? (io) */
bool kmqtt_rel_has_place(struct kmqtt_session *session);

/**
 * kmqtt_rel_hold() - remember an identifier until its PUBREL [MQTT-4.3.3-10]
 * @session: of the publisher
 * @packet_id: is not held
 * @gfp: how to allocate
 *
 * The first KMQTT_REL_FEW cost nothing beyond the session, whatever they are;
 * more of them are charged to what clients make us hold.
 *
 * Context: (io) of the session's connection. Return: 0, -ENOMEM.
 */
int kmqtt_rel_hold(struct kmqtt_session *session, u16 packet_id, gfp_t gfp);

/**
 * kmqtt_rel_forget() - it is released
 * @session: of the publisher
 * @packet_id: may not be held
 *
 * Context: (io) of the session's connection.
 */
void kmqtt_rel_forget(struct kmqtt_session *session, u16 packet_id);

/**
 * kmqtt_rel_end() - forget all
 * @session: whose last reference has gone
 *
 * Context: process.
 */
void kmqtt_rel_end(struct kmqtt_session *session);

#endif
