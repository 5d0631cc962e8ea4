// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "attr.h"

enum {
	COL_CLIENT,
	COL_QOS,
	COL_OPTIONS,
	COL_NO_LOCAL,
	COL_AS_PUBLISHED,
	COL_HANDLING,
	COL_ID,
	COL_FILTER,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_CLIENT] = { "client_id", "CLIENT", 0 },
	[COL_QOS] = { "qos", "QOS", OUT_RIGHT },
	[COL_OPTIONS] = { "", "OPTIONS", OUT_TEXT },
	[COL_NO_LOCAL] = { "no_local", "", OUT_JSON },
	[COL_AS_PUBLISHED] = { "retain_as_published", "", OUT_JSON },
	[COL_HANDLING] = { "retain_handling", "", OUT_JSON },
	[COL_ID] = { "subscription_id", "ID", OUT_RIGHT },
	[COL_FILTER] = { "filter", "FILTER", 0 },
};

/* the subscription options byte [MQTT-3.8.3.1] */
enum {
	OPTION_NO_LOCAL = 0x04,
	OPTION_AS_PUBLISHED = 0x08,
	OPTION_HANDLING = 0x30,
	OPTION_HANDLING_SHIFT = 4,
};

static void show_options(struct out *out, unsigned int options)
{
	unsigned int handling = (options & OPTION_HANDLING) >>
				OPTION_HANDLING_SHIFT;
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s",
		 options & OPTION_NO_LOCAL ? ",no-local" : "",
		 options & OPTION_AS_PUBLISHED ? ",as-published" : "",
		 handling == 2 ? ",no-retained" :
		 handling == 1 ? ",retained-if-new" : "");
	out_word(out, COL_OPTIONS, *text ? text + 1 : "-");
	out_bool(out, COL_NO_LOCAL, options & OPTION_NO_LOCAL);
	out_bool(out, COL_AS_PUBLISHED, options & OPTION_AS_PUBLISHED);
	out_u64(out, COL_HANDLING, handling);
}

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	struct ctl_match *match = arg;
	struct out *out = &match->ctl->out;

	if (!ctl_match_id(match, attr_str(attrs, KMQTT_A_CLIENT_ID)))
		return 0;
	out_row(out);
	attr_out_str(out, COL_CLIENT, attrs, KMQTT_A_CLIENT_ID);
	attr_out_u64(out, COL_QOS, attrs, KMQTT_A_QOS);
	if (attrs[KMQTT_A_OPTIONS])
		show_options(out, attr_u64(attrs, KMQTT_A_OPTIONS));
	attr_out_u64(out, COL_ID, attrs, KMQTT_A_SUBSCRIPTION_ID);
	attr_out_str(out, COL_FILTER, attrs, KMQTT_A_FILTER);
	return 0;
}

static int subscription_show(struct ctl *ctl)
{
	return ctl_match_show(ctl, KMQTT_CMD_SUBSCRIPTION_GET, columns, COLUMNS,
			      show_one, NULL);
}

const struct ctl_verb subscription_verbs[] = {
	{ "show", "[[id] ID] [like PATTERN]",
	  "list subscriptions, of all clients or of some",
	  subscription_show },
	{ NULL, NULL, NULL, NULL }
};
