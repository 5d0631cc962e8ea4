// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "attr.h"

enum {
	COL_CLIENT,
	COL_USER,
	COL_CONNECTED,
	COL_EXPIRY,
	COL_SUBSCRIPTIONS,
	COL_INFLIGHT,
	COL_QUEUED,
	COL_QUEUED_BYTES,
	COL_AWAITING_REL,
	COL_DROPPED,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_CLIENT] = { "client_id", "CLIENT", 0 },
	[COL_USER] = { "username", "USER", 0 },
	[COL_CONNECTED] = { "connected", "CONNECTED", 0 },
	[COL_EXPIRY] = { "expiry", "EXPIRY", OUT_RIGHT },
	[COL_SUBSCRIPTIONS] = { "subscriptions", "SUBSCRIPTIONS", OUT_RIGHT },
	[COL_INFLIGHT] = { "inflight", "INFLIGHT", OUT_RIGHT },
	[COL_QUEUED] = { "queued", "QUEUED", OUT_RIGHT },
	[COL_QUEUED_BYTES] = { "queued_bytes", "QUEUED-BYTES",
			       OUT_RIGHT | OUT_STATISTICS },
	[COL_AWAITING_REL] = { "awaiting_rel", "AWAITING-REL",
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
	if (attrs[KMQTT_A_CONNECTED])
		out_bool(out, COL_CONNECTED,
			 attr_u64(attrs, KMQTT_A_CONNECTED));
	attr_out_expiry(out, COL_EXPIRY, attrs);
	attr_out_u64(out, COL_SUBSCRIPTIONS, attrs, KMQTT_A_SUBSCRIPTIONS);
	attr_out_u64(out, COL_INFLIGHT, attrs, KMQTT_A_INFLIGHT);
	attr_out_u64(out, COL_QUEUED, attrs, KMQTT_A_QUEUED);
	attr_out_u64(out, COL_QUEUED_BYTES, attrs, KMQTT_A_QUEUED_BYTES);
	attr_out_u64(out, COL_AWAITING_REL, attrs, KMQTT_A_AWAITING_REL);
	attr_out_u64(out, COL_DROPPED, attrs, KMQTT_A_DROPPED);
	return 0;
}

static int session_show(struct ctl *ctl)
{
	return ctl_match_show(ctl, KMQTT_CMD_SESSION_GET, columns, COLUMNS,
			      show_one, "client has a session");
}

static int session_drop(struct ctl *ctl)
{
	const char *id = ctl_next(ctl, "the client identifier");
	struct nl_msg *msg;

	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_SESSION_DEL);
	ctl_put_string(ctl, msg, KMQTT_A_CLIENT_ID, id);
	return ctl_request(ctl, msg, NULL, NULL);
}

const struct ctl_verb session_verbs[] = {
	{ "show", "[[id] ID] [like PATTERN]",
	  "list sessions; with -s more of their state", session_show },
	{ "drop", "ID",
	  "forget it with its subscriptions and queued messages, and end its connection",
	  session_drop },
	{ NULL, NULL, NULL, NULL }
};
