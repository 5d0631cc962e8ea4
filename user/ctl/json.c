// SPDX-License-Identifier: GPL-2.0
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "escape.h"

static void json_newline(struct json *j)
{
	int i;

	if (!j->pretty)
		return;
	putc('\n', j->to);
	for (i = 0; i < j->depth; i++)
		putc('\t', j->to);
}

/* what stands between the value before and this one */
static void json_separate(struct json *j)
{
	if (j->keyed) {
		j->keyed = false;
		return;
	}
	if (j->filled[j->depth])
		putc(',', j->to);
	if (j->depth)
		json_newline(j);
	j->filled[j->depth] = true;
}

void json_begin(struct json *j, char bracket)
{
	assert(j->depth < JSON_DEPTH);
	json_separate(j);
	putc(bracket, j->to);
	j->filled[++j->depth] = false;
}

void json_end(struct json *j, char bracket)
{
	bool filled = j->filled[j->depth];

	assert(j->depth > 0);
	j->depth--;
	if (filled)
		json_newline(j);
	putc(bracket, j->to);
	if (!j->depth) {
		putc('\n', j->to);
		j->filled[0] = false;
	}
}

static void json_char(struct json *j, const char *s, size_t n, uint32_t cp)
{
	switch (cp) {
	case '"':
	case '\\':
		fprintf(j->to, "\\%c", (int)cp);
		break;
	case '\n':
		fputs("\\n", j->to);
		break;
	case '\t':
		fputs("\\t", j->to);
		break;
	default:
		/* a terminal may be reading: nothing raw that it would obey */
		if (!escape_needed(cp))
			fwrite(s, 1, n, j->to);
		else if (cp < 0x10000)
			fprintf(j->to, "\\u%04" PRIx32, cp);
		else
			fprintf(j->to, "\\u%04" PRIx32 "\\u%04" PRIx32,
				0xd800 + ((cp - 0x10000) >> 10),
				0xdc00 + ((cp - 0x10000) & 0x3ff));
	}
}

static void json_text(struct json *j, const char *s, size_t len)
{
	uint32_t cp;
	size_t n;

	putc('"', j->to);
	for (; len; s += n, len -= n) {
		n = utf8_decode(s, len, &cp);
		if (n) {
			json_char(j, s, n, cp);
		} else {
			fputs("\\ufffd", j->to);
			n = 1;
		}
	}
	putc('"', j->to);
}

void json_string(struct json *j, const char *s, size_t len)
{
	json_separate(j);
	json_text(j, s, len);
}

void json_key(struct json *j, const char *key)
{
	json_separate(j);
	json_text(j, key, strlen(key));
	fputs(j->pretty ? ": " : ":", j->to);
	j->keyed = true;
}

void json_u64(struct json *j, uint64_t v)
{
	json_separate(j);
	fprintf(j->to, "%" PRIu64, v);
}

void json_bool(struct json *j, bool v)
{
	json_separate(j);
	fputs(v ? "true" : "false", j->to);
}
