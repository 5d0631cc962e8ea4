// SPDX-License-Identifier: GPL-2.0
/*
 * Every packet a broker sends, of any contents: what is written is what is
 * read again, with just enough room and not with less. What clients send as
 * well the decoder reads; the rest is read here, as plainly as can be.
 *
 * Input: a byte for the packet, then its fields, each after its length.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "any.h"
#include "bytes.h"
#include "fuzz.h"
#include "wire.h"

#define IDS_MAX	8

static struct fuzz_bytes in;

static u16 take_u16(void)
{
	u16 high = fuzz_byte(&in);

	return high << 8 | fuzz_byte(&in);
}

static u32 take_u32(void)
{
	u32 high = take_u16();

	return high << 16 | take_u16();
}

/* a field: up to 255 bytes, or 65,535 and 65,536 of them */
static struct mqtt_str take_str(void)
{
	static u8 longest[MQTT_STRING_MAX + 1];
	struct mqtt_str s = { .len = fuzz_byte(&in) };

	s.data = in.at;
	if (s.len >= 0xfe)
		return (struct mqtt_str){ longest, MQTT_STRING_MAX + (s.len & 1) };
	if (s.len > in.left)
		s.len = in.left;
	in.at += s.len;
	in.left -= s.len;
	return s;
}

static u8 take_version(void)
{
	return MQTT_V31 + fuzz_byte(&in) % 3;
}

static bool same(const struct mqtt_str *a, const struct mqtt_str *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

/* what the encoders leave out */
static struct mqtt_str written(struct mqtt_str s)
{
	if (s.len > MQTT_STRING_MAX)
		s.len = 0;
	return s;
}

typedef int (*encode_t)(u8 *buf, size_t size, const void *arg);

/*
 * Return: the packet, to be freed; its length is 0 if there is none, be it that
 * there is nothing to say or that it cannot be said.
 */
static struct mqtt_str encode(encode_t fn, const void *arg)
{
	static u8 big[6 * 65536];
	struct mqtt_str s = { NULL, 0 };
	struct mqtt_fixed fixed;
	int len, i;

	memset(big, 0xee, 64);
	len = fn(big, sizeof(big), arg);
	if (len <= 0) {
		FUZZ_CHECK(!len || len == -EMSGSIZE);
		for (i = 0; i < 64; i++)
			FUZZ_CHECK(big[i] == 0xee);
		return s;
	}
	s = bytes_copy(big, len);
	memset((u8 *)s.data, 0, len);
	FUZZ_CHECK(fn((u8 *)s.data, len, arg) == len);
	FUZZ_CHECK(!memcmp(s.data, big, len));
	FUZZ_CHECK(fn(big, len - 1, arg) == -EMSGSIZE);
	FUZZ_CHECK(mqtt_decode_fixed(s.data, s.len, &fixed) == 1);
	FUZZ_CHECK(fixed.len + fixed.remaining == s.len);
	fuzz_taken();
	return s;
}

/* struct reader - the least that reads a packet of the broker's */
struct reader {
	const u8 *p, *end;
};

static u32 get(struct reader *r, u32 nr)
{
	u32 value = 0;

	for (; nr; nr--) {
		FUZZ_CHECK(r->p < r->end);
		value = value << 8 | *r->p++;
	}
	return value;
}

static u32 get_varint(struct reader *r)
{
	u32 value = 0, shift = 0, byte;

	do {
		byte = get(r, 1);
		value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static struct reader body(const struct mqtt_str *packet, u8 first)
{
	struct reader r = { packet->data, packet->data + packet->len };

	FUZZ_CHECK(get(&r, 1) == first);
	FUZZ_CHECK(get_varint(&r) == (size_t)(r.end - r.p));
	return r;
}

static void get_same(struct reader *r, const struct mqtt_str *wanted)
{
	struct mqtt_str s;

	s.len = get(r, 2);
	s.data = r->p;
	FUZZ_CHECK((size_t)(r->end - r->p) >= s.len && same(&s, wanted));
	r->p += s.len;
}

static int do_connack(u8 *buf, size_t size, const void *arg)
{
	return mqtt_encode_connack(buf, size, arg);
}

/* Each property there is must be wanted; returns how many there are. */
static unsigned int connack_props(struct reader *r,
				  const struct mqtt_connack *ack)
{
	struct mqtt_str s;
	unsigned int nr;

	for (nr = 0; r->p < r->end; nr++) {
		switch (get(r, 1)) {
		case MQTT_PROP_SESSION_EXPIRY:
			FUZZ_CHECK(ack->has_session_expiry);
			FUZZ_CHECK(get(r, 4) == ack->session_expiry);
			break;
		case MQTT_PROP_RECEIVE_MAXIMUM:
			FUZZ_CHECK(get(r, 2) == ack->receive_maximum);
			break;
		case MQTT_PROP_MAXIMUM_QOS:
			FUZZ_CHECK(get(r, 1) == ack->maximum_qos);
			break;
		case MQTT_PROP_RETAIN_AVAILABLE:
			FUZZ_CHECK(!get(r, 1) && ack->retain_unavailable);
			break;
		case MQTT_PROP_MAXIMUM_PACKET_SIZE:
			FUZZ_CHECK(get(r, 4) == ack->maximum_packet_size);
			break;
		case MQTT_PROP_TOPIC_ALIAS_MAXIMUM:
			FUZZ_CHECK(get(r, 2) == ack->topic_alias_maximum);
			break;
		case MQTT_PROP_SERVER_KEEP_ALIVE:
			FUZZ_CHECK(get(r, 2) == ack->server_keep_alive);
			break;
		case MQTT_PROP_ASSIGNED_CLIENT_ID:
			s = written(ack->assigned_client_id);
			get_same(r, &s);
			break;
		case MQTT_PROP_REASON_STRING:
			s = written(ack->reason_string);
			get_same(r, &s);
			break;
		case MQTT_PROP_RESPONSE_INFO:
			s = written(ack->response_info);
			get_same(r, &s);
			break;
		case MQTT_PROP_AUTH_METHOD:
			s = written(ack->auth_method);
			get_same(r, &s);
			break;
		case MQTT_PROP_AUTH_DATA:
			s = written(ack->auth_data);
			get_same(r, &s);
			break;
		default:
			FUZZ_CHECK(!"a property of this packet");
		}
	}
	return nr;
}

static unsigned int there(const struct mqtt_str *s)
{
	return s->len && s->len <= MQTT_STRING_MAX;
}

static void connack(void)
{
	struct mqtt_connack ack = { .version = take_version() };
	unsigned int wanted, nr;
	struct mqtt_str packet;
	struct reader r;
	u8 bits = fuzz_byte(&in);

	ack.reason = fuzz_byte(&in);
	ack.session_present = bits & 1;
	ack.retain_unavailable = bits & 2;
	ack.has_session_expiry = bits & 4;
	ack.has_server_keep_alive = bits & 8;
	ack.maximum_qos = (bits >> 4) % 3;
	ack.server_keep_alive = take_u16();
	ack.receive_maximum = take_u16();
	ack.topic_alias_maximum = take_u16();
	ack.maximum_packet_size = take_u32();
	ack.session_expiry = take_u32();
	ack.client_maximum = bits & 0x80 ? 0 : take_u16();
	ack.assigned_client_id = take_str();
	ack.reason_string = take_str();
	ack.response_info = take_str();
	ack.auth_method = take_str();
	ack.auth_data = take_str();
	packet = encode(do_connack, &ack);
	if (!packet.len)
		return;
	FUZZ_CHECK(!ack.client_maximum || ack.version < MQTT_V5 ||
		   packet.len <= ack.client_maximum);
	r = body(&packet, MQTT_CONNACK << 4);
	FUZZ_CHECK(get(&r, 1) == (ack.session_present && !ack.reason &&
				  ack.version > MQTT_V31));
	if (ack.version < MQTT_V5) {
		FUZZ_CHECK((int)get(&r, 1) == mqtt_rc_to_v3(ack.reason));
		FUZZ_CHECK(r.p == r.end);
	} else {
		FUZZ_CHECK(get(&r, 1) == ack.reason);
		FUZZ_CHECK(get_varint(&r) == (size_t)(r.end - r.p));
		nr = connack_props(&r, &ack);
		wanted = ack.has_session_expiry + ack.has_server_keep_alive +
			 ack.retain_unavailable + (ack.maximum_qos < 2) +
			 !!ack.topic_alias_maximum +
			 !!ack.maximum_packet_size +
			 (ack.receive_maximum && ack.receive_maximum != 65535) +
			 there(&ack.assigned_client_id) +
			 there(&ack.response_info) + there(&ack.auth_method) +
			 there(&ack.auth_data);
		/* the reason string alone may be left out */
		FUZZ_CHECK(nr == wanted ||
			   (nr == wanted + 1 && there(&ack.reason_string)));
		FUZZ_CHECK(nr > wanted || ack.client_maximum ||
			   !there(&ack.reason_string));
	}
	bytes_free(&packet);
}

struct small {
	u8 type;
	u8 version;
	u8 reason;
	u16 packet_id;
	u32 client_maximum;
	struct mqtt_str first, second;
};

static int do_ack(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;

	return mqtt_encode_ack(buf, size, s->type, s->version, s->packet_id,
			       s->reason);
}

static void ack(void)
{
	struct small s = { .version = take_version() };
	struct mqtt_str packet;
	struct any any;

	s.type = MQTT_PUBACK + fuzz_byte(&in) % 4;
	s.reason = fuzz_byte(&in);
	s.packet_id = take_u16();
	packet = encode(do_ack, &s);
	FUZZ_CHECK(packet.len);
	/* the decoder knows which reasons there are, and takes no identifier 0 */
	if (!any_decode(&packet, s.version, &any)) {
		FUZZ_CHECK(any.type == s.type);
		FUZZ_CHECK(any.ack.packet_id == s.packet_id);
		FUZZ_CHECK(any.ack.reason ==
			   (s.version == MQTT_V5 ? s.reason : 0));
	} else {
		FUZZ_CHECK(!s.packet_id || (s.version == MQTT_V5 && s.reason));
	}
	bytes_free(&packet);
}

static int do_suback(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;

	return mqtt_encode_suback(buf, size, s->type, s->version, s->packet_id,
				  s->first.data, s->first.len);
}

static void suback(void)
{
	struct small s = { .version = take_version() };
	struct mqtt_str packet;
	struct reader r;
	u32 i, code;

	s.type = fuzz_byte(&in) & 1 ? MQTT_SUBACK : MQTT_UNSUBACK;
	s.packet_id = take_u16();
	s.first = take_str();
	packet = encode(do_suback, &s);
	FUZZ_CHECK(packet.len == mqtt_suback_len(s.type, s.version, s.first.len));
	r = body(&packet, s.type << 4);
	FUZZ_CHECK(get(&r, 2) == s.packet_id);
	if (s.version == MQTT_V5)
		FUZZ_CHECK(!get(&r, 1));
	for (i = 0; i < s.first.len; i++) {
		if (s.version < MQTT_V5 && s.type == MQTT_UNSUBACK)
			break;
		code = get(&r, 1);
		FUZZ_CHECK(code == s.first.data[i] ||
			   (s.version < MQTT_V5 && code == 0x80 &&
			    s.first.data[i] >= 0x80));
	}
	FUZZ_CHECK(r.p == r.end);
	bytes_free(&packet);
}

static int do_disconnect(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;

	return mqtt_encode_disconnect(buf, size, s->reason, &s->first,
				      s->client_maximum);
}

static int do_auth(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;

	return mqtt_encode_auth(buf, size, s->reason, &s->first, &s->second);
}

static void disconnect_or_auth(bool auth)
{
	struct small s = { .reason = fuzz_byte(&in) };
	const struct mqtt_props *props;
	struct mqtt_str packet, wanted;
	struct any any;

	s.client_maximum = auth ? 0 : take_u16();
	s.first = take_str();
	s.second = take_str();
	packet = encode(auth ? do_auth : do_disconnect, &s);
	if (packet.len && !any_decode(&packet, MQTT_V5, &any)) {
		FUZZ_CHECK(any.type == (auth ? MQTT_AUTH : MQTT_DISCONNECT));
		FUZZ_CHECK(any.disconnect.reason == s.reason);
		props = &any.disconnect.props;
		wanted = written(s.first);
		if (auth) {
			FUZZ_CHECK(same(&props->auth_method, &wanted));
			wanted = written(s.second);
			FUZZ_CHECK(same(&props->auth_data, &wanted));
		} else if (props->reason_string.len || !s.client_maximum) {
			FUZZ_CHECK(same(&props->reason_string, &wanted));
		}
		FUZZ_CHECK(!s.client_maximum || packet.len <= s.client_maximum ||
			   !props->reason_string.len);
	}
	bytes_free(&packet);
}

static int do_publish(u8 *buf, size_t size, const void *arg)
{
	return mqtt_encode_publish_head(buf, size, arg);
}

static void publish_body(struct reader *r, const struct mqtt_publish_out *out)
{
	u32 i;

	get_same(r, &out->topic);
	if (out->flags & MQTT_PUB_QOS_MASK)
		FUZZ_CHECK(get(r, 2) == out->packet_id);
	if (out->version < MQTT_V5)
		return;
	FUZZ_CHECK(get_varint(r) == (size_t)(r->end - r->p));
	if (out->topic_alias) {
		FUZZ_CHECK(get(r, 1) == MQTT_PROP_TOPIC_ALIAS);
		FUZZ_CHECK(get(r, 2) == out->topic_alias);
	}
	if (out->has_expiry) {
		FUZZ_CHECK(get(r, 1) == MQTT_PROP_MESSAGE_EXPIRY);
		FUZZ_CHECK(get(r, 4) == out->message_expiry);
	}
	for (i = 0; i < out->nr_sub_ids; i++) {
		FUZZ_CHECK(get(r, 1) == MQTT_PROP_SUBSCRIPTION_ID);
		FUZZ_CHECK(get_varint(r) == out->sub_ids[i]);
	}
	FUZZ_CHECK((size_t)(r->end - r->p) == out->props.len);
	FUZZ_CHECK(!out->props.len ||
		   !memcmp(r->p, out->props.data, out->props.len));
	r->p = r->end;
}

static void publish(void)
{
	struct mqtt_publish_out out = { .version = take_version() };
	u32 ids[IDS_MAX], total, head, i;
	struct reader r;
	u8 *buf;

	out.flags = fuzz_byte(&in) & 0x0f;
	out.packet_id = take_u16();
	out.topic_alias = take_u16();
	out.has_expiry = fuzz_byte(&in) & 1;
	out.message_expiry = take_u32();
	out.payload_len = take_u32();
	out.nr_sub_ids = fuzz_byte(&in) % (IDS_MAX + 1);
	for (i = 0; i < out.nr_sub_ids; i++)
		ids[i] = take_u32() % (MQTT_REMAINING_MAX + 1);
	out.sub_ids = ids;
	out.topic = take_str();
	out.props = take_str();
	head = mqtt_publish_head_len(&out, &total);
	if (!head) {
		FUZZ_CHECK(total == UINT_MAX);
		FUZZ_CHECK(do_publish(NULL, SIZE_MAX, &out) == -EMSGSIZE);
		return;
	}
	FUZZ_CHECK(total == head + out.payload_len);
	buf = malloc(head);
	FUZZ_CHECK(buf && do_publish(buf, head, &out) == (int)head);
	FUZZ_CHECK(do_publish(buf, head - 1, &out) == -EMSGSIZE);
	fuzz_taken();
	r = (struct reader){ buf, buf + head };
	FUZZ_CHECK(get(&r, 1) == (u32)(MQTT_PUBLISH << 4 | out.flags));
	FUZZ_CHECK(get_varint(&r) == r.end - r.p + out.payload_len);
	publish_body(&r, &out);
	FUZZ_CHECK(r.p == r.end);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct fuzz_bytes){ data, size };
	switch (fuzz_byte(&in) % 6) {
	case 0:
		connack();
		break;
	case 1:
		ack();
		break;
	case 2:
		suback();
		break;
	case 3:
		disconnect_or_auth(false);
		break;
	case 4:
		disconnect_or_auth(true);
		break;
	case 5:
		publish();
		break;
	}
	return 0;
}
