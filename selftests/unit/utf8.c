// SPDX-License-Identifier: GPL-2.0
/* UTF-8 strings (1.5.4), by table and against a second opinion. */
#include <string.h>
#include "bytes.h"
#include "topic.h"
#include "unit.h"

static const struct {
	bool valid;
	const char *text;
} table[] = {
	{ true,  "" },
	{ true,  "'a'" },
	{ false, "00" },			/* [MQTT-1.5.4-2] */
	{ false, "'a' 00 'b'" },
	{ true,  "01" },			/* discouraged, not forbidden */
	{ true,  "1f 7f" },
	{ true,  "c280" },			/* first of two bytes */
	{ true,  "dfbf" },
	{ false, "c080" },			/* U+0000 in two bytes */
	{ false, "c1bf" },
	{ false, "c2" },
	{ false, "c2 'a'" },
	{ false, "c2c0" },
	{ true,  "e0a080" },			/* first of three */
	{ false, "e09fbf" },			/* overlong */
	{ false, "e08080" },
	{ false, "e0a0" },
	{ false, "e0a0 'a'" },
	{ true,  "ed9fbf" },			/* U+D7FF */
	{ false, "eda080" },			/* U+D800 [MQTT-1.5.4-1] */
	{ false, "edbfbf" },			/* U+DFFF */
	{ false, "eda080 edb080" },		/* a pair of surrogates */
	{ true,  "ee8080" },			/* U+E000 */
	{ true,  "efbfbe" },			/* U+FFFE */
	{ true,  "efbfbf" },			/* U+FFFF */
	{ true,  "efbbbf" },			/* U+FEFF [MQTT-1.5.4-3] */
	{ true,  "'a' efbbbf 'b'" },
	{ true,  "f0908080" },			/* first of four */
	{ false, "f08fbfbf" },			/* overlong */
	{ false, "f0808080" },
	{ true,  "f48fbfbf" },			/* U+10FFFF */
	{ false, "f4908080" },			/* U+110000 */
	{ false, "f5808080" },
	{ false, "f8 80808080" },		/* five bytes */
	{ false, "fc 8080808080" },		/* six */
	{ false, "f09080" },
	{ false, "f090 80 'a'" },
	{ false, "fe" },
	{ false, "ff" },
	{ false, "80" },			/* a tail without a head */
	{ false, "bf" },
	{ false, "'a' 80" },
	{ true,  "f09f9880 'x' e282ac c3a4" },
};

static void table_of_sequences(void)
{
	struct mqtt_str s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		s = bytes(table[i].text);
		CHECK_EQ(mqtt_utf8_valid(s.data, s.len), table[i].valid,
			 table[i].text);
		bytes_free(&s);
	}
}

static u32 encode(u32 point, u8 *out)
{
	if (point < 0x80) {
		out[0] = point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = 0xc0 | point >> 6;
		out[1] = 0x80 | (point & 0x3f);
		return 2;
	}
	if (point < 0x10000) {
		out[0] = 0xe0 | point >> 12;
		out[1] = 0x80 | (point >> 6 & 0x3f);
		out[2] = 0x80 | (point & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | point >> 18;
	out[1] = 0x80 | (point >> 12 & 0x3f);
	out[2] = 0x80 | (point >> 6 & 0x3f);
	out[3] = 0x80 | (point & 0x3f);
	return 4;
}

static bool allowed(u32 point)
{
	return point && point <= 0x10ffff &&
	       (point < 0xd800 || point > 0xdfff);
}

static void every_code_point(void)
{
	u32 point, n;
	u8 s[4];

	for (point = 0; point < 0x200000; point++) {
		n = encode(point, s);
		if (mqtt_utf8_valid(s, n) != allowed(point))
			unit_fail(__FILE__, __LINE__, "U+%04X", point);
		if (n > 1 && mqtt_utf8_valid(s, n - 1))
			unit_fail(__FILE__, __LINE__, "U+%04X cut", point);
	}
}

/* The other way round: is @s what encode() makes of some code point? */
static bool naive_valid(const u8 *s, u32 len)
{
	u32 i, n, point;
	u8 again[4];

	while (len) {
		n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
		if (n > len)
			return false;
		point = n == 1 ? s[0] : s[0] & (0xff >> (n + 1));
		for (i = 1; i < n; i++)
			point = point << 6 | (s[i] & 0x3f);
		if (!allowed(point) || encode(point, again) != n ||
		    memcmp(s, again, n))
			return false;
		s += n;
		len -= n;
	}
	return true;
}

static void every_three_bytes(void)
{
	u32 i;
	u8 s[3];

	for (i = 0; i < 1 << 24; i++) {
		s[0] = i >> 16;
		s[1] = i >> 8;
		s[2] = i;
		if (mqtt_utf8_valid(s, 3) != naive_valid(s, 3))
			unit_fail(__FILE__, __LINE__, "%06x", i);
	}
}

static void random_strings(void)
{
	static const u8 likely[] = { 'a', 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
				     0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf1, 0xf4 };
	u32 round, i, n, valid = 0;
	u8 s[8];

	for (round = 0; round < 2000000; round++) {
		n = 1 + unit_random(sizeof(s));
		for (i = 0; i < n; i++)
			s[i] = unit_random(16) ?
				likely[unit_random(sizeof(likely))] :
				unit_random(256);
		valid += naive_valid(s, n);
		if (mqtt_utf8_valid(s, n) != naive_valid(s, n))
			unit_fail(__FILE__, __LINE__, "round %u", round);
	}
	CHECK(valid > 1000);
}

static const struct unit_test tests[] = {
	UNIT_TEST(table_of_sequences),
	UNIT_TEST(every_code_point),
	UNIT_TEST(every_three_bytes),
	UNIT_TEST(random_strings),
};

UNIT_SUITE(utf8, tests);
