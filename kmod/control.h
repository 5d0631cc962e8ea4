/* SPDX-License-Identifier: GPL-2.0 */
/* What the data path asks of the control plane: access, authority, events. */
#ifndef KMQTT_CONTROL_H
#define KMQTT_CONTROL_H

#include "broker.h"
#include "core/packet.h"
#include "session.h"

struct kmqtt_conn;

/* acl.c: rules in force */

/* kmqtt_acl_check() where there are rules, or were a moment ago. */
bool kmqtt_acl_ask(struct kmqtt_session *session, u8 access,
		   const struct mqtt_str *topic);

/**
 * kmqtt_acl_check() - may this client read or write this topic name
 * @session: who; its username is read under RCU
 * @access: KMQTT_ACCESS_READ or KMQTT_ACCESS_WRITE
 * @topic: topic name
 *
 * Without rules in force this is one load. Context: process; softirq, where there
 * are none but by a hair.
 */
static inline bool kmqtt_acl_check(struct kmqtt_session *session, u8 access,
				   const struct mqtt_str *topic)
{
	return !kmqtt_acl_in_force(session->broker) ||
	       kmqtt_acl_ask(session, access, topic);
}

/**
 * kmqtt_acl_check_filter() - may this client subscribe to this topic filter
 * @filter: without its $share prefix
 */
bool kmqtt_acl_check_filter(struct kmqtt_session *session,
			    const struct mqtt_str *filter);

/* The same for a client that has no session yet (a will at CONNECT). */
bool kmqtt_acl_check_as(struct kmqtt_broker *broker,
			const struct mqtt_str *client_id, const char *username,
			u8 access, const struct mqtt_str *topic);

/* Rules off, staging list empty. */
void kmqtt_acl_reset(struct kmqtt_broker *broker);

/* authority.c: requests to the daemon */

/** struct kmqtt_auth_answer - what became of a request; one kfree() */
struct kmqtt_auth_answer {
	u8 reason;		/* 0, 0x18, or 0x80 and above */
	char *username;		/* identity given by the authority, or NULL */
	char *reason_string;	/* or NULL */
	struct mqtt_str auth_data;
};

/** struct kmqtt_auth_query - what to ask; pointers are only read in the call */
struct kmqtt_auth_query {
	u8 stage;		/* enum kmqtt_auth_stage */
	bool has_username;
	bool has_password;
	struct mqtt_str client_id;
	struct mqtt_str username;
	struct mqtt_str password;
	struct mqtt_str auth_method;	/* empty: none */
	struct mqtt_str auth_data;
};

/**
 * kmqtt_authority_ask() - send a request about @conn
 *
 * On success exactly one kmqtt_conn_auth_answer() follows, be it the
 * authority's, or 0x88 at the deadline or when the broker stops; unless
 * kmqtt_authority_cancel() comes first. The request holds a reference to
 * @conn; a connection has at most one.
 * Context: process.
 * Return: 0, -ENOTCONN (no authority), -EBUSY (auth_pending_max), -EMSGSIZE
 * (a string that no attribute holds), -ENOMEM.
 */
int kmqtt_authority_ask(struct kmqtt_conn *conn,
			const struct kmqtt_auth_query *query);

/* Forget the request of @conn, if there is one. */
void kmqtt_authority_cancel(struct kmqtt_conn *conn);

/**
 * kmqtt_conn_auth_answer() - connect.c: take an answer
 * @answer: kmalloc()ed, owned by the callee from here on
 * Context: process; queues the io work.
 */
void kmqtt_conn_auth_answer(struct kmqtt_conn *conn,
			    struct kmqtt_auth_answer *answer);

int kmqtt_authority_init(struct kmqtt_broker *broker);
void kmqtt_authority_uninit(struct kmqtt_broker *broker);

/* End all requests with 0x88 (the broker stops). */
void kmqtt_authority_flush(struct kmqtt_broker *broker);

/* event.c: multicast notifications; nothing is built if nobody listens */

void kmqtt_event_conn(struct kmqtt_conn *conn, u8 event, u8 reason,
		      const struct mqtt_str *client_id);
void kmqtt_event_session(struct kmqtt_session *session, u8 event,
			 const struct mqtt_str *topic, u8 qos);
void kmqtt_event_listener(struct kmqtt_broker *broker, u8 event, u32 id);

/* netlink.c: the family; registered last, unregistered first */
int kmqtt_netlink_init(void);
void kmqtt_netlink_uninit(void);

#endif
