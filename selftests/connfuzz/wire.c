// SPDX-License-Identifier: GPL-2.0
/* MQTT's types and properties, read by the letter of the standard. */
#include <string.h>
#include <linux/kernel.h>
#include "client.h"

static bool reader_has(struct reader *r, u32 len)
{
	if (r->failed || r->end - r->at < len)
		r->failed = true;
	return !r->failed;
}

u8 get8(struct reader *r)
{
	return reader_has(r, 1) ? *r->at++ : 0;
}

u16 get16(struct reader *r)
{
	u16 high = get8(r);

	return high << 8 | get8(r);
}

u32 get32(struct reader *r)
{
	u32 high = get16(r);

	return high << 16 | get16(r);
}

u32 get_varint(struct reader *r)
{
	u32 value = 0, shift;
	u8 byte;

	for (shift = 0; shift < 28; shift += 7) {
		byte = get8(r);
		value |= (u32)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		/* in the fewest bytes [MQTT-1.5.5-1] */
		if (shift && !byte)
			r->failed = true;
		return value;
	}
	r->failed = true;
	return 0;
}

static struct span get_bytes(struct reader *r, u32 len)
{
	struct span span = { (const u8 *)"", 0 };

	if (!reader_has(r, len) || !len)
		return span;
	span.data = r->at;
	span.len = len;
	r->at += len;
	return span;
}

struct span get_span(struct reader *r)
{
	return get_bytes(r, get16(r));
}

struct span get_rest(struct reader *r)
{
	return get_bytes(r, r->failed ? 0 : r->end - r->at);
}

/* [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
bool is_text(const struct span *span)
{
	u32 i = 0, more, code;

	while (i < span->len) {
		code = span->data[i++];
		if (!code || (code >= 0x80 && code < 0xc2) || code > 0xf4)
			return false;
		more = code < 0x80 ? 0 : code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3;
		code &= more ? 0x3f >> more : 0x7f;
		if (span->len - i < more)
			return false;
		for (; more; more--, i++) {
			if ((span->data[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (span->data[i] & 0x3f);
		}
		if (code >= 0xd800 && code < 0xe000)
			return false;
	}
	return true;
}

enum {
	IN_WILL = 1 << 0,
	IN_CONNECT = 1 << 1,
	IN_CONNACK = 1 << 2,
	IN_PUBLISH = 1 << 3,
	IN_ACKS = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9 | 1 << 11,
	IN_SUBSCRIBE = 1 << 8,
	IN_UNSUBSCRIBE = 1 << 10,
	IN_DISCONNECT = 1 << 14,
	IN_AUTH = 1 << 15,
};

/* Table 2-4: type of the value, and where it may stand. */
static const struct {
	char type;
	u16 where;
} known[] = {
	[0x01] = { '1', IN_PUBLISH | IN_WILL },
	[0x02] = { '4', IN_PUBLISH | IN_WILL },
	[0x03] = { 's', IN_PUBLISH | IN_WILL },
	[0x08] = { 's', IN_PUBLISH | IN_WILL },
	[0x09] = { 'b', IN_PUBLISH | IN_WILL },
	[0x0b] = { 'v', IN_PUBLISH | IN_SUBSCRIBE },
	[0x11] = { '4', IN_CONNECT | IN_CONNACK | IN_DISCONNECT },
	[0x12] = { 's', IN_CONNACK },
	[0x13] = { '2', IN_CONNACK },
	[0x15] = { 's', IN_CONNECT | IN_CONNACK | IN_AUTH },
	[0x16] = { 'b', IN_CONNECT | IN_CONNACK | IN_AUTH },
	[0x17] = { '1', IN_CONNECT },
	[0x18] = { '4', IN_WILL },
	[0x19] = { '1', IN_CONNECT },
	[0x1a] = { 's', IN_CONNACK },
	[0x1c] = { 's', IN_CONNACK | IN_DISCONNECT },
	[0x1f] = { 's', IN_CONNACK | IN_ACKS | IN_DISCONNECT | IN_AUTH },
	[0x21] = { '2', IN_CONNECT | IN_CONNACK },
	[0x22] = { '2', IN_CONNECT | IN_CONNACK },
	[0x23] = { '2', IN_PUBLISH },
	[0x24] = { '1', IN_CONNACK },
	[0x25] = { '1', IN_CONNACK },
	[0x26] = { 'p', 0xffff },
	[0x27] = { '4', IN_CONNECT | IN_CONNACK },
	[0x28] = { '1', IN_CONNACK },
	[0x29] = { '1', IN_CONNACK },
	[0x2a] = { '1', IN_CONNACK },
};

static void get_text(struct reader *r)
{
	struct span text = get_span(r);

	r->failed |= !is_text(&text);
}

static u32 get_value(struct reader *r, char type)
{
	switch (type) {
	case '1':
		return get8(r);
	case '2':
		return get16(r);
	case '4':
		return get32(r);
	case 'v':
		return get_varint(r);
	case 'b':
		get_span(r);
		return 0;
	case 'p':
		get_text(r);
		get_text(r);
		return 0;
	default:
		get_text(r);
		return 0;
	}
}

static void take_value(struct props *props, u8 id, u32 value)
{
	switch (id) {
	case 0x15:
		props->has_method = true;
		break;
	case 0x21:
		props->receive_max = value;
		break;
	case 0x22:
		props->alias_max = value;
		break;
	case 0x23:
		props->alias = value;
		props->has_alias = true;
		break;
	case 0x27:
		props->max_packet = value;
		break;
	}
}

void get_props(struct reader *r, struct props *props, u8 where)
{
	struct span all = get_bytes(r, get_varint(r));
	struct reader in = { all.data, all.data + all.len, r->failed };
	u64 seen = 0;
	u32 value;
	u8 id;

	*props = (struct props){ .receive_max = 65535 };
	while (!in.failed && in.at < in.end) {
		id = get8(&in);
		if (id >= ARRAY_SIZE(known) ||
		    !(known[id].where & 1 << where)) {
			in.failed = true;
			break;
		}
		value = get_value(&in, known[id].type);
		/* user properties, and the subscriptions of a PUBLISH */
		if (id != 0x26 && !(id == 0x0b && where == 3) &&
		    seen & 1ULL << id)
			in.failed = true;
		seen |= 1ULL << id;
		take_value(props, id, value);
	}
	props->ok = !in.failed;
	r->failed |= in.failed;
}

s64 packet_len(const u8 *data, u32 len, u32 *head)
{
	u32 i, remaining = 0;

	for (i = 1; i < len && i <= 4; i++) {
		remaining |= (u32)(data[i] & 0x7f) << (7 * (i - 1));
		if (data[i] & 0x80)
			continue;
		*head = i + 1;
		return (s64)i + 1 + remaining;
	}
	return i > 4 ? -1 : 0;
}
