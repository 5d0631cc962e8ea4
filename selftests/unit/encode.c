// SPDX-License-Identifier: GPL-2.0
/* The encoder: its packets byte for byte, and where they stop to fit. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "unit.h"
#include "wire.h"

#define STR(text)	{ (const u8 *)(text), sizeof(text) - 1 }

/* struct job - a call of an encoder that can be made with any room */
struct job {
	int (*encode)(u8 *buf, size_t size, const void *arg);
	const void *arg;
	const char *wanted;
};

/* Just enough room gives the wanted bytes, less gives nothing. */
static void check_job(const struct job *job)
{
	struct mqtt_str wanted = bytes(job->wanted), out;
	u32 size, i;

	for (size = 0; size <= wanted.len; size++) {
		out = bytes_copy(wanted.data, size);
		memset((u8 *)out.data, 0xee, size);
		CHECK_EQ(job->encode((u8 *)out.data, size, job->arg),
			 size == wanted.len ? (int)size : -EMSGSIZE,
			 job->wanted);
		if (size == wanted.len && memcmp(out.data, wanted.data, size))
			unit_fail(__FILE__, __LINE__, "not %s", job->wanted);
		for (i = 0; size < wanted.len && i < size; i++)
			CHECK_EQ(out.data[i], 0xee, job->wanted);
		bytes_free(&out);
	}
	bytes_free(&wanted);
}

static int do_connack(u8 *buf, size_t size, const void *arg)
{
	return mqtt_encode_connack(buf, size, arg);
}

#define ALL_NUMBERS "11 0000003c 21 0014 24 01 25 00 27 00010000 "
#define ALL_OTHERS "12 S'auto' 22 000a 13 001e 1a S'r/' 15 S'm' 16 S'd' 1f S'hi'"

static const struct {
	struct mqtt_connack ack;
	const char *wanted;
} connacks[] = {
	{ { .version = 5, .maximum_qos = 2 }, "20 [ 00 00 [] ]" },
	{ { .version = 5, .maximum_qos = 2, .session_present = true },
	  "20 [ 01 00 [] ]" },
	/* [MQTT-3.2.2-6] */
	{ { .version = 5, .maximum_qos = 2, .session_present = true,
	    .reason = 0x87 }, "20 [ 00 87 [] ]" },
	{ { .version = 5, .maximum_qos = 2, .receive_maximum = 65535 },
	  "20 [ 00 00 [] ]" },
	{ { .version = 5, .maximum_qos = 1, .retain_unavailable = true,
	    .has_session_expiry = true, .session_expiry = 60,
	    .has_server_keep_alive = true, .server_keep_alive = 30,
	    .receive_maximum = 20, .topic_alias_maximum = 10,
	    .maximum_packet_size = 65536, .assigned_client_id = STR("auto"),
	    .reason_string = STR("hi"), .response_info = STR("r/"),
	    .auth_method = STR("m"), .auth_data = STR("d") },
	  "20 [ 00 00 [" ALL_NUMBERS ALL_OTHERS "] ]" },
	{ { .version = 5, .maximum_qos = 0, .has_server_keep_alive = true,
	    .has_session_expiry = true },
	  "20 [ 00 00 [11 00000000 24 00 13 0000] ]" },
	/* the reason string goes if the client would not take it */
	{ { .version = 5, .maximum_qos = 2, .reason = 0x80,
	    .reason_string = STR("why"), .client_maximum = 11 },
	  "20 [ 00 80 [1f S'why'] ]" },
	{ { .version = 5, .maximum_qos = 2, .reason = 0x80,
	    .reason_string = STR("why"), .client_maximum = 10 },
	  "20 [ 00 80 [] ]" },
	{ { .version = 4 }, "20 [ 00 00 ]" },
	{ { .version = 4, .session_present = true }, "20 [ 01 00 ]" },
	{ { .version = 4, .session_present = true, .reason = 0x86 },
	  "20 [ 00 04 ]" },
	{ { .version = 4, .reason = 0x84 }, "20 [ 00 01 ]" },
	{ { .version = 4, .reason = 0x85 }, "20 [ 00 02 ]" },
	{ { .version = 4, .reason = 0x88 }, "20 [ 00 03 ]" },
	{ { .version = 4, .reason = 0x87, .reason_string = STR("no") },
	  "20 [ 00 05 ]" },
	{ { .version = 3, .session_present = true }, "20 [ 00 00 ]" },
};

static void connack(void)
{
	struct mqtt_connack none = { .version = 4, .reason = 0x81 };
	struct mqtt_connack tight = { .version = 5, .maximum_qos = 2,
				      .client_maximum = 4 };
	struct job job;
	u8 buf[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(connacks); i++) {
		job = (struct job){ do_connack, &connacks[i].ack,
				    connacks[i].wanted };
		check_job(&job);
	}
	/* 3.1.1 has no code for it: [MQTT-3.2.2-2] of 3.1.1 */
	CHECK_EQ(mqtt_encode_connack(buf, sizeof(buf), &none), 0, "no code");
	/* [MQTT-3.1.2-24] */
	CHECK_EQ(mqtt_encode_connack(buf, sizeof(buf), &tight), -EMSGSIZE,
		 "client takes 4 bytes");
	tight.client_maximum = 5;
	CHECK_EQ(mqtt_encode_connack(buf, sizeof(buf), &tight), 5,
		 "client takes 5 bytes");
}

static void reason_codes_of_3_1_1(void)
{
	static const s8 wanted[256] = {
		[0x84] = 1, [0x85] = 2, [0x86] = 4, [0x87] = 5, [0x88] = 3,
		[0x89] = 3, [0x8a] = 5, [0x8b] = 3, [0x97] = 3, [0x9c] = 3,
		[0x9d] = 3, [0x9f] = 3,
	};
	int code;

	for (code = 0; code < 256; code++)
		CHECK_EQ(mqtt_rc_to_v3(code),
			 wanted[code] || !code ? wanted[code] : -1, "code");
}

struct small {
	u8 type;
	u8 version;
	u16 packet_id;
	u8 reason;
	const char *reasons;
	struct mqtt_str first, second;
	u32 client_maximum;
	const char *wanted;
};

static int do_ack(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;

	return mqtt_encode_ack(buf, size, s->type, s->version, s->packet_id,
			       s->reason);
}

static void acks(void)
{
	static const struct small table[] = {
		{ MQTT_PUBACK, 4, 1, 0, .wanted = "40 [ 0001 ]" },
		{ MQTT_PUBACK, 3, 65535, 0x80, .wanted = "40 [ ffff ]" },
		{ MQTT_PUBACK, 5, 0x1234, 0, .wanted = "40 [ 1234 ]" },
		{ MQTT_PUBACK, 5, 1, 0x10, .wanted = "40 [ 0001 10 ]" },
		{ MQTT_PUBREC, 5, 1, 0x97, .wanted = "50 [ 0001 97 ]" },
		{ MQTT_PUBREC, 4, 1, 0x97, .wanted = "50 [ 0001 ]" },
		/* [MQTT-3.6.1-1] */
		{ MQTT_PUBREL, 4, 1, 0, .wanted = "62 [ 0001 ]" },
		{ MQTT_PUBREL, 5, 1, 0x92, .wanted = "62 [ 0001 92 ]" },
		{ MQTT_PUBCOMP, 5, 1, 0x92, .wanted = "70 [ 0001 92 ]" },
	};
	struct job job;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		job = (struct job){ do_ack, &table[i], table[i].wanted };
		check_job(&job);
	}
}

static int do_suback(u8 *buf, size_t size, const void *arg)
{
	const struct small *s = arg;
	struct mqtt_str reasons = bytes(s->reasons);
	int ret = mqtt_encode_suback(buf, size, s->type, s->version,
				     s->packet_id, reasons.data, reasons.len);

	bytes_free(&reasons);
	return ret;
}

static void subacks(void)
{
	static const struct small table[] = {
		{ MQTT_SUBACK, 5, 1, .reasons = "00 01 02 87 9e",
		  .wanted = "90 [ 0001 [] 00 01 02 87 9e ]" },
		/* [MQTT-3.9.3-2] of 3.1.1 */
		{ MQTT_SUBACK, 4, 1, .reasons = "00 01 02 87 80 8f",
		  .wanted = "90 [ 0001 00 01 02 80 80 80 ]" },
		{ MQTT_SUBACK, 3, 1, .reasons = "02",
		  .wanted = "90 [ 0001 02 ]" },
		{ MQTT_UNSUBACK, 5, 1, .reasons = "00 11 87",
		  .wanted = "b0 [ 0001 [] 00 11 87 ]" },
		{ MQTT_UNSUBACK, 4, 1, .reasons = "00 11",
		  .wanted = "b0 [ 0001 ]" },
	};
	struct job job;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		job = (struct job){ do_suback, &table[i], table[i].wanted };
		check_job(&job);
	}
}

static void long_subacks(void)
{
	static u8 reasons[20000], buf[20100];
	static const u32 nr[] = { 124, 125, 16380, 16381, 20000 };
	struct mqtt_fixed fixed;
	int len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nr); i++) {
		len = mqtt_encode_suback(buf, sizeof(buf), MQTT_SUBACK, 5, 7,
					 reasons, nr[i]);
		CHECK_EQ(mqtt_decode_fixed(buf, len, &fixed), 1, "fixed");
		CHECK_EQ(fixed.remaining, nr[i] + 3, "remaining");
		CHECK_EQ(len, fixed.len + fixed.remaining, "length");
		CHECK_EQ(mqtt_encode_suback(buf, len - 1, MQTT_SUBACK, 5, 7,
					    reasons, nr[i]), -EMSGSIZE, "room");
	}
	CHECK_EQ(mqtt_encode_suback(buf, SIZE_MAX, MQTT_SUBACK, 5, 7, NULL,
				    MQTT_REMAINING_MAX - 2), -EMSGSIZE, "");
	CHECK_EQ(mqtt_encode_suback(buf, SIZE_MAX, MQTT_SUBACK, 5, 7, NULL,
				    UINT_MAX), -EMSGSIZE, "");
}

static int do_pingresp(u8 *buf, size_t size, const void *arg)
{
	return mqtt_encode_pingresp(buf, size);
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

static void disconnects_and_others(void)
{
	static const struct small disconnects[] = {
		{ .reason = 0, .wanted = "e0 [ ]" },
		{ .reason = 0x8e, .wanted = "e0 [ 8e ]" },
		{ .reason = 0x8e, .first = STR("other"),
		  .wanted = "e0 [ 8e [1f S'other'] ]" },
		{ .reason = 0, .first = STR("x"),
		  .wanted = "e0 [ 00 [1f S'x'] ]" },
		/* [MQTT-3.14.2-3] */
		{ .reason = 0x8e, .first = STR("other"), .client_maximum = 12,
		  .wanted = "e0 [ 8e [1f S'other'] ]" },
		{ .reason = 0x8e, .first = STR("other"), .client_maximum = 11,
		  .wanted = "e0 [ 8e ]" },
	};
	static const struct small auths[] = {
		{ .reason = 0x18, .first = STR("m"), .second = STR("data"),
		  .wanted = "f0 [ 18 [15 S'm' 16 S'data'] ]" },
		{ .reason = 0, .first = STR("m"),
		  .wanted = "f0 [ 00 [15 S'm'] ]" },
	};
	struct job job = { do_pingresp, NULL, "d0 [ ]" };
	u8 buf[8];
	size_t i;

	check_job(&job);
	for (i = 0; i < ARRAY_SIZE(disconnects); i++) {
		job = (struct job){ do_disconnect, &disconnects[i],
				    disconnects[i].wanted };
		check_job(&job);
	}
	CHECK_EQ(mqtt_encode_disconnect(buf, sizeof(buf), 0x8b, NULL, 0), 3,
		 "no reason string");
	for (i = 0; i < ARRAY_SIZE(auths); i++) {
		job = (struct job){ do_auth, &auths[i], auths[i].wanted };
		check_job(&job);
	}
	CHECK_EQ(mqtt_encode_auth(buf, sizeof(buf), 0, &auths[1].first, NULL),
		 8, "no data");
}

static int do_publish(u8 *buf, size_t size, const void *arg)
{
	const struct mqtt_publish_out *out = arg;
	int len = mqtt_encode_publish_head(buf, size, out);

	if (len >= 0)
		CHECK_EQ(mqtt_publish_head_len(out, NULL), len, "length");
	return len;
}

static const u32 ids[] = { 1, 127, 128, 268435455 };

/* payloads are there by their length only: it is in the fixed header */
static const struct {
	struct mqtt_publish_out out;
	const char *wanted;
} publishes[] = {
	{ { .version = 4, .topic = STR("a/b") }, "30 [ S'a/b' ]" },
	{ { .version = 4, .topic = STR("a/b"), .payload_len = 5 },
	  "30 0a S'a/b'" },
	{ { .version = 4, .flags = 0x0d, .packet_id = 0x0102,
	    .topic = STR("a"), .payload_len = 1 }, "3d 06 S'a' 0102" },
	/* 3.x has none of these */
	{ { .version = 3, .topic = STR("a"), .topic_alias = 1,
	    .has_expiry = true, .message_expiry = 9, .nr_sub_ids = 4,
	    .sub_ids = ids, .props = STR("\x01\x01") }, "30 [ S'a' ]" },
	{ { .version = 5, .topic = STR("a") }, "30 [ S'a' [] ]" },
	{ { .version = 5, .topic_alias = 0x0102, .payload_len = 2 },
	  "30 08 S'' [23 0102]" },
	{ { .version = 5, .flags = 0x02, .packet_id = 7, .topic = STR("a"),
	    .topic_alias = 1, .has_expiry = true, .message_expiry = 9,
	    .nr_sub_ids = 4, .sub_ids = ids, .props = STR("\x01\x01") },
	  "32 [ S'a' 0007 [23 0001 02 00000009 0b 01 0b 7f 0b 8001 0b ffffff7f 01 01] ]" },
	{ { .version = 5, .topic = STR("a"), .has_expiry = true },
	  "30 [ S'a' [02 00000000] ]" },
};

static void publish(void)
{
	struct job job;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(publishes); i++) {
		job = (struct job){ do_publish, &publishes[i].out,
				    publishes[i].wanted };
		check_job(&job);
	}
}

/* where the remaining length takes one byte more, and where it ends */
static void publish_boundaries(void)
{
	static const u32 sizes[] = { 127, 128, 16383, 16384, 2097151, 2097152,
				     268435455 };
	struct mqtt_publish_out out = { .version = 5, .topic = STR("a") };
	struct mqtt_fixed fixed;
	u32 total, head;
	u8 buf[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* topic and property length are 4 bytes of it */
		out.payload_len = sizes[i] - 4;
		head = mqtt_publish_head_len(&out, &total);
		CHECK_EQ(head, 5 + mqtt_varint_len(sizes[i]), "head");
		CHECK_EQ(total, head + out.payload_len, "total");
		CHECK_EQ(mqtt_encode_publish_head(buf, sizeof(buf), &out),
			 head, "encode");
		CHECK_EQ(mqtt_decode_fixed(buf, head, &fixed), 1, "fixed");
		CHECK_EQ(fixed.remaining, sizes[i], "remaining");
		CHECK_EQ(fixed.len + 4, head, "fixed header");
	}
	for (out.payload_len = 268435452; ; out.payload_len = UINT_MAX) {
		CHECK_EQ(mqtt_publish_head_len(&out, &total), 0, "too long");
		CHECK_EQ(total, UINT_MAX, "too long");
		CHECK_EQ(mqtt_publish_head_len(&out, NULL), 0, "too long");
		CHECK_EQ(mqtt_encode_publish_head(buf, sizeof(buf), &out),
			 -EMSGSIZE, "too long");
		if (out.payload_len == UINT_MAX)
			break;
	}
}

static void publish_too_much(void)
{
	struct mqtt_publish_out out = { .version = 5 };
	u8 *block = calloc(1, 65536), buf[8];
	u32 total;

	out.topic = (struct mqtt_str){ block, 65535 };
	CHECK_EQ(mqtt_publish_head_len(&out, NULL), 4 + 65537 + 1, "longest");
	out.topic.len = 65536;
	CHECK_EQ(mqtt_publish_head_len(&out, &total), 0, "topic");
	CHECK_EQ(mqtt_encode_publish_head(buf, SIZE_MAX, &out), -EMSGSIZE, "");
	out.topic.len = 1;
	out.props.len = MQTT_REMAINING_MAX;
	CHECK_EQ(mqtt_publish_head_len(&out, &total), 0, "properties");
	out.props.len = UINT_MAX;
	CHECK_EQ(mqtt_publish_head_len(&out, &total), 0, "properties");
	CHECK_EQ(mqtt_encode_publish_head(buf, SIZE_MAX, &out), -EMSGSIZE, "");
	free(block);
}

static void longest_strings(void)
{
	u8 *block = calloc(1, 65536), *buf = malloc(2 * 65536);
	struct mqtt_publish_out out = { .version = 4 };
	struct mqtt_str method = STR("m"), data = { block, 65535 };

	out.topic = data;
	CHECK_EQ(mqtt_encode_publish_head(buf, 2 * 65536, &out), 4 + 65537,
		 "topic");
	CHECK_EQ(mqtt_encode_auth(buf, 2 * 65536, 0x18, &method, &data),
		 4 + 1 + 3 + 4 + 65538, "data");
	/* what no packet can hold is left out */
	data.len = 65536;
	CHECK_EQ(mqtt_encode_auth(buf, 2 * 65536, 0x18, &method, &data),
		 2 + 1 + 1 + 4, "more data");
	free(block);
	free(buf);
}

/* struct reader - the least that reads a packet of the broker's */
struct reader {
	const u8 *p, *end;
};

static u32 take(struct reader *r, u32 n)
{
	u32 value = 0;

	CHECK((size_t)(r->end - r->p) >= n);
	for (; n && r->p < r->end; n--)
		value = value * 256 + *r->p++;
	return value;
}

static u32 take_varint(struct reader *r)
{
	u32 value = 0, factor = 1, byte;

	do {
		byte = take(r, 1);
		value += byte % 128 * factor;
		factor *= 128;
	} while (byte > 127);
	return value;
}

static void take_same(struct reader *r, const struct mqtt_str *s)
{
	CHECK((size_t)(r->end - r->p) >= s->len);
	CHECK(!memcmp(r->p, s->data, s->len));
	r->p += s->len;
}

static void read_back(const u8 *buf, int len,
		      const struct mqtt_publish_out *out)
{
	struct reader r = { buf, buf + len };
	u32 i;

	CHECK_EQ(take(&r, 1), 0x30 | out->flags, "first byte");
	CHECK_EQ(take_varint(&r), r.end - r.p + out->payload_len, "remaining");
	CHECK_EQ(take(&r, 2), out->topic.len, "topic length");
	take_same(&r, &out->topic);
	if (out->flags & 6)
		CHECK_EQ(take(&r, 2), out->packet_id, "packet id");
	if (out->version != 5)
		goto end;
	CHECK_EQ(take_varint(&r), r.end - r.p, "properties");
	if (out->topic_alias) {
		CHECK_EQ(take(&r, 1), 0x23, "alias");
		CHECK_EQ(take(&r, 2), out->topic_alias, "alias");
	}
	if (out->has_expiry) {
		CHECK_EQ(take(&r, 1), 0x02, "expiry");
		CHECK_EQ(take(&r, 4), out->message_expiry, "expiry");
	}
	for (i = 0; i < out->nr_sub_ids; i++) {
		CHECK_EQ(take(&r, 1), 0x0b, "subscription id");
		CHECK_EQ(take_varint(&r), out->sub_ids[i], "subscription id");
	}
	take_same(&r, &out->props);
end:
	CHECK(r.p == r.end);
}

static void publish_round_trip(void)
{
	static u8 text[300], buf[1024];
	struct mqtt_publish_out out;
	u32 round, sub_ids[40], i;
	int len;

	for (i = 0; i < sizeof(text); i++)
		text[i] = 'a' + unit_random(26);
	for (round = 0; round < 100000; round++) {
		memset(&out, 0, sizeof(out));
		out.version = 3 + unit_random(3);
		out.flags = unit_random(2) | unit_random(3) << 1;
		out.packet_id = 1 + unit_random(65535);
		out.topic_alias = unit_random(2) * unit_random(65536);
		out.has_expiry = unit_random(2);
		out.message_expiry = unit_random(UINT_MAX);
		out.payload_len = unit_random(1 << unit_random(27));
		out.nr_sub_ids = unit_random(2) * unit_random(40);
		out.sub_ids = sub_ids;
		for (i = 0; i < out.nr_sub_ids; i++)
			sub_ids[i] = 1 + unit_random(1 << (1 + unit_random(27)));
		out.topic.data = text;
		out.topic.len = unit_random(sizeof(text));
		out.props.data = text;
		out.props.len = unit_random(2) * unit_random(sizeof(text));
		len = mqtt_encode_publish_head(buf, sizeof(buf), &out);
		CHECK(len > 0);
		CHECK_EQ(mqtt_publish_head_len(&out, NULL), len, "length");
		if (len > 0)
			read_back(buf, len, &out);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(connack),
	UNIT_TEST(reason_codes_of_3_1_1),
	UNIT_TEST(acks),
	UNIT_TEST(subacks),
	UNIT_TEST(long_subacks),
	UNIT_TEST(disconnects_and_others),
	UNIT_TEST(publish),
	UNIT_TEST(publish_boundaries),
	UNIT_TEST(publish_too_much),
	UNIT_TEST(longest_strings),
	UNIT_TEST(publish_round_trip),
};

UNIT_SUITE(encode, tests);
