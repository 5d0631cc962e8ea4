/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a broker, per CPU, from one list. */
#ifndef KMQTT_STATS_H
#define KMQTT_STATS_H

#include <linux/percpu.h>

struct kmqtt_broker;

/*
 * X(symbol, name, help). Counters only grow; on a 32-bit machine they wrap at
 * 32 bits, as their users' arithmetic must.
 */
#define KMQTT_STATS(X)							\
	X(CONNECTIONS_ACCEPTED, "connections_accepted", "TCP connections accepted") \
	X(CONNECTIONS_REFUSED, "connections_refused", "TCP connections closed at once: a limit was reached") \
	X(HALF_OPEN_DROPPED, "half_open_dropped", "connections closed before their CONNECT to make room for newer ones (max_half_open, max_connections)") \
	X(CONNECTS_ACCEPTED, "connects_accepted", "CONNECT packets answered with success") \
	X(CONNECTS_REFUSED, "connects_refused", "CONNECT packets refused") \
	X(CONNECT_TIMEOUTS, "connect_timeouts", "connections that were not let in before connect_timeout") \
	X(KEEP_ALIVE_TIMEOUTS, "keep_alive_timeouts", "clients closed for silence") \
	X(TAKE_OVERS, "take_overs", "sessions taken over by a new connection") \
	X(AUTH_FAILURES, "auth_failures", "CONNECT or AUTH refused by the authority") \
	X(AUTH_TIMEOUTS, "auth_timeouts", "requests the authority did not answer in time") \
	X(MALFORMED_PACKETS, "malformed_packets", "packets that could not be parsed") \
	X(PROTOCOL_ERRORS, "protocol_errors", "packets that the protocol does not allow there") \
	X(OVERSIZE_PACKETS, "oversize_packets", "packets beyond the maximum packet size") \
	X(PACKETS_RECEIVED, "packets_received", "control packets from clients") \
	X(PACKETS_EXPRESS, "packets_express", "of these, handled where they arrived, in a softirq") \
	X(PACKETS_GATHERED, "packets_gathered", "of these, sent on together with what else came until the processor had time") \
	X(PACKETS_SENT, "packets_sent", "control packets to clients") \
	X(BYTES_RECEIVED, "bytes_received", "bytes from clients") \
	X(BYTES_SENT, "bytes_sent", "bytes to clients") \
	X(PUBLISH_RECEIVED, "publish_received", "messages from clients") \
	X(PUBLISH_SENT, "publish_sent", "messages to clients, retransmissions included") \
	X(PUBLISH_RESENT, "publish_resent", "messages sent once more with DUP") \
	X(PUBLISH_UNMATCHED, "publish_unmatched", "messages nobody had subscribed to") \
	X(DROPPED_QUEUE_FULL, "dropped_queue_full", "deliveries dropped: the client's queue was full") \
	X(DROPPED_OFFLINE, "dropped_offline", "QoS 0 deliveries dropped: no connection any more") \
	X(DROPPED_SESSION, "dropped_session", "deliveries dropped: their session ended before they were acknowledged") \
	X(DROPPED_EXPIRED, "dropped_expired", "deliveries dropped: the message had expired") \
	X(DROPPED_TOO_LARGE, "dropped_too_large", "deliveries dropped: larger than the client takes") \
	X(DROPPED_MEMORY, "dropped_memory", "deliveries or messages dropped: out of memory or over memory_max") \
	X(DROPPED_RETRIES, "dropped_retries", "connections closed: no answer after retry_max repetitions") \
	X(ACL_DENIED_PUBLISH, "acl_denied_publish", "messages refused by access rules") \
	X(ACL_DENIED_SUBSCRIBE, "acl_denied_subscribe", "topic filters refused by access rules") \
	X(ACL_DENIED_DELIVERY, "acl_denied_delivery", "deliveries withheld by access rules") \
	X(WILLS_SENT, "wills_sent", "will messages published") \
	X(SESSIONS_EXPIRED, "sessions_expired", "sessions ended by their expiry interval") \
	X(RETAINED_REFUSED, "retained_refused", "messages not retained: a limit was reached") \
	X(SUBSCRIPTIONS_REFUSED, "subscriptions_refused", "topic filters refused: a limit was reached") \
	X(EVENTS_LOST, "events_lost", "events that nobody got who listens")

enum kmqtt_stat {
#define X(symbol, name, help) KMQTT_STAT_##symbol,
	KMQTT_STATS(X)
#undef X
	KMQTT_NR_STATS,
};

/** struct kmqtt_stats - one CPU's counters, written with this_cpu_add() */
struct kmqtt_stats {
	unsigned long n[KMQTT_NR_STATS];
};

#define kmqtt_stat_add(broker, stat, count) \
	this_cpu_add((broker)->stats->n[stat], count)
#define kmqtt_stat_inc(broker, stat) kmqtt_stat_add(broker, stat, 1)

/** struct kmqtt_stats_row - one figure with its name and meaning */
struct kmqtt_stats_row {
	const char *name;
	const char *help;
	u64 value;
};

/**
 * kmqtt_stats_row() - read one figure
 * @broker: whose
 * @index: 0, 1, ... : first what there is now, then the counters
 * @row: result
 *
 * Context: process, takes broker->lock or retain_lock for some.
 * Return: false beyond the last figure.
 */
bool kmqtt_stats_row(struct kmqtt_broker *broker, unsigned int index,
		     struct kmqtt_stats_row *row);

#endif
