// SPDX-License-Identifier: GPL-2.0
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "answer.h"
#include "run.h"
#include "slot.h"

/** struct reference - answers to one session, by type */
struct reference {
	uint8_t *data;
	size_t len;
};

static struct reference references[64];

/* All packets of one type in their order, then those of the next. */
static size_t by_type(uint8_t *out, const uint8_t *in, size_t len, bool loose)
{
	size_t at, done = 0;
	long size;
	int type;

	for (type = 0; type < 16; type++) {
		for (at = 0; at < len; at += size) {
			size = answer_next(in + at, len - at);
			if (size <= 0)
				break;
			if (in[at] >> 4 != type)
				continue;
			memcpy(out + done, in + at, size);
			/* Its length is behind the first byte. */
			if (loose && size > 2)
				memset(out + done + 2, 0, size - 2);
			done += size;
		}
	}
	return done;
}

/* The name of the case that the answers are to. */
static void forget_name(uint8_t *data, size_t len, const char *name)
{
	uint8_t *at = data, *end = data + len;

	while ((at = memmem(at, end - at, name, SESSION_TOKEN_LEN)))
		memcpy(at, SESSION_TOKEN, SESSION_TOKEN_LEN);
}

static bool types_as_said(const struct session *s, const uint8_t *in,
			  size_t len)
{
	int wanted[16] = {}, i;
	const char *c;
	char hex[2] = "";
	size_t at;
	long size;

	for (i = 0; i < s->nr; i++) {
		for (c = s->steps[i].answers; *c; c++) {
			hex[0] = *c;
			wanted[strtol(hex, NULL, 16)]++;
		}
	}
	for (at = 0; at < len; at += size) {
		size = answer_next(in + at, len - at);
		if (size <= 0)
			return false;
		wanted[in[at] >> 4]--;
	}
	for (i = 0; i < 16; i++)
		if (wanted[i])
			return false;
	return true;
}

static void say_bytes(const char *what, const uint8_t *data, size_t len)
{
	char text[3 * 160 + 1];
	size_t i;

	for (i = 0; i < len && i < 160; i++)
		sprintf(text + 3 * i, " %02x", data[i]);
	text[3 * i] = '\0';
	run_say("%s:%s", what, text);
}

void reference_check(const struct plan *plan, const uint8_t *in, size_t len)
{
	struct reference *ref = &references[plan->session - sessions];
	uint8_t *sorted = malloc(len + 1);

	if (!sorted)
		run_die("memory");
	if (!types_as_said(plan->session, in, len)) {
		run_fail("not the answers that session '%s' is due, %s; again: %s",
			 plan->session->name, plan->text, slots_case(plan));
		say_bytes("answers", in, len);
		free(sorted);
		return;
	}
	len = by_type(sorted, in, len, plan->session->loose);
	forget_name(sorted, len, plan->name);
	if (!ref->data) {
		ref->data = sorted;
		ref->len = len;
		return;
	}
	if (len != ref->len || memcmp(sorted, ref->data, len)) {
		run_fail("other answers than to the session in one piece: '%s', %s; again: %s",
			 plan->session->name, plan->text, slots_case(plan));
		say_bytes("in pieces", sorted, len);
		say_bytes("in one", ref->data, ref->len);
	}
	free(sorted);
}
