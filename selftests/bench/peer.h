/* SPDX-License-Identifier: GPL-2.0 */
/* One MQTT connection of the load generator. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "wire.h"

/**
 * struct peer - a client
 * @fd: its socket; -1 when it has ended
 * @epoll: instance that waits for it, once traffic runs
 * @version: 3 (MQTT 3.1), 4 (3.1.1) or 5
 * @number: for its client identifier and the diagnostics
 * @publisher: what it publishes, or NULL
 * @subscriber: what it receives, or NULL
 * @stuck: it never reads
 * @waiting: epoll says when the socket takes more
 * @out: what the socket has not taken yet
 * @rest: the beginning of a packet whose end has not come yet
 */
struct peer {
	int fd;
	int epoll;
	int version;
	unsigned int number;
	struct publisher *publisher;
	struct subscriber *subscriber;
	bool stuck;
	bool waiting;
	struct wire_buf out;
	struct wire_buf rest;
};

/** struct peer_target - where to connect, and as what */
struct peer_target {
	struct sockaddr_storage address;
	socklen_t address_len;
	int version;
	unsigned int keep_alive;
	bool keep_session;
	unsigned int patience;	/* seconds until nothing is taken for a no */
};

/* A packet has come; false ends the connection. */
typedef bool (*peer_handler)(struct peer *peer, const struct wire_packet *pkt);

/*
 * These wait for the answer; false with a diagnostic if it does not come in
 * time or is a refusal.
 */
bool peer_connect(struct peer *peer, const struct peer_target *target,
		  unsigned int number);
bool peer_subscribe(struct peer *peer, char *const *filters, unsigned int nr,
		    int qos);

/* From here on its socket does not block; what arrives is for peer_read(). */
bool peer_watch(struct peer *peer, int epoll);

/* Both return false if the connection has ended. */
bool peer_send(struct peer *peer, const void *data, size_t len);
bool peer_flush(struct peer *peer);

/* Reads once, hands all whole packets over. False: the connection has ended. */
bool peer_read(struct peer *peer, peer_handler handle);

/* What came with the answer to peer_connect() or peer_subscribe(). */
bool peer_read_rest(struct peer *peer, peer_handler handle);

/* DISCONNECT; whether the broker then closed the connection, in time. */
bool peer_leave(struct peer *peer);
void peer_close(struct peer *peer);

#endif /* BENCH_PEER_H */
