// SPDX-License-Identifier: GPL-2.0
/* Variable byte integers, fixed headers and their flags. */
#include <errno.h>
#include <string.h>
#include "bytes.h"
#include "unit.h"
#include "wire.h"

static const struct {
	u32 value;
	const char *text;
} numbers[] = {
	{ 0, "00" },
	{ 1, "01" },
	{ 127, "7f" },
	{ 128, "8001" },
	{ 16383, "ff7f" },
	{ 16384, "808001" },
	{ 2097151, "ffff7f" },
	{ 2097152, "80808001" },
	{ 268435455, "ffffff7f" },
};

#define NR_NUMBERS	(ARRAY_SIZE(numbers))

static void varint_boundaries(void)
{
	struct mqtt_str s, in;
	u32 value = 0, len;
	u8 out[4], *end;
	size_t i;

	for (i = 0; i < NR_NUMBERS; i++) {
		s = bytes(numbers[i].text);
		in = s;
		CHECK_EQ(mqtt_get_varint(&in, &value), 1, numbers[i].text);
		CHECK_EQ(value, numbers[i].value, numbers[i].text);
		CHECK_EQ(in.len, 0, numbers[i].text);
		for (len = 0; len < s.len; len++) {
			in.data = s.data;
			in.len = len;
			CHECK_EQ(mqtt_get_varint(&in, &value), 0,
				 numbers[i].text);
		}
		end = mqtt_put_varint(out, numbers[i].value);
		CHECK_EQ(end - out, s.len, numbers[i].text);
		CHECK(!memcmp(out, s.data, s.len));
		CHECK_EQ(mqtt_varint_len(numbers[i].value), s.len,
			 numbers[i].text);
		bytes_free(&s);
	}
}

static void varint_malformed(void)
{
	static const char * const table[] = {
		/* longer than necessary [MQTT-1.5.5-1] */
		"8000", "ff00", "808000", "80808000", "ffffff00",
		/* more than four bytes */
		"80808080", "ffffffff", "8080808001", "ffffffff7f",
	};
	struct mqtt_str s, in;
	u32 value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		s = bytes(table[i]);
		in = s;
		CHECK_EQ(mqtt_get_varint(&in, &value), -1, table[i]);
		bytes_free(&s);
	}
}

static void varint_round_trip(void)
{
	struct mqtt_str in;
	u32 round, value, got = 0;
	u8 out[4];

	for (round = 0; round < 1000000; round++) {
		value = unit_random(MQTT_REMAINING_MAX + 1U) >> unit_random(28);
		in.data = out;
		in.len = mqtt_put_varint(out, value) - out;
		CHECK_EQ(in.len, mqtt_varint_len(value), "length");
		CHECK_EQ(mqtt_get_varint(&in, &got), 1, "get");
		CHECK_EQ(got, value, "value");
	}
}

static void getters_stop_at_the_end(void)
{
	struct mqtt_str s = bytes("010203"), in, value;
	u32 u32_value;
	u16 u16_value;
	u8 u8_value;

	in = s;
	CHECK(!mqtt_get_u32(&in, &u32_value));
	CHECK(mqtt_get_u16(&in, &u16_value) && u16_value == 0x0102);
	CHECK(!mqtt_get_u16(&in, &u16_value));
	CHECK(mqtt_get_u8(&in, &u8_value) && u8_value == 3);
	CHECK(!mqtt_get_u8(&in, &u8_value));
	bytes_free(&s);

	s = bytes("0003 'ab'");
	in = s;
	CHECK(!mqtt_get_bytes(&in, &value));
	bytes_free(&s);
	s = bytes("0003 'abc' 80000001");
	in = s;
	CHECK(mqtt_get_bytes(&in, &value) && str_is(&value, "abc"));
	CHECK(mqtt_get_u32(&in, &u32_value) && u32_value == 0x80000001);
	bytes_free(&s);
}

static const struct {
	const char *text;
	int ret;
	u8 type, flags, len;
	u32 remaining;
} headers[] = {
	{ "",              0 },
	{ "10",            0 },
	{ "1000",          1, 1, 0, 2, 0 },
	{ "c000 ffff",     1, 12, 0, 2, 0 },
	{ "327f",          1, 3, 2, 2, 127 },
	{ "3080",          0 },
	{ "308001",        1, 3, 0, 3, 128 },
	{ "3d ffff7f",     1, 3, 13, 4, 2097151 },
	{ "30 ffffff",     0 },
	{ "30 ffffff7f",   1, 3, 0, 5, 268435455 },
	{ "30 ffffff7f 00", 1, 3, 0, 5, 268435455 },
	{ "30 ffffffff",   -EBADMSG },
	{ "30 8080808000", -EBADMSG },
	{ "30 8000",       -EBADMSG },
	{ "30 80808000",   -EBADMSG },
	{ "0000",          1, 0, 0, 2, 0 },
	{ "ff01",          1, 15, 15, 2, 1 },
};

static void fixed_headers(void)
{
	struct mqtt_fixed fixed;
	struct mqtt_str s;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(headers); i++) {
		s = bytes(headers[i].text);
		memset(&fixed, 0xee, sizeof(fixed));
		ret = mqtt_decode_fixed(s.data, s.len, &fixed);
		CHECK_EQ(ret, headers[i].ret, headers[i].text);
		if (ret == 1) {
			CHECK_EQ(fixed.type, headers[i].type, headers[i].text);
			CHECK_EQ(fixed.flags, headers[i].flags,
				 headers[i].text);
			CHECK_EQ(fixed.len, headers[i].len, headers[i].text);
			CHECK_EQ(fixed.remaining, headers[i].remaining,
				 headers[i].text);
		}
		bytes_free(&s);
	}
}

/* [MQTT-2.1.3-1]: all first bytes that are right, for each version */
static bool first_byte_right(u8 first, u8 version)
{
	static const u8 common[] = {
		0x10, 0x20, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x3a, 0x3b,
		0x3c, 0x3d, 0x40, 0x50, 0x62, 0x70, 0x82, 0x90, 0xa2, 0xb0,
		0xc0, 0xd0, 0xe0,
	};

	if (memchr(common, first, sizeof(common)))
		return true;
	if (first == 0xf0)
		return version == 5;
	/* DUP of a repeated PUBREL, SUBSCRIBE, UNSUBSCRIBE */
	if (first == 0x6a || first == 0x8a || first == 0xaa)
		return version == 3;
	return false;
}

static void every_first_byte(void)
{
	static const u8 versions[] = { 0, 3, 4, 5 };
	struct mqtt_fixed fixed;
	u8 buf[2] = { 0, 0 };
	u32 first, v;

	for (first = 0; first < 256; first++) {
		buf[0] = first;
		CHECK_EQ(mqtt_decode_fixed(buf, 2, &fixed), 1, "fixed");
		for (v = 0; v < sizeof(versions); v++)
			if (mqtt_decode_flags(&fixed, versions[v]) !=
			    (first_byte_right(first, versions[v]) ? 0 : 0x81))
				unit_fail(__FILE__, __LINE__,
					  "first byte %02x, version %u", first,
					  versions[v]);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(varint_boundaries),
	UNIT_TEST(varint_malformed),
	UNIT_TEST(varint_round_trip),
	UNIT_TEST(getters_stop_at_the_end),
	UNIT_TEST(fixed_headers),
	UNIT_TEST(every_first_byte),
};

UNIT_SUITE(wire, tests);
