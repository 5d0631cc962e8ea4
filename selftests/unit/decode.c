// SPDX-License-Identifier: GPL-2.0
/* The decoder: the table of packets, what it makes of their fields, damage. */
#include <stdlib.h>
#include <string.h>
#include "any.h"
#include "bytes.h"
#include "packets.h"
#include "unit.h"
#include "wire.h"

#define CASES(c) for (c = packet_cases; c < packet_cases + nr_packet_cases; c++)

static void table_of_packets(void)
{
	const struct packet_case *c;
	struct mqtt_str packet;
	struct any any;

	CASES(c) {
		packet = bytes(c->text);
		CHECK_EQ(any_decode(&packet, c->version, &any), c->rc, c->text);
		bytes_free(&packet);
	}
}

/* the first @len bytes of a packet's body, with a fixed header that fits */
static struct mqtt_str cut_body(const struct mqtt_str *packet, u32 len)
{
	struct mqtt_fixed fixed;
	struct mqtt_str cut;
	u8 *buf, *p;

	mqtt_decode_fixed(packet->data, packet->len, &fixed);
	buf = malloc(len + MQTT_FIXED_MAX);
	p = mqtt_put_varint(mqtt_put_u8(buf, packet->data[0]), len);
	memcpy(p, packet->data + fixed.len, len);
	cut = bytes_copy(buf, p + len - buf);
	free(buf);
	return cut;
}

static void cut_anywhere(void)
{
	const struct packet_case *c;
	struct mqtt_str packet, cut;
	struct mqtt_fixed fixed;
	struct any any;
	u32 len, right;

	CASES(c) {
		packet = bytes(c->text);
		mqtt_decode_fixed(packet.data, packet.len, &fixed);
		right = 0;
		for (len = 0; len < fixed.remaining; len++) {
			cut = cut_body(&packet, len);
			right += !any_decode(&cut, c->version, &any);
			bytes_free(&cut);
		}
		if (!c->rc)
			CHECK_EQ(right, c->cut_ok, c->text);
		bytes_free(&packet);
	}
}

/* Nothing is expected but that any_decode() finds all promises kept. */
static void every_bit_flipped(void)
{
	static const u8 versions[] = { 3, 4, 5 };
	const struct packet_case *c;
	struct mqtt_str packet;
	struct any any;
	u32 bit, v;
	u8 *byte;

	CASES(c) {
		packet = bytes(c->text);
		for (bit = 0; bit < packet.len * 8; bit++) {
			byte = (u8 *)&packet.data[bit / 8];
			*byte ^= 1 << bit % 8;
			for (v = 0; v < sizeof(versions); v++)
				any_decode(&packet, versions[v], &any);
			*byte ^= 1 << bit % 8;
		}
		bytes_free(&packet);
	}
}

static void every_byte_replaced(void)
{
	const struct packet_case *c;
	struct mqtt_str packet;
	u32 i, value;
	struct any any;
	u8 *byte, old;

	CASES(c) {
		packet = bytes(c->text);
		for (i = 0; i < packet.len; i++) {
			byte = (u8 *)&packet.data[i];
			old = *byte;
			for (value = 0; value < 256; value++) {
				*byte = value;
				any_decode(&packet, c->version, &any);
			}
			*byte = old;
		}
		bytes_free(&packet);
	}
}

static void random_damage(void)
{
	const struct packet_case *c;
	struct mqtt_str packet;
	u32 round, n, right = 0;
	struct any any;

	for (round = 0; round < 300000; round++) {
		c = &packet_cases[unit_random(nr_packet_cases)];
		packet = bytes(c->text);
		/* the fixed header stays, or hardly anything gets past it */
		for (n = 1 + unit_random(3); n && packet.len > 2; n--)
			((u8 *)packet.data)[2 + unit_random(packet.len - 2)] =
				unit_random(3) ? unit_random(256) :
				unit_random(8);
		right += !any_decode(&packet, c->version, &any);
		bytes_free(&packet);
	}
	CHECK(right > 1000);
}

#define CONNECT_NUMBERS	"11 01020304 21 0005 27 00010000 22 0007 19 01 17 00 "
#define CONNECT_PROPS	"[" CONNECT_NUMBERS "15 S'm' 16 S'd' 26 S'k' S'v']"
#define WILL_PROPS	"[18 00000009 01 01 02 00000008 03 S'ct' 08 S'rt' 09 S'cd']"

static void connect_fields(void)
{
	struct mqtt_str p = bytes("10 [ S'MQTT' 05 f6 0102 " CONNECT_PROPS
				  "S'id'" WILL_PROPS
				  "S'w/t' S'bye' S'user' S'pass' ]");
	struct mqtt_connect *connect;
	struct any any;

	CHECK_EQ(any_decode(&p, 0, &any), 0, "all there is");
	connect = &any.connect;
	CHECK_EQ(connect->version, MQTT_V5, "");
	CHECK(connect->clean_start && connect->has_will);
	CHECK(connect->has_username && connect->has_password);
	CHECK_EQ(connect->will_qos, 2, "");
	CHECK(connect->will_retain);
	CHECK_EQ(connect->keep_alive, 0x0102, "");
	CHECK(str_is(&connect->client_id, "id"));
	CHECK(str_is(&connect->will_topic, "w/t"));
	CHECK(str_is(&connect->will_payload, "bye"));
	CHECK(str_is(&connect->username, "user"));
	CHECK(str_is(&connect->password, "pass"));
	CHECK_EQ(connect->props.session_expiry, 0x01020304, "");
	CHECK_EQ(connect->props.receive_maximum, 5, "");
	CHECK_EQ(connect->props.maximum_packet_size, 65536, "");
	CHECK_EQ(connect->props.topic_alias_maximum, 7, "");
	CHECK_EQ(connect->props.request_response_info, 1, "");
	CHECK_EQ(connect->props.request_problem_info, 0, "");
	CHECK_EQ(connect->props.nr_user, 1, "");
	CHECK(str_is(&connect->props.auth_method, "m"));
	CHECK(str_is(&connect->props.auth_data, "d"));
	CHECK_EQ(connect->will_props.will_delay, 9, "");
	CHECK_EQ(connect->will_props.payload_format, 1, "");
	CHECK_EQ(connect->will_props.message_expiry, 8, "");
	CHECK(str_is(&connect->will_props.content_type, "ct"));
	CHECK(str_is(&connect->will_props.response_topic, "rt"));
	CHECK(str_is(&connect->will_props.correlation_data, "cd"));
	bytes_free(&p);
}

static void connect_defaults(void)
{
	static const char * const texts[] = {
		"10 [ S'MQTT' 05 00 0000 [] S'' ]",
		"10 [ S'MQTT' 04 00 0000 S'' ]",
		"10 [ S'MQIsdp' 03 39 0000 S'' ]",
	};
	struct mqtt_connect *connect;
	struct mqtt_str p;
	struct any any;
	u32 i;

	for (i = 0; i < 3; i++) {
		p = bytes(texts[i]);
		CHECK_EQ(any_decode(&p, 0, &any), 0, texts[i]);
		connect = &any.connect;
		CHECK_EQ(connect->version, 5 - i, texts[i]);
		CHECK(!connect->clean_start && !connect->has_will);
		CHECK(!connect->will_qos && !connect->will_retain);
		CHECK(!connect->has_username && !connect->has_password);
		CHECK(!connect->client_id.len && !connect->username.len);
		CHECK_EQ(connect->props.present, 0, texts[i]);
		CHECK_EQ(connect->props.receive_maximum, 65535, texts[i]);
		CHECK_EQ(connect->props.request_problem_info, 1, texts[i]);
		CHECK_EQ(connect->props.request_response_info, 0, texts[i]);
		CHECK_EQ(connect->props.maximum_packet_size, 0, texts[i]);
		CHECK_EQ(connect->props.session_expiry, 0, texts[i]);
		bytes_free(&p);
	}
}

/* which version to refuse a CONNECT in, whatever else is wrong with it */
static void connect_version_to_answer_in(void)
{
	static const struct {
		const char *body;
		u8 version;
	} table[] = {
		{ "", 0 },
		{ "S'MQTX' 05", 0 },
		{ "S'MQTT'", 0 },
		{ "S'MQTT' 04", 4 },
		{ "S'MQTT' 04 02 003c 0005", 4 },
		{ "S'MQIsdp' 03 02", 3 },
		{ "S'MQTT' 05 02 003c 05", 5 },
		{ "S'MQTT' 05 03", 5 },
		{ "S'MQTT' 06", 5 },
		{ "S'MQTT' ff", 5 },
		{ "S'MQTT' 03", 4 },
		{ "S'MQTT' 00", 4 },
		{ "S'MQTT' 84", 4 },
		{ "S'MQIsdp' 83", 4 },
		{ "S'MQIsdp' 04", 4 },
		{ "S'MQIsdp' 09", 5 },
	};
	struct mqtt_connect connect;
	struct mqtt_str body;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		body = bytes(table[i].body);
		CHECK(mqtt_decode_connect(body.data, body.len, &connect));
		CHECK_EQ(connect.version, table[i].version, table[i].body);
		bytes_free(&body);
	}
}

static void publish_fields(void)
{
	struct mqtt_str p = bytes("3d [ S'a/b' 1234 [23 0102 01 01 02 00000009] 'pay' ]");
	struct any any;

	CHECK_EQ(any_decode(&p, 5, &any), 0, "5.0");
	CHECK_EQ(any.publish.qos, 2, "");
	CHECK(any.publish.dup && any.publish.retain);
	CHECK_EQ(any.publish.packet_id, 0x1234, "");
	CHECK(str_is(&any.publish.topic, "a/b"));
	CHECK(str_is(&any.publish.payload, "pay"));
	CHECK_EQ(any.publish.props.topic_alias, 0x0102, "");
	CHECK_EQ(any.publish.props.payload_format, 1, "");
	CHECK_EQ(any.publish.props.message_expiry, 9, "");
	bytes_free(&p);

	p = bytes("30 [ S'a' 00 'pay' ]");
	CHECK_EQ(any_decode(&p, 4, &any), 0, "3.1.1");
	CHECK(!any.publish.qos && !any.publish.dup && !any.publish.retain);
	CHECK_EQ(any.publish.packet_id, 0, "");
	CHECK_EQ(any.publish.payload.len, 4, "");
	CHECK_EQ(any.publish.props.present, 0, "");
	bytes_free(&p);
}

static void subscribe_fields(void)
{
	struct mqtt_str p = bytes("82 [ 0102 [0b 8001] S'a/#' 2e S'+' 11 ]");
	struct mqtt_str filter, left;
	struct any any;
	u8 options;

	CHECK_EQ(any_decode(&p, 5, &any), 0, "");
	CHECK_EQ(any.subscribe.packet_id, 0x0102, "");
	CHECK_EQ(any.subscribe.nr, 2, "");
	CHECK_EQ(any.subscribe.props.subscription_id, 128, "");
	left = any.subscribe.filters;
	CHECK(mqtt_subscribe_next(&left, &options, &filter));
	CHECK(str_is(&filter, "a/#") && options == 0x2e);
	CHECK(mqtt_subscribe_next(&left, &options, &filter));
	CHECK(str_is(&filter, "+") && options == 0x11);
	CHECK(!mqtt_subscribe_next(&left, &options, &filter));
	bytes_free(&p);
}

static void reason_fields(void)
{
	struct mqtt_str p = bytes("50 [ 0102 97 [1f S'full'] ]");
	struct any any;

	CHECK_EQ(any_decode(&p, 5, &any), 0, "PUBREC");
	CHECK_EQ(any.ack.packet_id, 0x0102, "");
	CHECK_EQ(any.ack.reason, 0x97, "");
	CHECK(str_is(&any.ack.props.reason_string, "full"));
	bytes_free(&p);

	p = bytes("e0 [ 04 [11 ffffffff] ]");
	CHECK_EQ(any_decode(&p, 5, &any), 0, "DISCONNECT");
	CHECK_EQ(any.disconnect.reason, 4, "");
	CHECK(mqtt_props_has(&any.disconnect.props, MQTT_PROP_SESSION_EXPIRY));
	CHECK_EQ(any.disconnect.props.session_expiry, 0xffffffffLL, "");
	bytes_free(&p);

	p = bytes("e0 [ ]");
	CHECK_EQ(any_decode(&p, 5, &any), 0, "DISCONNECT");
	CHECK_EQ(any.disconnect.reason, 0, "");
	CHECK(!mqtt_props_has(&any.disconnect.props, MQTT_PROP_SESSION_EXPIRY));
	bytes_free(&p);
}

/* which codes a client may say in which packet: tables 3.4 to 3.15 */
static void every_reason_code(void)
{
	static const struct {
		u8 first;
		const char *codes;
	} table[] = {
		{ 0x40, "00 80 83 87 90 91 97 99" },
		{ 0x50, "00 80 83 87 90 91 97 99" },
		{ 0x62, "00 92" },
		{ 0x70, "00 92" },
		{ 0xe0, "00 04 80 81 82 83 90 93 94 95 96 97 98 99" },
		{ 0xf0, "18 19" },
	};
	u8 ack[] = { 0, 4, 0, 1, 0, 0 }, short_form[] = { 0, 2, 0, 0 };
	u8 auth[] = { 0, 6, 0, 4, 0x15, 0, 1, 'm' };
	struct mqtt_str codes, p;
	struct any any;
	u32 i, code;
	u8 rc;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		codes = bytes(table[i].codes);
		for (code = 0; code < 256; code++) {
			if (table[i].first == 0xf0) {
				auth[0] = table[i].first;
				auth[2] = code;
				p = bytes_copy(auth, sizeof(auth));
			} else if (table[i].first == 0xe0) {
				short_form[0] = table[i].first;
				short_form[2] = code;
				p = bytes_copy(short_form, sizeof(short_form));
			} else {
				ack[0] = table[i].first;
				ack[4] = code;
				p = bytes_copy(ack, sizeof(ack));
			}
			rc = memchr(codes.data, code, codes.len) ? 0 : 0x82;
			if (any_decode(&p, 5, &any) != rc)
				unit_fail(__FILE__, __LINE__,
					  "code %02x in %02x", code,
					  table[i].first);
			bytes_free(&p);
		}
		bytes_free(&codes);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(table_of_packets),
	UNIT_TEST(connect_fields),
	UNIT_TEST(connect_defaults),
	UNIT_TEST(connect_version_to_answer_in),
	UNIT_TEST(publish_fields),
	UNIT_TEST(subscribe_fields),
	UNIT_TEST(reason_fields),
	UNIT_TEST(every_reason_code),
	UNIT_TEST(cut_anywhere),
	UNIT_TEST(every_bit_flipped),
	UNIT_TEST(every_byte_replaced),
	UNIT_TEST(random_damage),
};

UNIT_SUITE(decode, tests);
