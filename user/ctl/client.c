// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "escape.h"
#include "parse.h"

enum {
	COL_CLIENT,
	COL_USER,
	COL_VERSION,
	COL_ENDPOINT,
	COL_ADDRESS,
	COL_PORT,
	COL_PATH,
	COL_LISTENER,
	COL_KEEP_ALIVE,
	COL_AGE,
	COL_PACKETS_IN,
	COL_PACKETS_OUT,
	COL_BYTES_IN,
	COL_BYTES_OUT,
	COL_DROPPED,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_CLIENT] = { "client_id", "CLIENT", 0 },
	[COL_USER] = { "username", "USER", 0 },
	[COL_VERSION] = { "version", "MQTT", 0 },
	[COL_ENDPOINT] = { "", "PEER", OUT_TEXT },
	[COL_ADDRESS] = { "address", "", OUT_JSON },
	[COL_PORT] = { "port", "", OUT_JSON },
	[COL_PATH] = { "path", "", OUT_JSON },
	[COL_LISTENER] = { "listener_id", "LISTENER", OUT_RIGHT },
	[COL_KEEP_ALIVE] = { "keep_alive", "KEEPALIVE", OUT_RIGHT },
	[COL_AGE] = { "age_ms", "SINCE", OUT_RIGHT },
	[COL_PACKETS_IN] = { "packets_in", "PACKETS-IN",
			     OUT_RIGHT | OUT_STATISTICS },
	[COL_PACKETS_OUT] = { "packets_out", "PACKETS-OUT",
			      OUT_RIGHT | OUT_STATISTICS },
	[COL_BYTES_IN] = { "bytes_in", "BYTES-IN",
			   OUT_RIGHT | OUT_STATISTICS },
	[COL_BYTES_OUT] = { "bytes_out", "BYTES-OUT",
			    OUT_RIGHT | OUT_STATISTICS },
	[COL_DROPPED] = { "dropped", "DROPPED", OUT_RIGHT | OUT_STATISTICS },
};

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	struct ctl_match *match = arg;
	struct out *out = &match->ctl->out;

	if (!ctl_match_id(match, attr_str(attrs, KMQTT_A_CLIENT_ID)))
		return 0;
	out_row(out);
	attr_out_str(out, COL_CLIENT, attrs, KMQTT_A_CLIENT_ID);
	attr_out_str(out, COL_USER, attrs, KMQTT_A_USERNAME);
	if (attrs[KMQTT_A_VERSION])
		out_word(out, COL_VERSION,
			 version_name(attr_u64(attrs, KMQTT_A_VERSION)));
	attr_out_endpoint(out, COL_ENDPOINT, attrs);
	attr_out_u64(out, COL_LISTENER, attrs, KMQTT_A_LISTENER_ID);
	attr_out_u64(out, COL_KEEP_ALIVE, attrs, KMQTT_A_KEEP_ALIVE);
	attr_out_age(out, COL_AGE, attrs);
	attr_out_u64(out, COL_PACKETS_IN, attrs, KMQTT_A_PACKETS_IN);
	attr_out_u64(out, COL_PACKETS_OUT, attrs, KMQTT_A_PACKETS_OUT);
	attr_out_u64(out, COL_BYTES_IN, attrs, KMQTT_A_BYTES_IN);
	attr_out_u64(out, COL_BYTES_OUT, attrs, KMQTT_A_BYTES_OUT);
	attr_out_u64(out, COL_DROPPED, attrs, KMQTT_A_DROPPED);
	return 0;
}

static int client_show(struct ctl *ctl)
{
	return ctl_match_show(ctl, KMQTT_CMD_CLIENT_GET, columns, COLUMNS,
			      show_one, "client is connected");
}

static int client_kick(struct ctl *ctl)
{
	static const char *const words[] = { "reason", NULL };
	const char *id = ctl_next(ctl, "the client identifier");
	bool has_reason = false;
	struct nl_msg *msg;
	uint8_t reason = 0;

	if (ctl->argc) {
		ctl_keyword(ctl, ctl_next(ctl, "reason"), words);
		reason = parse_reason(ctl, ctl_next(ctl, "the reason code"));
		has_reason = true;
	}
	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_CLIENT_DEL);
	ctl_put_string(ctl, msg, KMQTT_A_CLIENT_ID, id);
	if (has_reason)
		ctl_put(ctl, msg, KMQTT_A_REASON, &reason, sizeof(reason));
	return ctl_request(ctl, msg, NULL, NULL);
}

const struct ctl_verb client_verbs[] = {
	{ "show", "[[id] ID] [like PATTERN]",
	  "list connected clients; with -s their traffic", client_show },
	{ "kick", "ID [reason CODE|NAME]",
	  "end its connection (0x98, administrative-action); its session stays",
	  client_kick },
	{ NULL, NULL, NULL, NULL }
};
