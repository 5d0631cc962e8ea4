// SPDX-License-Identifier: GPL-2.0
#include "base64.h"

#include <stdint.h>

#include "ctl.h"

char *base64_encode(const void *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = ctl_alloc((len + 2) / 3 * 4 + 1), *p = out;
	const unsigned char *s = data;
	uint32_t three;
	size_t n, i;

	for (; len; s += n, len -= n) {
		n = len < 3 ? len : 3;
		three = s[0] << 16;
		if (n > 1)
			three |= s[1] << 8;
		if (n > 2)
			three |= s[2];
		for (i = 0; i < 4; i++)
			*p++ = i > n ? '=' : digits[three >> (18 - 6 * i) & 63];
	}
	*p = '\0';
	return out;
}
