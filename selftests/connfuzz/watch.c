// SPDX-License-Identifier: GPL-2.0
/* Every byte that the broker sends, held against the standard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/slab.h>
#include "client.h"

void broken_rule(const struct client *client, const char *text,
		 const char *file, int line)
{
	fprintf(stderr, "%s:%d: connection %d (version %u): %s\n", file, line,
		(int)(client - clients), client->version, text);
	shim_bug(file, line, text);
}

void span_keep(struct span *slot, const struct span *span)
{
	free((void *)slot->data);
	slot->data = malloc(span->len);
	memcpy((void *)slot->data, span->data, span->len);
	slot->len = span->len;
}

struct flight *flight_find(struct client *client, u16 id)
{
	u32 i;

	for (i = 0; i < NR_FLIGHT; i++)
		if (client->flight[i].state && client->flight[i].id == id)
			return &client->flight[i];
	return NULL;
}

void flight_free(struct client *client, struct flight *flight)
{
	if (flight->state != FLIGHT_RESUMED)
		client->nr_counted--;
	flight->state = FLIGHT_FREE;
}

static void flight_add(struct client *client, u16 id, u8 qos, u8 state)
{
	u32 i;

	for (i = 0; i < NR_FLIGHT; i++) {
		if (client->flight[i].state)
			continue;
		client->flight[i] = (struct flight){ id, state, qos };
		client->nr_counted += state != FLIGHT_RESUMED;
		return;
	}
	/* More than are kept: they are not looked at any more. */
	client->odd = true;
}

static void owe(struct client *client, u8 type, u16 id)
{
	if (client->nr_owed < NR_OWED)
		client->owed[client->nr_owed++] = (struct owed){ type, id };
}

static void watch_connack(struct client *client, struct reader *r)
{
	struct props props;
	u8 flags = get8(r), reason = get8(r);

	if (client->version == 5) {
		get_props(r, &props, 2);
		RULE(client, props.receive_max, "receive maximum 0");
	} else if (!client->version) {
		get_rest(r);
	}
	RULE(client, client->connect, "CONNACK before CONNECT");
	RULE(client, !client->connack, "a second CONNACK");
	RULE(client, flags <= 1, "CONNACK flags");
	RULE(client, !reason || !flags, "session present in a refusal");
	RULE(client, !reason || reason >= 0x80 || client->version != 5,
	     "CONNACK reason");
	RULE(client, !reason || reason <= 5 || client->version == 5 ||
	     !client->version, "CONNACK return code");
	RULE(client, reason || !client->refusable,
	     "a CONNECT that is none was accepted");
	client->connack = true;
	client->accepted = !reason;
	/* 3.1 has no such flag: it may have been. */
	client->present = flags || client->version == 3;
	client->ended = reason;
	client->reason = reason;
}

static void watch_alias(struct client *client, const struct props *props,
			struct span *topic)
{
	struct span *slot;

	if (!props->has_alias) {
		RULE(client, topic->len, "PUBLISH without a topic");
		return;
	}
	RULE(client, props->alias && props->alias <= client->alias_max,
	     "topic alias beyond the client's maximum");
	if (props->alias >= NR_ALIASES)
		return;
	slot = &client->aliases[props->alias];
	if (topic->len)
		span_keep(slot, topic);
	RULE(client, slot->len, "a topic alias that was not told");
	*topic = *slot;
}

static void watch_flow(struct client *client, u8 qos, u16 id, bool dup)
{
	struct flight *flight = flight_find(client, id);

	RULE(client, id, "packet identifier 0");
	owe(client, qos == 1 ? 4 : 5, id);
	if (client->odd)
		return;
	/* 3.x may repeat on the same connection. */
	if (flight && dup && client->version < 5 &&
	    flight->state == FLIGHT_PUBLISHED && flight->qos == qos)
		return;
	RULE(client, !flight, "packet identifier in use");
	RULE(client, !dup || client->present, "DUP on a first transmission");
	flight_add(client, id, qos, FLIGHT_PUBLISHED);
	RULE(client, client->odd || client->nr_counted <= client->receive_max,
	     "more in flight than the receive maximum");
}

/*
 * However many of its subscriptions match, a client gets one copy, unless
 * there is no memory to find that out with.
 */
static bool may_copy(const struct client *client)
{
	return client->copies || client->wild || client->present ||
	       shim_failures;
}

/* Of one publisher, topic and QoS [MQTT-4.6.0-6]. */
static void watch_order(struct client *client, const struct message *message,
			const struct span *topic, u8 qos)
{
	struct row this = {
		.topic = span_hash(topic, 1),
		.number = message->number,
		.from = message->from,
		.qos = qos,
	};
	struct row *row;

	row = &client->rows[(this.topic + this.from * 3 + qos) % NR_ROWS];
	if (row->topic == this.topic && row->from == this.from &&
	    row->qos == qos) {
		RULE(client, row->number <= this.number,
		     "messages in the wrong order");
		RULE(client, row->number < this.number || may_copy(client),
		     "a message twice");
	}
	*row = this;
}

static void watch_publish(struct client *client, struct reader *r, u8 flags)
{
	struct props props = { .ok = true };
	struct span topic = get_span(r), payload;
	const struct message *message;
	u8 qos = flags >> 1 & 3;
	u16 id = qos ? get16(r) : 0;

	if (client->version == 5)
		get_props(r, &props, 3);
	payload = get_rest(r);
	RULE(client, !r->failed, "PUBLISH is malformed");
	RULE(client, qos < 3 && (qos || !(flags & 8)), "PUBLISH flags");
	RULE(client, is_text(&topic), "topic is no UTF-8");
	watch_alias(client, &props, &topic);
	RULE(client, !memchr(topic.data, '#', topic.len) &&
	     !memchr(topic.data, '+', topic.len), "wildcard in a topic name");
	message = message_find(&topic, &payload);
	RULE(client, message, "a message nobody has published");
	/* Repeated ones and retained ones come when they come. */
	if (!(flags & 9) && !message->again)
		watch_order(client, message, &topic, qos);
	client->nr_received++;
	if (qos)
		watch_flow(client, qos, id, flags & 8);
}

static void watch_pubrel(struct client *client, u16 id, u8 reason)
{
	struct flight *flight = flight_find(client, id);

	owe(client, 7, id);
	if (client->odd || reason)
		return;
	if (!flight) {
		RULE(client, client->present, "PUBREL for nothing");
		flight_add(client, id, 2, FLIGHT_RESUMED);
		return;
	}
	RULE(client, flight->state != FLIGHT_PUBLISHED, "PUBREL before PUBREC");
}

static bool ack_reason(u8 type, u8 reason)
{
	static const u8 publish[] = { 0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91,
				      0x97, 0x99 };

	if (type == 6 || type == 7)
		return !reason || reason == 0x92;
	return memchr(publish, reason, sizeof(publish));
}

static void watch_ack(struct client *client, struct reader *r, u8 type)
{
	static const u8 owes[] = { [4] = OWES_PUBACK, [5] = OWES_PUBREC,
				   [7] = OWES_PUBCOMP };
	struct props props;
	u16 id = get16(r);
	u8 reason = 0;

	if (client->version == 5 && r->at < r->end)
		reason = get8(r);
	if (client->version == 5 && r->at < r->end)
		get_props(r, &props, type);
	RULE(client, id, "packet identifier 0");
	RULE(client, ack_reason(type, reason), "reason code");
	if (type == 6) {
		watch_pubrel(client, id, reason);
		return;
	}
	RULE(client, client->owes[owes[type]],
	     "an acknowledgement of nothing");
	client->owes[owes[type]]--;
	client->reason = reason;
}

static void watch_suback(struct client *client, struct reader *r, u8 type)
{
	u8 owes = type == 9 ? OWES_SUBACK : OWES_UNSUBACK;
	struct span reasons;
	struct props props;
	u32 i;

	RULE(client, get16(r), "packet identifier 0");
	if (client->version == 5)
		get_props(r, &props, type);
	reasons = get_rest(r);
	if (type == 9 || client->version == 5)
		RULE(client, reasons.len, "no reason code");
	else
		RULE(client, !reasons.len, "reason codes in an UNSUBACK of 3.x");
	for (i = 0; i < reasons.len; i++)
		RULE(client, reasons.data[i] >= 0x80 ||
		     (type == 9 && reasons.data[i] < 3) ||
		     (type == 11 && (reasons.data[i] & ~0x11) == 0),
		     "reason code");
	RULE(client, client->owes[owes], "SUBACK or UNSUBACK for nothing");
	client->owes[owes]--;
}

static void watch_disconnect(struct client *client, struct reader *r)
{
	u8 reason = r->at < r->end ? get8(r) : 0x80;
	struct props props;

	RULE(client, client->version == 5, "DISCONNECT to a 3.x client");
	RULE(client, reason >= 0x80, "DISCONNECT reason");
	RULE(client, reason != 0x81 || client->wild,
	     "what was sent was well-formed");
	if (r->at < r->end)
		get_props(r, &props, 14);
	client->ended = true;
	client->reason = reason;
}

static void watch_auth(struct client *client, struct reader *r)
{
	struct props props;
	u8 reason = get8(r);

	RULE(client, client->version == 5, "AUTH to a 3.x client");
	RULE(client, reason == 0x18 || (!reason && client->accepted),
	     "AUTH reason");
	get_props(r, &props, 15);
	RULE(client, props.has_method, "AUTH without its method");
}

static void watch_body(struct client *client, u8 first, struct reader *r)
{
	switch (first >> 4) {
	case 3:
		watch_publish(client, r, first & 0x0f);
		return;
	case 4 ... 7:
		watch_ack(client, r, first >> 4);
		return;
	case 9:
	case 11:
		watch_suback(client, r, first >> 4);
		return;
	case 13:
		RULE(client, client->owes[OWES_PINGRESP], "PINGRESP for nothing");
		client->owes[OWES_PINGRESP]--;
		return;
	case 14:
		watch_disconnect(client, r);
		return;
	}
	RULE(client, false, "a packet that servers do not send");
}

static void watch_packet(struct client *client, const u8 *packet, u32 len,
			 u32 head)
{
	struct reader r = { packet + head, packet + len, false };
	u8 type = packet[0] >> 4, flags = packet[0] & 0x0f;

	RULE(client, !client->ended, "a packet after the last one");
	RULE(client, !client->max_packet || client->refusable ||
	     len <= client->max_packet,
	     "a packet larger than the client takes");
	RULE(client, type == 3 || flags == (type == 6 ? 2 : 0),
	     "reserved flags");
	if (type == 2) {
		watch_connack(client, &r);
	} else if (type == 15) {
		watch_auth(client, &r);
	} else {
		RULE(client, client->accepted, "a packet before CONNACK");
		watch_body(client, packet[0], &r);
	}
	RULE(client, !r.failed, "a malformed packet");
	RULE(client, r.at == r.end, "bytes behind a packet's end");
}

void client_was_sent(struct shim_peer *peer, const u8 *data, u32 len)
{
	struct client *client = (struct client *)peer;
	u32 done = 0, head;
	s64 size;

	if (client->out_len + len > client->out_size) {
		client->out_size = 2 * (client->out_len + len);
		client->out = realloc(client->out, client->out_size);
	}
	memcpy(client->out + client->out_len, data, len);
	client->out_len += len;
	while (done < client->out_len) {
		size = packet_len(client->out + done, client->out_len - done,
				  &head);
		RULE(client, size >= 0, "no fixed header");
		if (!size || size > client->out_len - done)
			break;
		watch_packet(client, client->out + done, size, head);
		done += size;
	}
	client->out_len -= done;
	memmove(client->out, client->out + done, client->out_len);
}
