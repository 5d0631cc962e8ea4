// SPDX-License-Identifier: GPL-2.0
/* MQTT packets for the load generator and the relay. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is not a code of its own: the answer cannot be read. */
#define WIRE_UNREADABLE	0x100

void wire_put(struct wire_buf *buf, const void *data, size_t len)
{
	if (buf->len + len > buf->room) {
		buf->room = (buf->len + len) * 2;
		buf->data = realloc(buf->data, buf->room);
		if (!buf->data) {
			perror("memory");
			exit(1);
		}
	}
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

static void put_u8(struct wire_buf *buf, uint8_t value)
{
	wire_put(buf, &value, 1);
}

static void put_u16(struct wire_buf *buf, uint16_t value)
{
	uint8_t bytes[2] = { value >> 8, value };

	wire_put(buf, bytes, sizeof(bytes));
}

static void put_string(struct wire_buf *buf, const char *text)
{
	put_u16(buf, strlen(text));
	wire_put(buf, text, strlen(text));
}

static void put_header(struct wire_buf *buf, uint8_t first, size_t len)
{
	put_u8(buf, first);
	do {
		put_u8(buf, (len & 0x7f) | (len > 0x7f ? 0x80 : 0));
		len >>= 7;
	} while (len);
}

static uint8_t connect_flags(bool keep_session, const struct wire_login *login)
{
	return (keep_session ? 0 : 0x02) |	/* clean session */
	       (login->will ? 0x04 | login->will_qos << 3 : 0) |
	       (login->password ? 0x40 : 0) | (login->name ? 0x80 : 0);
}

void wire_connect_as(struct wire_buf *buf, int version, const char *id,
		     unsigned int keep_alive, bool keep_session,
		     const struct wire_login *login)
{
	/* Session Expiry Interval: never. */
	static const uint8_t expiry[] = { 5, 0x11, 0xff, 0xff, 0xff, 0xff };
	struct wire_buf body = {};

	put_string(&body, version == 3 ? "MQIsdp" : "MQTT");
	put_u8(&body, version);
	put_u8(&body, connect_flags(keep_session, login));
	put_u16(&body, keep_alive);
	if (version == 5 && keep_session)
		wire_put(&body, expiry, sizeof(expiry));
	else if (version == 5)
		put_u8(&body, 0);
	put_string(&body, id);
	if (login->will && version == 5)
		put_u8(&body, 0);
	if (login->will) {
		put_string(&body, login->will);
		put_string(&body, "will");
	}
	if (login->name)
		put_string(&body, login->name);
	if (login->password)
		put_string(&body, login->password);
	put_header(buf, WIRE_CONNECT << 4, body.len);
	wire_put(buf, body.data, body.len);
	free(body.data);
}

void wire_connect(struct wire_buf *buf, int version, const char *id,
		  unsigned int keep_alive, bool keep_session)
{
	static const struct wire_login nobody;

	wire_connect_as(buf, version, id, keep_alive, keep_session, &nobody);
}

void wire_subscribe(struct wire_buf *buf, int version, uint16_t id,
		    char *const *filters, unsigned int nr, int qos)
{
	size_t len = 2 + (version == 5);
	unsigned int i;

	for (i = 0; i < nr; i++)
		len += 2 + strlen(filters[i]) + 1;
	put_header(buf, WIRE_SUBSCRIBE << 4 | 2, len);
	put_u16(buf, id);
	if (version == 5)
		put_u8(buf, 0);
	for (i = 0; i < nr; i++) {
		put_string(buf, filters[i]);
		put_u8(buf, qos);
	}
}

void wire_publish(struct wire_buf *buf, int version, int flags, uint16_t id,
		  const char *topic, const void *payload, size_t len)
{
	bool qos = flags & 6;

	put_header(buf, WIRE_PUBLISH << 4 | flags, 2 + strlen(topic) +
		   (qos ? 2 : 0) + (version == 5) + len);
	put_string(buf, topic);
	if (qos)
		put_u16(buf, id);
	if (version == 5)
		put_u8(buf, 0);
	wire_put(buf, payload, len);
}

void wire_ack(struct wire_buf *buf, enum wire_type type, uint16_t id)
{
	put_u8(buf, type << 4 | (type == WIRE_PUBREL ? 2 : 0));
	put_u8(buf, 2);
	put_u16(buf, id);
}

void wire_disconnect(struct wire_buf *buf)
{
	put_u8(buf, WIRE_DISCONNECT << 4);
	put_u8(buf, 0);
}

static ssize_t get_varint(const uint8_t *data, size_t len, size_t *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < len && i < 4; i++) {
		*value |= (size_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80))
			return i + 1;
	}
	return i < 4 ? 0 : -1;
}

ssize_t wire_next(const uint8_t *data, size_t len, struct wire_packet *pkt)
{
	ssize_t head;

	if (len < 2)
		return 0;
	head = get_varint(data + 1, len - 1, &pkt->len);
	if (head <= 0)
		return head;
	if (len - 1 - head < pkt->len)
		return 0;
	pkt->type = data[0] >> 4;
	pkt->flags = data[0] & 0x0f;
	pkt->body = data + 1 + head;
	return 1 + head + pkt->len;
}

static size_t get_u16(const uint8_t *data)
{
	return data[0] << 8 | data[1];
}

int wire_parse_publish(const struct wire_packet *pkt, int version,
		       struct wire_publish *pub)
{
	const uint8_t *at = pkt->body, *end = pkt->body + pkt->len;
	size_t properties;
	ssize_t used;

	pub->qos = (pkt->flags >> 1) & 3;
	pub->dup = pkt->flags >> 3;
	pub->retain = pkt->flags & WIRE_RETAIN;
	pub->id = 0;
	if (end - at < 2)
		return -1;
	pub->topic_len = get_u16(at);
	pub->topic = at + 2;
	if ((size_t)(end - at) < 2 + pub->topic_len + (pub->qos ? 2 : 0))
		return -1;
	at += 2 + pub->topic_len;
	if (pub->qos) {
		pub->id = get_u16(at);
		at += 2;
	}
	if (version == 5) {
		used = get_varint(at, end - at, &properties);
		if (used <= 0 || (size_t)(end - at - used) < properties)
			return -1;
		at += used + properties;
	}
	pub->payload = at;
	pub->payload_len = end - at;
	return 0;
}

uint16_t wire_id(const struct wire_packet *pkt)
{
	return pkt->len < 2 ? 0 : get_u16(pkt->body);
}

static int suback_reason(const struct wire_packet *pkt, int version)
{
	size_t properties, at = 2;
	ssize_t used;

	if (version == 5) {
		used = pkt->len < 2 ? -1 :
			get_varint(pkt->body + 2, pkt->len - 2, &properties);
		if (used <= 0 || pkt->len - 2 - used < properties)
			return WIRE_UNREADABLE;
		at += used + properties;
	}
	if (at >= pkt->len)
		return WIRE_UNREADABLE;
	for (; at < pkt->len; at++)
		if (pkt->body[at] > 2)
			return pkt->body[at];
	return 0;
}

int wire_reason(const struct wire_packet *pkt, int version)
{
	switch (pkt->type) {
	case WIRE_CONNACK:
		return pkt->len < 2 ? WIRE_UNREADABLE : pkt->body[1];
	case WIRE_SUBACK:
		return suback_reason(pkt, version);
	default:
		/* 0x10: nobody has subscribed. */
		return pkt->len > 2 && pkt->body[2] != 0x10 ? pkt->body[2] : 0;
	}
}
