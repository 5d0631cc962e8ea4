// SPDX-License-Identifier: GPL-2.0
/* What MQTT accepts as text. */
#include "topic.h"

#include <linux/string.h>

static bool is_tail(u8 c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Bytes of the multi-byte sequence at @s, 0 if it is none. The second byte's
 * range depends on the first: that is what shuts out overlong forms (c0, c1,
 * e0 below a0, f0 below 90), surrogates (ed from a0 on) and what lies beyond
 * U+10FFFF (f4 from 90 on, f5 and above).
 */
static u32 sequence_len(const u8 *s, u32 left)
{
	u8 low = 0x80, high = 0xbf;
	u32 i, n;

	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;

	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;

	if (left < n || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < n; i++)
		if (!is_tail(s[i]))
			return 0;
	return n;
}

/* Bytes at the beginning, eight at a time, that are ASCII and not zero. */
static u32 ascii_len(const u8 *s, u32 len)
{
	const u64 ones = 0x0101010101010101ULL, tops = ones << 7;
	u64 word;
	u32 i;

	for (i = 0; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s + i, sizeof(word));
		/* With no top bit set, a zero borrows the one above it. */
		if ((word | (word - ones)) & tops)
			break;
	}
	return i;
}

bool mqtt_utf8_valid(const u8 *s, u32 len)
{
	u32 i, n;

	for (i = ascii_len(s, len); i < len; i += n) {
		n = 1;
		if (s[i] & 0x80)
			n = sequence_len(s + i, len - i);
		else if (!s[i])
			return false;
		if (!n)
			return false;
	}
	return true;
}
