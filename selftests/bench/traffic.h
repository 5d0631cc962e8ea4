/* SPDX-License-Identifier: GPL-2.0 */
/* Who publishes what to whom, and whether all of it arrives as it should. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <signal.h>
#include "peer.h"

/** enum traffic_shape - how topics connect publishers and subscribers */
enum traffic_shape {
	TRAFFIC_ONE_TOPIC,	/* each subscriber gets what each publisher sends */
	TRAFFIC_PAIRS,		/* subscriber i gets what publisher i sends */
	TRAFFIC_SELF,		/* each client gets what it sends itself */
};

/** enum traffic_filter - what subscriptions that get nothing look like */
enum traffic_filter {
	TRAFFIC_MIXED,		/* a third each of the others */
	TRAFFIC_EXACT,
	TRAFFIC_PLUS,
	TRAFFIC_HASH,
};

/** struct traffic_options - what to do; zero where not said otherwise */
struct traffic_options {
	struct peer_target target;
	enum traffic_shape shape;
	unsigned int publishers;	/* 1 or more, or none and no traffic */
	unsigned int subscribers;
	unsigned int idle;		/* clients that only stay connected */
	unsigned int filters;		/* subscriptions nothing is sent to */
	enum traffic_filter form;	/* of those */
	unsigned int stuck;		/* subscribers that never read */
	unsigned int id;		/* in the topics; 0: the process's */
	bool remote;			/* another process publishes, the same id */
	unsigned int window;		/* messages of a publisher on their way */
	unsigned int rate;		/* of a publisher, a second; 0: any */
	unsigned int size;		/* bytes of payload, 8 or more */
	int qos;
};

/** struct traffic_count - what happened */
struct traffic_count {
	uint64_t messages;	/* published, arrived and acknowledged */
	uint64_t deliveries;
	uint64_t lost;
	uint64_t duplicates;
	uint64_t disordered;
	uint64_t corrupted;	/* not the topic, QoS or bytes published */
	uint64_t unexpected;	/* packets that have no place there */
	uint64_t ended;		/* connections the broker ended */
	bool stalled;		/* nothing came for a long time */
};

extern struct traffic_count traffic_count;

/* Set by the caller, in a signal handler too: publish nothing more. */
extern volatile sig_atomic_t traffic_stop;

/* Connects and subscribes everybody. False with a diagnostic. */
bool traffic_open(const struct traffic_options *options);

/*
 * A payload for those who measure something else: the two numbers, then bytes
 * that are always the same. @size is 8 or more.
 */
#define TRAFFIC_HEAD	8	/* bytes of the two numbers */
void traffic_payload(uint8_t *payload, size_t size, uint32_t first,
		     uint32_t second);
bool traffic_payload_read(const uint8_t *payload, size_t size, uint32_t head[2]);

/*
 * Each publisher sends @messages; returns when all of them have arrived and
 * all acknowledgements with them, when nothing comes any more, or when a
 * connection ends.
 */
void traffic_run(uint32_t messages);

/* Everybody leaves; the number of those the broker did not let go. */
unsigned int traffic_close(void);

/*
 * True if nothing was lost, doubled, disordered, corrupted and so on. What was
 * on its way when the broker went away is not lost.
 */
bool traffic_clean(bool broker_may_end);

#endif /* BENCH_TRAFFIC_H */
