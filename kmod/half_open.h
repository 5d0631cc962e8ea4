/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that were not let in yet. */
#ifndef KMQTT_HALF_OPEN_H
#define KMQTT_HALF_OPEN_H

#include <linux/types.h>

struct kmqtt_broker;
struct kmqtt_conn;
struct kmqtt_listener;

/* A new one. broker->conn_lock held. */
void kmqtt_half_open_enter(struct kmqtt_conn *conn);

/* It was let in, or will not be. Takes broker->conn_lock. */
void kmqtt_half_open_leave(struct kmqtt_conn *conn);

/**
 * kmqtt_half_open_spoke() - what the client was to say is here
 * @conn: (io)
 *
 * It is not closed to make room until it is its turn again
 * (kmqtt_half_open_again()). Process context; takes broker->conn_lock. Return:
 * false: it was closed already.
 */
bool kmqtt_half_open_spoke(struct kmqtt_conn *conn);

/*
 * The client was challenged and is to speak once more: its time begins anew.
 * Process context; takes broker->conn_lock.
 */
void kmqtt_half_open_again(struct kmqtt_conn *conn);

/**
 * kmqtt_half_open_make_room() - close the oldest that does not say who it is
 * @broker: whose
 * @listener: which came through this one, or NULL
 * @age: and is at least as old (jiffies)
 *
 * It ends soon, not at once. Process context; takes broker->conn_lock. Return:
 * false: there is none.
 */
bool kmqtt_half_open_make_room(struct kmqtt_broker *broker,
			       const struct kmqtt_listener *listener,
			       unsigned long age);

#endif
