// SPDX-License-Identifier: GPL-2.0
#include "bytes.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Twice the longest text, which may be a string of 64 KiB and its packet. */
#define BYTES_MAX	(144 * 1024)

static void wrong(const char *text)
{
	fprintf(stderr, "not a row of bytes: %s\n", text);
	abort();
}

static const char *quoted(const char *p, u8 *out, u32 *len, bool prefix)
{
	const char *end = strchr(p, '\'');
	u32 n = end - p;

	if (prefix) {
		out[(*len)++] = n >> 8;
		out[(*len)++] = n;
	}
	memcpy(out + *len, p, n);
	*len += n;
	return end + 1;
}

/* put the length of what stands from @start on in front of it */
static void close_bracket(u8 *out, u32 start, u32 *len)
{
	u32 n = *len - start, left = n, size = 0;
	u8 varint[4];

	do {
		varint[size] = left % 128;
		left /= 128;
		if (left)
			varint[size] |= 128;
		size++;
	} while (left);
	memmove(out + start + size, out + start, n);
	memcpy(out + start, varint, size);
	*len += size;
}

struct mqtt_str bytes(const char *text)
{
	u32 len = 0, depth = 0, start[4];
	static u8 out[BYTES_MAX];
	const char *p = text;
	int used;

	if (strlen(text) > BYTES_MAX / 2)
		wrong(text);
	while (*p) {
		if (isspace((unsigned char)*p)) {
			p++;
		} else if (*p == '\'' && strchr(p + 1, '\'')) {
			p = quoted(p + 1, out, &len, false);
		} else if (p[0] == 'S' && p[1] == '\'' && strchr(p + 2, '\'')) {
			p = quoted(p + 2, out, &len, true);
		} else if (*p == '[' && depth < 4) {
			start[depth++] = len;
			p++;
		} else if (*p == ']' && depth) {
			close_bracket(out, start[--depth], &len);
			p++;
		} else if (sscanf(p, "%2hhx%n", &out[len], &used) == 1 &&
			   used == 2) {
			len++;
			p += 2;
		} else {
			wrong(p);
		}
	}
	if (depth)
		wrong(text);
	return bytes_copy(out, len);
}

struct mqtt_str bytes_copy(const u8 *data, u32 len)
{
	/* one more in front, for malloc(0) need not give a block */
	u8 *block = malloc(len + 1);
	struct mqtt_str s = { block + 1, len };

	if (!block)
		abort();
	if (len)
		memcpy(block + 1, data, len);
	return s;
}

void bytes_free(struct mqtt_str *block)
{
	free((void *)(block->data - 1));
}

struct mqtt_str str(const char *text)
{
	struct mqtt_str s = { (const u8 *)text, strlen(text) };

	return s;
}

bool str_is(const struct mqtt_str *s, const char *text)
{
	return s->len == strlen(text) && !memcmp(s->data, text, s->len);
}

bool within(const struct mqtt_str *part, const struct mqtt_str *whole)
{
	if (!part->len)
		return true;
	return part->data >= whole->data && part->len <= whole->len &&
	       part->data + part->len <= whole->data + whole->len;
}
