// SPDX-License-Identifier: GPL-2.0
/*
 * Clients one after the other, with sockets that block. A message's payload is
 * its number, twice; the topic of a retained one has it too.
 */
#include "single.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "traffic.h"

#define SINGLE_PREFIX	"load%07d/"
#define SINGLE_END	"/data"
#define SINGLE_TOPIC	SINGLE_PREFIX "%u" SINGLE_END
#define SINGLE_NOWHERE	"load%07d/nowhere"
/* Unacknowledged messages of a publisher: less than any broker's limit. */
#define SINGLE_WINDOW	100

/* What the subscriber of the moment waits for. */
static struct {
	int version;
	int qos;
	bool retained;
	unsigned int size;
	unsigned int nr;
	unsigned int seen;
	unsigned int packets;	/* of any kind */
	char prefix[32];	/* of each topic */
	size_t prefix_len;
	uint8_t *had;	/* of each message, whether it has come */
} wanted;

bool single_connects(const struct peer_target *target, unsigned int warm_up,
		     unsigned int nr, struct meter *meter)
{
	struct peer peer = { .fd = -1 };
	unsigned int i;

	meter_begin(meter);
	for (i = 0; i < warm_up + nr && !traffic_stop; i++) {
		if (i == warm_up)
			meter_begin(meter);
		if (!peer_connect(&peer, target, i))
			return false;
		if (!peer_leave(&peer))
			traffic_count.ended++;
		else if (i >= warm_up)
			traffic_count.deliveries++;
	}
	meter_end(meter);
	return true;
}

static void put_message(struct wire_buf *buf, int version, int flags,
			uint16_t id, unsigned int number, unsigned int size)
{
	uint8_t payload[size ? size : 1];
	char topic[32];

	snprintf(topic, sizeof(topic), SINGLE_TOPIC, (int)getpid(),
		 flags & WIRE_RETAIN ? number : 0);
	if (size)
		traffic_payload(payload, size, number, number);
	wire_publish(buf, version, flags, id, topic, payload, size);
}

static bool send_and_clear(struct peer *peer, struct wire_buf *buf)
{
	bool sent = peer_send(peer, buf->data, buf->len) && !peer->out.len;

	buf->len = 0;
	return sent;
}

/* @size 0 forgets them. Returns when the broker has dealt with all. */
static bool retain(struct peer *peer, unsigned int size, unsigned int nr)
{
	struct wire_buf buf = {};
	char nowhere[32], *filter = nowhere;
	bool sent = true;
	unsigned int i;

	for (i = 0; sent && i < nr; i++) {
		put_message(&buf, peer->version, WIRE_RETAIN, 0, i, size);
		sent = send_and_clear(peer, &buf);
	}
	free(buf.data);
	snprintf(nowhere, sizeof(nowhere), SINGLE_NOWHERE, (int)getpid());
	return sent && peer_subscribe(peer, &filter, 1, 0);
}

static void want(int version, unsigned int size, unsigned int nr)
{
	wanted.version = version;
	wanted.size = size;
	wanted.nr = nr;
	wanted.had = calloc(1, nr);
	wanted.prefix_len = snprintf(wanted.prefix, sizeof(wanted.prefix),
				     SINGLE_PREFIX, (int)getpid());
}

/* Ten thousand times: printing what is expected would cost more than MQTT. */
static bool is_topic(const uint8_t *topic, size_t len, uint32_t number)
{
	const uint8_t *at = topic + wanted.prefix_len, *end = topic + len;
	uint32_t found = 0;

	if (len <= wanted.prefix_len ||
	    memcmp(topic, wanted.prefix, wanted.prefix_len))
		return false;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		found = found * 10 + *at - '0';
	return found == number && end - at == sizeof(SINGLE_END) - 1 &&
	       !memcmp(at, SINGLE_END, sizeof(SINGLE_END) - 1);
}

static bool is_message(const struct wire_publish *msg, uint32_t head[2])
{
	return msg->payload_len == wanted.size && msg->qos == wanted.qos &&
	       msg->retain == wanted.retained &&
	       traffic_payload_read(msg->payload, msg->payload_len, head) &&
	       head[0] == head[1] && head[0] < wanted.nr &&
	       is_topic(msg->topic, msg->topic_len,
			wanted.retained ? head[0] : 0);
}

static bool take(struct peer *peer, const struct wire_packet *pkt)
{
	struct wire_publish msg;
	uint32_t head[2];

	wanted.packets++;
	if (pkt->type == WIRE_SUBACK && wanted.retained)
		return true;
	if (pkt->type != WIRE_PUBLISH ||
	    wire_parse_publish(pkt, wanted.version, &msg)) {
		traffic_count.unexpected++;
		return true;
	}
	if (msg.qos)
		wire_ack(&peer->out, WIRE_PUBACK, msg.id);
	if (!is_message(&msg, head)) {
		traffic_count.corrupted++;
	} else if (wanted.had[head[0]]) {
		traffic_count.duplicates++;
	} else {
		/* Retained messages have no order. */
		if (!wanted.retained && head[0] != wanted.seen)
			traffic_count.disordered++;
		wanted.had[head[0]] = true;
		wanted.seen++;
	}
	return true;
}

/* Until all are there or nothing comes any more. */
static bool take_all(struct peer *peer)
{
	bool alive = peer_read_rest(peer, take) && peer_flush(peer);
	unsigned int packets;
	size_t rest;

	while (alive && wanted.seen < wanted.nr) {
		packets = wanted.packets;
		rest = peer->rest.len;
		alive = peer_read(peer, take) && peer_flush(peer);
		if (packets == wanted.packets && rest == peer->rest.len)
			break;
	}
	traffic_count.deliveries = wanted.seen;
	traffic_count.lost = wanted.nr - wanted.seen;
	traffic_count.stalled = alive && traffic_count.lost;
	traffic_count.ended += !alive;
	free(wanted.had);
	return alive;
}

bool single_retained(const struct peer_target *target, unsigned int size,
		     unsigned int nr, struct meter *meter)
{
	struct peer publisher = { .fd = -1 }, peer = { .fd = -1 };
	struct wire_buf buf = {};
	char all[] = "#", *filter = all;

	want(target->version, size, nr);
	wanted.retained = true;
	if (!peer_connect(&publisher, target, 0) ||
	    !retain(&publisher, size, nr) || !peer_connect(&peer, target, 1))
		return false;
	wire_subscribe(&buf, target->version, 1, &filter, 1, 0);
	meter_begin(meter);
	if (!send_and_clear(&peer, &buf))
		return false;
	take_all(&peer);
	meter_end(meter);
	free(buf.data);
	peer_leave(&peer);
	return retain(&publisher, 0, nr) && peer_leave(&publisher);
}

static unsigned int nr_acks;

static bool count_ack(struct peer *peer, const struct wire_packet *pkt)
{
	if (pkt->type == WIRE_PUBACK && !wire_reason(pkt, peer->version))
		nr_acks++;
	else
		traffic_count.unexpected++;
	return true;
}

static bool publish_acked(struct peer *peer, unsigned int size, unsigned int nr)
{
	struct wire_buf buf = {};
	unsigned int i, before;
	bool alive = true;

	for (i = 0; alive && i < nr; i++) {
		put_message(&buf, peer->version, 1 << 1, i % SINGLE_WINDOW + 1,
			    i, size);
		if ((i + 1) % SINGLE_WINDOW && i + 1 < nr)
			continue;
		alive = send_and_clear(peer, &buf);
		while (alive && nr_acks <= i) {
			before = nr_acks;
			alive = peer_read(peer, count_ack) && nr_acks > before;
		}
	}
	free(buf.data);
	return alive;
}

bool single_queued(const struct peer_target *target, unsigned int size,
		   unsigned int nr, struct meter *meter)
{
	struct peer publisher = { .fd = -1 }, peer = { .fd = -1 };
	struct peer_target keeps = *target;
	char topic[32], *filter = topic;

	keeps.keep_session = true;
	want(target->version, size, nr);
	wanted.qos = 1;
	snprintf(topic, sizeof(topic), SINGLE_TOPIC, (int)getpid(), 0);
	if (!peer_connect(&peer, &keeps, 1) ||
	    !peer_subscribe(&peer, &filter, 1, 1) || !peer_leave(&peer) ||
	    !peer_connect(&publisher, target, 0) ||
	    !publish_acked(&publisher, size, nr))
		return false;
	meter_begin(meter);
	if (!peer_connect(&peer, &keeps, 1))
		return false;
	take_all(&peer);
	meter_end(meter);
	/* A clean session ends the one that was kept. */
	return peer_leave(&peer) && peer_connect(&peer, target, 1) &&
	       peer_leave(&peer) && peer_leave(&publisher);
}
