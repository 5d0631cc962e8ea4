// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>

#include "attr.h"
#include "base64.h"
#include "escape.h"

/* columns that a payload may take in text */
#define PAYLOAD_WIDTH	48

enum {
	COL_TOPIC,
	COL_QOS,
	COL_SIZE,
	COL_AGE,
	COL_EXPIRY,
	COL_PAYLOAD,
	COL_BASE64,
	COL_TRUNCATED,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_TOPIC] = { "topic", "TOPIC", 0 },
	[COL_QOS] = { "qos", "QOS", OUT_RIGHT },
	[COL_SIZE] = { "size", "SIZE", OUT_RIGHT },
	[COL_AGE] = { "age_ms", "AGE", OUT_RIGHT },
	[COL_EXPIRY] = { "expiry", "EXPIRY", OUT_RIGHT },
	[COL_PAYLOAD] = { "payload", "PAYLOAD", 0 },
	[COL_BASE64] = { "payload_base64", "", OUT_JSON },
	[COL_TRUNCATED] = { "payload_truncated", "", OUT_JSON },
};

/*
 * In JSON a payload that is text is a string, any other is base64. The kernel
 * cuts it by bytes, which may split its last character: that one is left out.
 */
static void show_payload(struct out *out, struct nlattr *const *attrs)
{
	const char *data = nla_data(attrs[KMQTT_A_PAYLOAD]);
	size_t len = nla_len(attrs[KMQTT_A_PAYLOAD]), whole = len;
	bool cut = attrs[KMQTT_A_SIZE] &&
		   attr_u64(attrs, KMQTT_A_SIZE) > len;
	char *encoded;

	while (cut && whole > len - 3 && len > 3 && !utf8_valid(data, whole))
		whole--;
	if (!out->json) {
		out_bytes(out, COL_PAYLOAD, data, len, PAYLOAD_WIDTH);
		return;
	}
	if (utf8_valid(data, whole)) {
		out_bytes(out, COL_PAYLOAD, data, whole, 0);
	} else {
		encoded = base64_encode(data, len);
		out_word(out, COL_BASE64, encoded);
		free(encoded);
	}
	out_bool(out, COL_TRUNCATED, cut);
}

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	struct ctl *ctl = arg;
	struct out *out = &ctl->out;

	out_row(out);
	attr_out_str(out, COL_TOPIC, attrs, KMQTT_A_TOPIC);
	attr_out_u64(out, COL_QOS, attrs, KMQTT_A_QOS);
	attr_out_u64(out, COL_SIZE, attrs, KMQTT_A_SIZE);
	attr_out_age(out, COL_AGE, attrs);
	attr_out_expiry(out, COL_EXPIRY, attrs);
	if (attrs[KMQTT_A_PAYLOAD])
		show_payload(out, attrs);
	return 0;
}

static int retained_show(struct ctl *ctl)
{
	const char *filter = NULL;
	struct nl_msg *msg;
	int status;

	if (ctl->argc)
		filter = ctl_next(ctl, "the topic filter");
	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_RETAINED_GET);
	if (filter)
		ctl_put_string(ctl, msg, KMQTT_A_FILTER, filter);
	out_table(&ctl->out, columns, COLUMNS);
	status = ctl_dump(ctl, msg, show_one, ctl);
	out_table_end(&ctl->out);
	return status;
}

static int take_count(int cmd, struct nlattr **attrs, void *arg)
{
	uint64_t *count = arg;

	*count = attr_u64(attrs, KMQTT_A_COUNT);
	return 0;
}

static int retained_clear(struct ctl *ctl)
{
	const char *filter = ctl_next(ctl,
				      "the topic filter ('#' for all but $-topics)");
	uint64_t count = 0;
	struct nl_msg *msg;
	int status;

	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_RETAINED_DEL);
	ctl_put_string(ctl, msg, KMQTT_A_FILTER, filter);
	status = ctl_request(ctl, msg, take_count, &count);
	if (status != CTL_OK)
		return status;
	if (ctl->out.json) {
		json_begin(&ctl->out.writer, '{');
		json_key(&ctl->out.writer, "cleared");
		json_u64(&ctl->out.writer, count);
		json_end(&ctl->out.writer, '}');
	}
	out_say(&ctl->out, "%" PRIu64 " cleared", count);
	return CTL_OK;
}

const struct ctl_verb retained_verbs[] = {
	{ "show", "[FILTER]", "list retained messages and how they begin",
	  retained_show },
	{ "clear", "FILTER", "forget those whose topic matches",
	  retained_clear },
	{ NULL, NULL, NULL, NULL }
};
