// SPDX-License-Identifier: GPL-2.0
#include "answer.h"

#include <string.h>

enum {
	CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP,
	SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP,
	DISCONNECT, AUTH,
};

/** struct reader - what is left of a packet; @bad: it was not enough */
struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static uint32_t get(struct reader *r, size_t len)
{
	uint32_t value = 0;

	if (r->left < len) {
		r->bad = true;
		return 0;
	}
	r->left -= len;
	while (len--)
		value = value << 8 | *r->at++;
	return value;
}

static uint32_t get_varint(struct reader *r)
{
	uint32_t value = 0, byte;
	int i;

	for (i = 0; i < 4; i++) {
		byte = get(r, 1);
		value |= (byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			/* The shortest form is the only one. */
			r->bad |= i && !byte;
			return value;
		}
	}
	r->bad = true;
	return 0;
}

static struct reader get_part(struct reader *r, uint32_t len)
{
	struct reader part = { .at = r->at, .left = len };

	if (len > r->left) {
		r->bad = true;
		part.left = 0;
		return part;
	}
	r->at += len;
	r->left -= len;
	return part;
}

static bool utf8(const uint8_t *s, size_t len)
{
	size_t i = 0, more;
	uint32_t point;

	while (i < len) {
		more = s[i] < 0x80 ? 0 : s[i] >= 0xf0 ? 3 : s[i] >= 0xe0 ? 2 : 1;
		if ((s[i] >= 0x80 && s[i] < 0xc2) || s[i] > 0xf4 ||
		    more >= len - i)
			return false;
		point = more ? s[i] & (0x3f >> more) : s[i];
		for (i++; more; more--, i++) {
			if ((s[i] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (s[i] & 0x3f);
		}
		if (!point || (point >= 0xd800 && point < 0xe000) ||
		    point > 0x10ffff)
			return false;
	}
	return true;
}

static struct reader get_string(struct reader *r)
{
	struct reader text = get_part(r, get(r, 2));

	r->bad |= !utf8(text.at, text.left);
	return text;
}

#define IN(type)	(1u << (type))
#define ACKS		(IN(PUBACK) | IN(PUBREC) | IN(PUBREL) | IN(PUBCOMP) | \
			 IN(SUBACK) | IN(UNSUBACK))
#define ALL_OF_THEM	(ACKS | IN(CONNACK) | IN(PUBLISH) | IN(DISCONNECT) | \
			 IN(AUTH))

/* Of what a server may send: v: varint, s: string, b: binary, S: two strings */
static const struct {
	uint8_t id;
	char type;
	uint32_t where;
} properties[] = {
	{ 0x01, '1', IN(PUBLISH) }, { 0x02, '4', IN(PUBLISH) },
	{ 0x03, 's', IN(PUBLISH) }, { 0x08, 's', IN(PUBLISH) },
	{ 0x09, 'b', IN(PUBLISH) }, { 0x0b, 'v', IN(PUBLISH) },
	{ 0x11, '4', IN(CONNACK) }, { 0x12, 's', IN(CONNACK) },
	{ 0x13, '2', IN(CONNACK) }, { 0x15, 's', IN(CONNACK) | IN(AUTH) },
	{ 0x16, 'b', IN(CONNACK) | IN(AUTH) }, { 0x1a, 's', IN(CONNACK) },
	{ 0x1c, 's', IN(CONNACK) | IN(DISCONNECT) },
	{ 0x1f, 's', ALL_OF_THEM & ~IN(PUBLISH) },
	{ 0x21, '2', IN(CONNACK) }, { 0x22, '2', IN(CONNACK) },
	{ 0x23, '2', IN(PUBLISH) }, { 0x24, '1', IN(CONNACK) },
	{ 0x25, '1', IN(CONNACK) }, { 0x26, 'S', ALL_OF_THEM },
	{ 0x27, '4', IN(CONNACK) }, { 0x28, '1', IN(CONNACK) },
	{ 0x29, '1', IN(CONNACK) }, { 0x2a, '1', IN(CONNACK) },
};

static void get_property(struct reader *r, int type, uint64_t *seen)
{
	uint32_t id = get_varint(r);
	size_t i, nr = sizeof(properties) / sizeof(properties[0]);

	for (i = 0; i < nr && properties[i].id != id; i++)
		;
	if (i == nr || !(properties[i].where & IN(type))) {
		r->bad = true;
		return;
	}
	/* Once each, but for user properties and subscription identifiers. */
	if (id != 0x26 && id != 0x0b && *seen & 1ULL << id)
		r->bad = true;
	*seen |= 1ULL << id;
	switch (properties[i].type) {
	case 'v':
		r->bad |= !get_varint(r);
		break;
	case 'S':
		get_string(r);
		/* fall through */
	case 's':
		get_string(r);
		break;
	case 'b':
		get_part(r, get(r, 2));
		break;
	default:
		get(r, properties[i].type - '0');
	}
}

static uint64_t get_properties(struct reader *r, int type)
{
	struct reader part = get_part(r, get_varint(r));
	uint64_t seen = 0;

	while (part.left && !part.bad)
		get_property(&part, type, &seen);
	r->bad |= part.bad;
	return seen;
}

static bool is_reason(int type, uint32_t reason)
{
	switch (type) {
	case SUBACK:
		return reason <= 2 || reason >= 0x80;
	case UNSUBACK:
		return !reason || reason == 0x11 || reason >= 0x80;
	case PUBACK:
	case PUBREC:
		return !reason || reason == 0x10 || reason >= 0x80;
	case PUBREL:
	case PUBCOMP:
		return !reason || reason == 0x92;
	case AUTH:
		return !reason || reason == 0x18;
	default:
		return !reason || reason >= 0x80;
	}
}

static const char *wrong_publish(struct reader *r, int flags, int version)
{
	struct reader topic = get_string(r);
	uint64_t seen = 0;
	int qos = flags >> 1 & 3;

	if (qos == 3 || (!qos && flags & 8))
		return "PUBLISH with such flags";
	if (qos && !get(r, 2))
		return "PUBLISH without packet identifier";
	if (version == 5)
		seen = get_properties(r, PUBLISH);
	if (!topic.left && !(seen & 1ULL << 0x23))
		return "PUBLISH without topic";
	if (topic.left && (memchr(topic.at, '#', topic.left) ||
			   memchr(topic.at, '+', topic.left)))
		return "PUBLISH to a wildcard";
	return r->bad ? "malformed PUBLISH" : NULL;
}

static const char *wrong_connack(struct reader *r, int version)
{
	uint32_t flags = get(r, 1), reason = get(r, 1);

	if (flags > 1 || (flags && reason))
		return "CONNACK with such flags";
	if (version == 5) {
		get_properties(r, CONNACK);
		if (!is_reason(CONNACK, reason))
			return "CONNACK with such a reason";
	} else if (reason > 5) {
		return "CONNACK with such a return code";
	}
	return r->bad || r->left ? "malformed CONNACK" : NULL;
}

static const char *wrong_ack(struct reader *r, int type, int version)
{
	if (!get(r, 2))
		return "acknowledgement without packet identifier";
	if (version == 5 && r->left && !is_reason(type, get(r, 1)))
		return "acknowledgement with such a reason";
	if (version == 5 && r->left)
		get_properties(r, type);
	return r->bad || r->left ? "malformed acknowledgement" : NULL;
}

static const char *wrong_suback(struct reader *r, int type, int version)
{
	uint32_t reason;

	if (!get(r, 2))
		return "SUBACK or UNSUBACK without packet identifier";
	if (version == 5)
		get_properties(r, type);
	if (!r->left && (type == SUBACK || version == 5))
		return "SUBACK or UNSUBACK without reasons";
	while (r->left && !r->bad) {
		reason = get(r, 1);
		if (!is_reason(type, reason) ||
		    (version != 5 && (type == UNSUBACK ||
				      (reason > 2 && reason != 0x80))))
			return "SUBACK or UNSUBACK with such a reason";
	}
	return r->bad ? "malformed SUBACK or UNSUBACK" : NULL;
}

static const char *wrong_end(struct reader *r, int type)
{
	if (r->left && !is_reason(type, get(r, 1)))
		return "DISCONNECT or AUTH with such a reason";
	if (r->left)
		get_properties(r, type);
	return r->bad || r->left ? "malformed DISCONNECT or AUTH" : NULL;
}

static const char *wrong_packet(struct reader *r, uint8_t first, int version)
{
	int type = first >> 4, flags = first & 15;

	if (type != PUBLISH && flags != (type == PUBREL ? 2 : 0))
		return "such flags";
	switch (type) {
	case CONNACK:
		return wrong_connack(r, version);
	case PUBLISH:
		return wrong_publish(r, flags, version);
	case PUBACK:
	case PUBREC:
	case PUBREL:
	case PUBCOMP:
		return wrong_ack(r, type, version);
	case SUBACK:
	case UNSUBACK:
		return wrong_suback(r, type, version);
	case PINGRESP:
		return r->left ? "malformed PINGRESP" : NULL;
	case DISCONNECT:
	case AUTH:
		return version == 5 ? wrong_end(r, type) :
				      "DISCONNECT or AUTH to 3.x";
	default:
		return "a client's packet";
	}
}

long answer_next(const uint8_t *data, size_t len)
{
	struct reader r = { .at = data + 1, .left = len - 1 };
	uint32_t body;

	if (len < 2)
		return 0;
	body = get_varint(&r);
	if (r.bad)
		return len > 5 ? -1 : 0;
	return body > r.left ? 0 : (long)(r.at - data + body);
}

/* Before CONNACK there is AUTH only, and nothing comes after DISCONNECT. */
static const char *wrong_order(int type, int *last, bool *connected)
{
	if (*last == DISCONNECT)
		return "a packet behind DISCONNECT";
	*last = type;
	if (type == CONNACK && *connected)
		return "a second CONNACK";
	if (type == CONNACK)
		*connected = true;
	else if (!*connected && type != AUTH)
		return "a packet before CONNACK";
	return NULL;
}

const char *answer_wrong(const uint8_t *data, size_t len, int version,
			 bool whole)
{
	const char *wrong = NULL;
	bool connected = false;
	struct reader r;
	int last = 0;
	long size;

	while (len && !wrong) {
		size = answer_next(data, len);
		if (size <= 0)
			return size || whole ? "half a packet" : NULL;
		r.at = data + 1;
		r.left = size - 1;
		r.bad = false;
		get_varint(&r);
		wrong = wrong_order(data[0] >> 4, &last, &connected);
		if (!wrong && (version || data[0] >> 4 != CONNACK))
			wrong = wrong_packet(&r, data[0], version);
		data += size;
		len -= size;
	}
	return wrong;
}

int answer_version(const uint8_t *data, size_t len)
{
	struct reader r = { .at = data, .left = len };
	struct reader name;
	uint32_t level;

	get(&r, 1);
	get_varint(&r);
	name = get_part(&r, get(&r, 2));
	level = get(&r, 1);
	if (r.bad)
		return 0;
	if (name.left == 6 && !memcmp(name.at, "MQIsdp", 6))
		return level == 3 ? 3 : 0;
	if (name.left != 4 || memcmp(name.at, "MQTT", 4))
		return 0;
	return level == 4 || level == 5 ? level : 0;
}
