// SPDX-License-Identifier: GPL-2.0
/* Properties: each in each packet, once and twice, cut, and passed on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "unit.h"

/*
 * Table 2-4 of the standard, by packet: a letter of this string is a packet
 * type, and stands at its number. W: the will.
 */
static const char packets[] = "WCkPrctmSsUu..DA";

#define ANY	"WCkPrctmSsUuDA"
#define REASONS	"krctmsuDA"
#define CLIENTS	"WCPrctmSUDA"

static const struct property {
	u8 id;
	const char *where;	/* all that may hold it */
	const char *client;	/* those of them that a client may send */
	const char *value;
} properties[] = {
	{ 0x01, "PW",  "PW",  "01" },
	{ 0x02, "PW",  "PW",  "00000000" },
	{ 0x03, "PW",  "PW",  "S'text'" },
	{ 0x08, "PW",  "PW",  "S'a/b'" },
	{ 0x09, "PW",  "PW",  "0004 00ff80fe" },
	{ 0x0b, "PS",  "S",   "ffffff7f" },
	{ 0x11, "CkD", "CD",  "ffffffff" },
	{ 0x12, "k",   "",    "S'id'" },
	{ 0x13, "k",   "",    "003c" },
	{ 0x15, "CkA", "CA",  "S'method'" },
	{ 0x16, "CkA", "CA",  "0002 ff00" },
	{ 0x17, "C",   "C",   "00" },
	{ 0x18, "W",   "W",   "00000000" },
	{ 0x19, "C",   "C",   "01" },
	{ 0x1a, "k",   "",    "S'info'" },
	{ 0x1c, "kD",  "",    "S'there'" },
	{ 0x1f, REASONS, "rctmDA", "S'because'" },
	{ 0x21, "Ck",  "C",   "0001" },
	{ 0x22, "Ck",  "C",   "0000" },
	{ 0x23, "P",   "P",   "ffff" },
	{ 0x24, "k",   "",    "01" },
	{ 0x25, "k",   "",    "00" },
	{ 0x26, ANY,   CLIENTS,   "S'name' S''" },
	{ 0x27, "Ck",  "C",   "00000001" },
	{ 0x28, "k",   "",    "01" },
	{ 0x29, "k",   "",    "01" },
	{ 0x2a, "k",   "",    "01" },
};

static const struct property *find(u8 id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(properties); i++)
		if (properties[i].id == id)
			return &properties[i];
	return NULL;
}

static u8 decode(const char *text, u8 type, struct mqtt_props *props)
{
	struct mqtt_str s = bytes(text), in = s;
	u8 rc = mqtt_props_decode(&in, type, props);

	CHECK(rc || !in.len);
	bytes_free(&s);
	/* its views are gone with the bytes */
	return rc;
}

static void each_in_each_packet(void)
{
	const struct property *p;
	struct mqtt_props props;
	char text[128];
	u32 id, type;
	u8 rc;

	for (id = 0; id < 256; id++) {
		p = find(id);
		for (type = 0; type < 16; type++) {
			/* what needs it has it */
			snprintf(text, sizeof(text), "[ %s %02x %s ]",
				 id == 0x16 && strchr("CA", packets[type]) ?
				 "15 S'm'" : "", id, p ? p->value : "00");
			rc = decode(text, type, &props);
			if (!p || !strchr(p->where, packets[type]))
				CHECK_EQ(rc, 0x81, text);
			else if (!strchr(p->client, packets[type]))
				CHECK_EQ(rc, 0x82, text);
			else
				CHECK_EQ(rc, 0, text);
			if (!rc)
				CHECK(mqtt_props_has(&props, id));
		}
	}
}

static void each_twice(void)
{
	const struct property *p;
	struct mqtt_props props;
	char text[128];
	u32 type;

	for (p = properties; p < properties + ARRAY_SIZE(properties); p++) {
		for (type = 0; type < 16; type++) {
			if (!strchr(p->client, packets[type]))
				continue;
			snprintf(text, sizeof(text),
				 "[ %02x %s 26 S'' S'' %02x %s ]", p->id,
				 p->value, p->id, p->value);
			CHECK_EQ(decode(text, type, &props),
				 p->id == 0x26 ? 0 : 0x82, text);
			if (p->id == 0x26)
				CHECK_EQ(props.nr_user, 3, text);
		}
	}
}

/* A property cut short is malformed, wherever it is cut. */
static void each_cut(void)
{
	const struct property *p;
	struct mqtt_str value, cut, in;
	struct mqtt_props props;
	u32 type, len;
	u8 buf[64];

	for (p = properties; p < properties + ARRAY_SIZE(properties); p++) {
		if (!*p->client)
			continue;
		type = strchr(packets, *p->client) - packets;
		value = bytes(p->value);
		for (len = 0; len < value.len; len++) {
			buf[0] = len + 1;
			buf[1] = p->id;
			memcpy(buf + 2, value.data, len);
			cut = bytes_copy(buf, len + 2);
			in = cut;
			CHECK_EQ(mqtt_props_decode(&in, type, &props), 0x81,
				 p->value);
			bytes_free(&cut);
		}
		bytes_free(&value);
	}
}

static const struct {
	u8 type;
	u8 rc;
	const char *text;
} values[] = {
	{ MQTT_CONNECT,   0,    "[]" },
	{ MQTT_CONNECT,   0x81, "" },
	{ MQTT_CONNECT,   0x81, "01" },
	{ MQTT_CONNECT,   0x81, "8000" },
	{ MQTT_CONNECT,   0x81, "80" },
	{ MQTT_CONNECT,   0x81, "ffffffff01" },
	{ MQTT_CONNECT,   0x82, "[17 02]" },
	{ MQTT_CONNECT,   0x82, "[19 ff]" },
	{ MQTT_CONNECT,   0x82, "[21 0000]" },
	{ MQTT_CONNECT,   0,    "[21 ffff]" },
	{ MQTT_CONNECT,   0x82, "[27 00000000]" },
	{ MQTT_CONNECT,   0,    "[27 ffffffff]" },
	{ MQTT_CONNECT,   0x82, "[16 S'data']" },
	{ MQTT_CONNECT,   0,    "[16 S'data' 15 S'']" },
	{ MQTT_CONNECT,   0x81, "[15 0001 00]" },
	{ MQTT_CONNECT,   0x81, "[15 0003 eda080]" },
	{ MQTT_CONNECT,   0x81, "[26 0001 c1 S'']" },
	{ MQTT_CONNECT,   0x81, "[26 S'' 0001 c1]" },
	{ MQTT_CONNECT,   0x81, "[26 S'']" },
	{ MQTT_CONNECT,   0x81, "[26 S'' 00]" },
	{ MQTT_CONNECT,   0x81, "[9100 00000000]" },
	{ MQTT_PUBLISH,   0x82, "[01 02]" },
	{ MQTT_PUBLISH,   0x94, "[23 0000]" },
	{ MQTT_PUBLISH,   0,    "[23 0001]" },
	{ MQTT_PUBLISH,   0,    "[09 0000]" },
	{ MQTT_PUBLISH,   0,    "[03 S'']" },
	{ MQTT_PUBLISH,   0x82, "[08 S'a/#']" },
	{ MQTT_PUBLISH,   0x82, "[08 S'']" },
	{ MQTT_PUBLISH,   0x81, "[09 0002 00]" },
	{ MQTT_SUBSCRIBE, 0x82, "[0b 00]" },
	{ MQTT_SUBSCRIBE, 0,    "[0b 01]" },
	{ MQTT_SUBSCRIBE, 0,    "[0b 8001]" },
	{ MQTT_SUBSCRIBE, 0x81, "[0b 8000]" },
	{ MQTT_SUBSCRIBE, 0x81, "[0b ffffffff]" },
	{ MQTT_SUBSCRIBE, 0x81, "[0b ffffffff7f]" },
	{ MQTT_SUBSCRIBE, 0x81, "[0b]" },
};

static void values_in_and_out_of_range(void)
{
	struct mqtt_props props;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		CHECK_EQ(decode(values[i].text, values[i].type, &props),
			 values[i].rc, values[i].text);
}

static void stops_at_its_length(void)
{
	struct mqtt_str s = bytes("[11 00000001] 21 0000"), in = s;
	struct mqtt_props props;

	CHECK_EQ(mqtt_props_decode(&in, MQTT_CONNECT, &props), 0, "");
	CHECK_EQ(in.len, 3, "left");
	CHECK(in.data == s.data + 6);
	CHECK(props.raw.data == s.data + 1 && props.raw.len == 5);
	CHECK_EQ(props.session_expiry, 1, "");
	CHECK_EQ(props.receive_maximum, 65535, "default");
	bytes_free(&s);
}

static const struct {
	const char *from, *to;
} forwards[] = {
	{ "", "" },
	{ "23 0001", "" },
	{ "02 0000000a", "" },
	{ "0b 01 0b ffffff7f", "" },
	{ "18 00000001", "" },
	{ "01 01", "01 01" },
	{ "23 0001 01 00 02 00000001", "01 00" },
	{ "26 S'b' S'1' 23 0001 26 S'a' S'2' 02 0000000a 26 S'b' S'1'",
	  "26 S'b' S'1' 26 S'a' S'2' 26 S'b' S'1'" },
	{ "03 S'c' 09 0003 230001 08 S'r' 01 01",
	  "03 S'c' 09 0003 230001 08 S'r' 01 01" },
	{ "18 00000001 03 S'c' 02 00000002 26 S'' S''", "03 S'c' 26 S'' S''" },
};

static void forwarded_by_table(void)
{
	struct mqtt_str from, to, out;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forwards); i++) {
		from = bytes(forwards[i].from);
		to = bytes(forwards[i].to);
		out = bytes_copy(to.data, to.len);
		memset((u8 *)out.data, 0xee, out.len);
		CHECK_EQ(mqtt_props_forward(&from, NULL), to.len,
			 forwards[i].from);
		CHECK_EQ(mqtt_props_forward(&from, (u8 *)out.data), to.len,
			 forwards[i].from);
		CHECK(!memcmp(out.data, to.data, to.len));
		bytes_free(&from);
		bytes_free(&to);
		bytes_free(&out);
	}
}

/* any mix of what a message may have, in any order */
static void forwarded_at_random(void)
{
	static const char * const parts[] = {
		"01 00 ", "03 S'ct' ", "08 S'r/t' ", "09 0002 2300 ",
		"26 S'k' S'v' ", "26 S'' S'' ",
		/* from here on: not forwarded */
		"02 00000005 ", "23 0009 ", "0b 8001 ", "18 00000009 ",
	};
	char all[256], kept[256];
	struct mqtt_str from, to;
	u32 round, n, which;
	u8 out[256];

	for (round = 0; round < 20000; round++) {
		all[0] = 0;
		kept[0] = 0;
		for (n = unit_random(12); n; n--) {
			which = unit_random(ARRAY_SIZE(parts));
			strcat(all, parts[which]);
			if (which < 6)
				strcat(kept, parts[which]);
		}
		from = bytes(all);
		to = bytes(kept);
		CHECK_EQ(mqtt_props_forward(&from, out), to.len, all);
		CHECK(!memcmp(out, to.data, to.len));
		bytes_free(&from);
		bytes_free(&to);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(each_in_each_packet),
	UNIT_TEST(each_twice),
	UNIT_TEST(each_cut),
	UNIT_TEST(values_in_and_out_of_range),
	UNIT_TEST(stops_at_its_length),
	UNIT_TEST(forwarded_by_table),
	UNIT_TEST(forwarded_at_random),
};

UNIT_SUITE(property, tests);
