// SPDX-License-Identifier: GPL-2.0
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/kmqtt.h>
#include <netlink/attr.h>

#include "diag.h"
#include "genl.h"
#include "log.h"
#include "loop.h"
#include "peer.h"

#define RCVBUF	(2 * 1024 * 1024)

static struct kmnl *nl;
static bool connections;

/*
 * @connection: subject to connection_messages
 * @limited: what a peer can cause as often as it likes
 */
static const struct event {
	enum log_type type;
	bool connection;
	bool limited;
	const char *text;
} events[KMQTT_EVENT_MAX + 1] = {
	[KMQTT_EVENT_CONNECTED]		= { LOG_TYPE_NOTICE, true, false,
					    "connected" },
	[KMQTT_EVENT_DISCONNECTED]	= { LOG_TYPE_NOTICE, true, false,
					    "disconnected" },
	[KMQTT_EVENT_TAKEN_OVER]	= { LOG_TYPE_NOTICE, true, false,
					    "connected again: its old connection ends" },
	[KMQTT_EVENT_REFUSED]		= { LOG_TYPE_NOTICE, true, true,
					    "could not connect" },
	[KMQTT_EVENT_DROPPED]		= { LOG_TYPE_WARNING, false, true,
					    "does not keep up: messages for it were dropped" },
	[KMQTT_EVENT_SESSION_EXPIRED]	= { LOG_TYPE_INFO, false, true,
					    "did not come back: its session is deleted" },
	[KMQTT_EVENT_SUBSCRIBED]	= { LOG_TYPE_SUBSCRIBE, false, false,
					    "subscribed to" },
	[KMQTT_EVENT_UNSUBSCRIBED]	= { LOG_TYPE_UNSUBSCRIBE, false, false,
					    "unsubscribed from" },
	[KMQTT_EVENT_ACL_DENIED]	= { LOG_TYPE_NOTICE, false, true,
					    "was denied access to" },
};

static int event_handle(int cmd, struct nlattr **a, void *arg)
{
	char client[PEER_TEXT_SIZE], reason[32] = "";
	const char *topic = "";
	const struct event *e;
	unsigned int type;

	if (cmd != KMQTT_CMD_EVENT || !a[KMQTT_A_EVENT_TYPE])
		return 0;
	type = nla_get_u8(a[KMQTT_A_EVENT_TYPE]);
	if (type > KMQTT_EVENT_MAX || !events[type].text)
		return 0;
	e = &events[type];
	if ((e->connection && !connections) || !log_wants(e->type))
		return 0;
	if (a[KMQTT_A_TOPIC])
		topic = nla_get_string(a[KMQTT_A_TOPIC]);
	else if (a[KMQTT_A_FILTER])
		topic = nla_get_string(a[KMQTT_A_FILTER]);
	if (a[KMQTT_A_REASON] && nla_get_u8(a[KMQTT_A_REASON]))
		snprintf(reason, sizeof(reason), ", reason 0x%02x",
			 nla_get_u8(a[KMQTT_A_REASON]));
	peer_text(a, client, sizeof(client));
	(e->limited ? log_limited : log_line)(e->type, "%s %s%s%s%s", client,
					      e->text, *topic ? " " : "",
					      diag_quote(topic), reason);
	return 0;
}

static void events_read(void *arg)
{
	int ret = kmnl_read(nl);

	if (ret == -ENOBUFS)
		log_limited(LOG_TYPE_WARNING,
			    "some events of clients are missing here: they came faster than they were logged");
	else if (ret < 0)
		log_limited(LOG_TYPE_WARNING, "%s", kmnl_error(nl));
}

static bool any_wanted(void)
{
	for (int i = 0; i <= KMQTT_EVENT_MAX; i++) {
		if (events[i].text && log_wants(events[i].type) &&
		    (!events[i].connection || connections))
			return true;
	}
	return false;
}

static void events_open(void)
{
	char err[256];
	int ret;

	nl = kmnl_open(err, sizeof(err));
	if (!nl) {
		log_warning("clients will not be logged: %s", err);
		return;
	}
	kmnl_set_rcvbuf(nl, RCVBUF);
	kmnl_set_handler(nl, event_handle, NULL);
	if (kmnl_subscribe(nl) < 0) {
		log_warning("clients will not be logged: %s", kmnl_error(nl));
		goto err_close;
	}
	ret = loop_add(kmnl_fd(nl), events_read, NULL);
	if (ret < 0) {
		log_warning("clients will not be logged: %s", strerror(-ret));
		goto err_close;
	}
	return;

err_close:
	kmnl_close(nl);
	nl = NULL;
}

void events_set(const struct config *c)
{
	connections = c->connection_messages;
	if (!any_wanted())
		events_close();
	else if (!nl)
		events_open();
}

void events_close(void)
{
	if (!nl)
		return;
	loop_del(kmnl_fd(nl));
	kmnl_close(nl);
	nl = NULL;
}
