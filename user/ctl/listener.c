// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "escape.h"
#include "parse.h"
#include "sockfile.h"

enum {
	COL_ID,
	COL_ENDPOINT,
	COL_ADDRESS,
	COL_PORT,
	COL_PATH,
	COL_AUTH,
	COL_CONNECTIONS,
	COL_MAX,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_ID] = { "listener_id", "ID", OUT_RIGHT },
	[COL_ENDPOINT] = { "", "ADDRESS", OUT_TEXT },
	[COL_ADDRESS] = { "address", "", OUT_JSON },
	[COL_PORT] = { "port", "", OUT_JSON },
	[COL_PATH] = { "path", "", OUT_JSON },
	[COL_AUTH] = { "auth", "AUTH", 0 },
	[COL_CONNECTIONS] = { "connections", "CONNECTIONS", OUT_RIGHT },
	[COL_MAX] = { "max_connections", "MAX", OUT_RIGHT },
};

/**
 * struct listener_options - "[auth MODE] [max-connections N]"
 * @has_auth: auth was given
 * @auth: enum kmqtt_auth_mode
 * @has_max: max-connections was given
 * @max: its value, 0: the broker's limit only
 */
struct listener_options {
	bool has_auth;
	uint8_t auth;
	bool has_max;
	uint32_t max;
};

static void read_options(struct ctl *ctl, struct listener_options *o)
{
	static const char *const words[] = { "auth", "max-connections", NULL };
	const char *value;

	memset(o, 0, sizeof(*o));
	while (ctl->argc) {
		if (ctl_keyword(ctl, ctl_next(ctl, "option"), words)) {
			value = ctl_next(ctl, "max-connections' number");
			o->max = parse_u64(ctl, "max-connections", value, 0,
					   UINT32_MAX);
			o->has_max = true;
		} else {
			value = ctl_next(ctl,
					 "auth's mode (refuse, open or authority)");
			o->auth = parse_auth_mode(ctl, value);
			o->has_auth = true;
		}
	}
}

static void put_options(const struct ctl *ctl, struct nl_msg *msg,
			const struct listener_options *o)
{
	if (o->has_auth)
		ctl_put(ctl, msg, KMQTT_A_AUTH_MODE, &o->auth,
			sizeof(o->auth));
	if (o->has_max)
		ctl_put(ctl, msg, KMQTT_A_MAX_CONNECTIONS, &o->max,
			sizeof(o->max));
}

static void put_endpoint(const struct ctl *ctl, struct nl_msg *msg,
			 const struct endpoint *ep)
{
	if (ep->path) {
		ctl_put_string(ctl, msg, KMQTT_A_PATH, ep->path);
		return;
	}
	ctl_put(ctl, msg, KMQTT_A_ADDRESS, ep->addr, ep->len);
	ctl_put(ctl, msg, KMQTT_A_PORT, &ep->port, sizeof(ep->port));
}

static uint32_t parse_id(const struct ctl *ctl, const char *text)
{
	return parse_u64(ctl, "the listener's ID", text, 1, UINT32_MAX);
}

static int take_id(int cmd, struct nlattr **attrs, void *arg)
{
	uint32_t *id = arg;

	*id = attr_u64(attrs, KMQTT_A_LISTENER_ID);
	return 0;
}

/* Returns 0 with its @id, or a negative errno. */
static int add(struct ctl *ctl, const struct endpoint *ep,
	       const struct listener_options *o, uint32_t *id)
{
	struct nl_msg *msg = ctl_msg(ctl, KMQTT_CMD_LISTENER_NEW);

	put_endpoint(ctl, msg, ep);
	put_options(ctl, msg, o);
	return kmnl_request(ctl->nl, msg, take_id, id);
}

static int listener_add(struct ctl *ctl)
{
	const char *text = ctl_next(ctl,
				    "the address, as 127.0.0.1:1883, or the path");
	struct listener_options o;
	struct endpoint ep;
	uint32_t id = 0;
	int ret;

	parse_endpoint(ctl, text, &ep);
	read_options(ctl, &o);
	ret = add(ctl, &ep, &o, &id);
	/* the file may be of a listener that has gone */
	if (ret == -EADDRINUSE && ep.path && !sockfile_remove(ep.path))
		ret = add(ctl, &ep, &o, &id);
	if (ret < 0)
		return ctl_answered(ctl, ret);
	if (ctl->out.json) {
		json_begin(&ctl->out.writer, '{');
		json_key(&ctl->out.writer, columns[COL_ID].key);
		json_u64(&ctl->out.writer, id);
		json_end(&ctl->out.writer, '}');
	}
	out_say(&ctl->out, "listener %" PRIu32 " on %s", id, text);
	if (!o.has_auth)
		ctl_warn(ctl,
			 "note: it refuses everybody until told %s%" PRIu32 " auth open",
			 "otherwise, as by kmqttctl listener set ", id);
	return CTL_OK;
}

static int listener_del(struct ctl *ctl)
{
	const char *text = ctl_next(ctl, "the ID, the address or the path");
	bool by_id = !text[strspn(text, "0123456789")];
	struct endpoint ep = { .len = 0 };
	struct nl_msg *msg;
	uint32_t id = 0;
	int status;

	if (by_id)
		id = parse_id(ctl, text);
	else
		parse_endpoint(ctl, text, &ep);
	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_LISTENER_DEL);
	if (by_id)
		ctl_put(ctl, msg, KMQTT_A_LISTENER_ID, &id, sizeof(id));
	else
		put_endpoint(ctl, msg, &ep);
	status = ctl_request(ctl, msg, NULL, NULL);
	if (status == CTL_OK && ep.path)
		sockfile_remove(ep.path);
	return status;
}

static int listener_set(struct ctl *ctl)
{
	uint32_t id = parse_id(ctl, ctl_next(ctl, "the listener's ID"));
	struct listener_options o;
	struct nl_msg *msg;

	read_options(ctl, &o);
	if (!o.has_auth && !o.has_max)
		ctl_usage(ctl, "what to set is missing: auth or max-connections");
	msg = ctl_msg(ctl, KMQTT_CMD_LISTENER_SET);
	ctl_put(ctl, msg, KMQTT_A_LISTENER_ID, &id, sizeof(id));
	put_options(ctl, msg, &o);
	return ctl_request(ctl, msg, NULL, NULL);
}

/* which listener to show: 0 for all; and how many were */
struct shown {
	struct ctl *ctl;
	uint32_t id;
	unsigned long found;
};

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	struct shown *shown = arg;
	struct out *out = &shown->ctl->out;

	if (shown->id && attr_u64(attrs, KMQTT_A_LISTENER_ID) != shown->id)
		return 0;
	shown->found++;
	out_row(out);
	attr_out_u64(out, COL_ID, attrs, KMQTT_A_LISTENER_ID);
	attr_out_endpoint(out, COL_ENDPOINT, attrs);
	if (attrs[KMQTT_A_AUTH_MODE])
		out_word(out, COL_AUTH,
			 auth_mode_name(attr_u64(attrs, KMQTT_A_AUTH_MODE)));
	attr_out_u64(out, COL_CONNECTIONS, attrs, KMQTT_A_CONNECTIONS);
	if (attrs[KMQTT_A_MAX_CONNECTIONS]) {
		if (attr_u64(attrs, KMQTT_A_MAX_CONNECTIONS))
			attr_out_u64(out, COL_MAX, attrs,
				     KMQTT_A_MAX_CONNECTIONS);
		else
			out_u64_as(out, COL_MAX, 0, "-");
	}
	return 0;
}

static int listener_show(struct ctl *ctl)
{
	struct shown shown = { .ctl = ctl };
	struct nl_msg *msg;
	int status;

	if (ctl->argc)
		shown.id = parse_id(ctl, ctl_next(ctl, "ID"));
	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_LISTENER_GET);
	out_table(&ctl->out, columns, COLUMNS);
	status = ctl_dump(ctl, msg, show_one, &shown);
	out_table_end(&ctl->out);
	if (status == CTL_OK && shown.id && !shown.found) {
		ctl_warn(ctl, "there is no listener %" PRIu32, shown.id);
		return CTL_REFUSED;
	}
	return status;
}

const struct ctl_verb listener_verbs[] = {
	{ "show", "[ID]", "list the listeners", listener_show },
	{ "add", "ADDRESS:PORT|PATH [auth refuse|open|authority] [max-connections N]",
	  "accept nobody's connections (default), everybody's, or whose the daemon says",
	  listener_add },
	{ "set", "ID [auth refuse|open|authority] [max-connections N]",
	  "change it for new connections", listener_set },
	{ "del", "ID|ADDRESS:PORT|PATH", "close it and end its connections",
	  listener_del },
	{ NULL, NULL, NULL, NULL }
};
