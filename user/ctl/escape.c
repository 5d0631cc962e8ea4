// SPDX-License-Identifier: GPL-2.0
#include "escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ctl.h"

size_t utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = s[0];
	size_t n, i;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	*cp = c & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

bool utf8_valid(const char *s, size_t len)
{
	uint32_t cp;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		if (!n)
			return false;
	}
	return true;
}

bool escape_needed(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} obeyed[] = {
		{ 0x00, 0x1f },		{ 0x7f, 0x9f },
		{ 0x61c, 0x61c },	{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },	{ 0x2060, 0x206f },
		{ 0xfeff, 0xfeff },	{ 0xfff9, 0xfffb },
		{ 0xe0000, 0xe007f },
	};
	size_t i;

	for (i = 0; i < sizeof(obeyed) / sizeof(*obeyed); i++)
		if (cp >= obeyed[i].first && cp <= obeyed[i].last)
			return true;
	return false;
}

/* one code point, or one byte that is none; returns the bytes written */
static int escape_one(char *to, const char *s, size_t n, uint32_t cp,
		      bool quoted)
{
	if (!n)
		return sprintf(to, "\\x%02x", (unsigned char)*s);
	if (cp == '\\' || (cp == '"' && quoted))
		return sprintf(to, "\\%c", (int)cp);
	if (cp == '\n')
		return sprintf(to, "\\n");
	if (cp == '\t')
		return sprintf(to, "\\t");
	if (!escape_needed(cp)) {
		memcpy(to, s, n);
		return n;
	}
	if (cp < 0x80)
		return sprintf(to, "\\x%02" PRIx32, cp);
	if (cp < 0x10000)
		return sprintf(to, "\\u%04" PRIx32, cp);
	return sprintf(to, "\\U%08" PRIx32, cp);
}

static size_t code_point_width(uint32_t cp)
{
	int w = wcwidth(cp);

	/* not known to the locale: most characters take one column */
	return w < 0 ? 1 : w;
}

static char *escape(const char *s, size_t len, size_t max, bool quoted)
{
	size_t n, width = 0, w;
	char *out, *p, *fit;
	uint32_t cp = 0;
	int written;

	/* a code point of 3 bytes takes 6, one of 4 takes 10; a byte 4 */
	out = ctl_alloc(4 * len + 16);
	p = out;
	if (quoted)
		*p++ = '"';
	for (fit = p; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		written = escape_one(p, s, n, cp, quoted);
		w = n && !escape_needed(cp) && cp >= 0x80 ?
		    code_point_width(cp) : (size_t)written;
		n = n ? n : 1;
		if (max && width + w > max)
			break;
		p += written;
		width += w;
		if (max && width + 3 <= max)
			fit = p;
	}
	if (len)
		p = stpcpy(fit, "...");
	if (quoted)
		*p++ = '"';
	*p = '\0';
	return out;
}

char *escape_text(const char *s, size_t len, size_t max)
{
	return escape(s, len, max, !len || (len == 1 && *s == '-') ||
		      memchr(s, ' ', len) || memchr(s, '"', len));
}

char *escape_words(const char *s)
{
	return escape(s, strlen(s), 0, false);
}

size_t escape_width(const char *s)
{
	size_t len = strlen(s), width = 0, n;
	uint32_t cp;

	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		if (n)
			width += code_point_width(cp);
		else
			n = 1;
	}
	return width;
}
