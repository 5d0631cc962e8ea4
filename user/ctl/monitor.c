// SPDX-License-Identifier: GPL-2.0
/* A line for each event, until the user, the reader or the module ends it. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <netlink/socket.h>

#include "attr.h"
#include "escape.h"
#include "family.h"
#include "parse.h"

/* bytes of events that may wait while the reader of our output is slow */
#define EVENT_BUFFER	(4 * 1024 * 1024)

#define TIME_TEXT	48

/* by enum kmqtt_event; the empty name is that of none */
static const char *const event_names[KMQTT_EVENT_MAX + 2] = {
	[KMQTT_EVENT_UNSPEC] = "",
	[KMQTT_EVENT_CONNECTED] = "connected",
	[KMQTT_EVENT_DISCONNECTED] = "disconnected",
	[KMQTT_EVENT_REFUSED] = "refused",
	[KMQTT_EVENT_TAKEN_OVER] = "taken-over",
	[KMQTT_EVENT_DROPPED] = "dropped",
	[KMQTT_EVENT_SESSION_EXPIRED] = "session-expired",
	[KMQTT_EVENT_SUBSCRIBED] = "subscribed",
	[KMQTT_EVENT_UNSUBSCRIBED] = "unsubscribed",
	[KMQTT_EVENT_ACL_DENIED] = "acl-denied",
	[KMQTT_EVENT_LISTENER_ADDED] = "listener-added",
	[KMQTT_EVENT_LISTENER_REMOVED] = "listener-removed",
};

/**
 * struct monitor - what is shown
 * @ctl: run
 * @wanted: by enum kmqtt_event: was asked for
 * @all: nothing was asked for in particular
 */
struct monitor {
	struct ctl *ctl;
	bool wanted[KMQTT_EVENT_MAX + 1];
	bool all;
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	ended = 1;
}

/* local time with its offset, in ISO 8601 */
static void now_text(char text[TIME_TEXT])
{
	struct timespec now;
	char zone[16];
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text + n, TIME_TEXT - n, ".%06ld%.3s:%s",
		 now.tv_nsec / 1000, zone, zone + 3);
}

static void value_word(struct out *out, const char *label, const char *key,
		       const char *word)
{
	if (out->json) {
		json_key(&out->writer, key);
		json_string(&out->writer, word, strlen(word));
	} else {
		fprintf(out->writer.to, " %s %s", label, word);
	}
}

static void value_str(struct out *out, const char *label, const char *key,
		      struct nlattr *const *attrs, int type)
{
	const char *s = attr_str(attrs, type);
	char *text;

	if (!attrs[type])
		return;
	if (out->json) {
		value_word(out, label, key, s);
		return;
	}
	text = escape_text(s, strlen(s), 0);
	value_word(out, label, key, text);
	free(text);
}

static void value_u64(struct out *out, const char *label, const char *key,
		      struct nlattr *const *attrs, int type)
{
	if (!attrs[type])
		return;
	if (out->json) {
		json_key(&out->writer, key);
		json_u64(&out->writer, attr_u64(attrs, type));
	} else {
		fprintf(out->writer.to, " %s %" PRIu64, label,
			attr_u64(attrs, type));
	}
}

static void value_reason(struct out *out, struct nlattr *const *attrs)
{
	uint8_t code = attr_u64(attrs, KMQTT_A_REASON);
	const char *name = reason_name(code);

	if (!attrs[KMQTT_A_REASON])
		return;
	if (!out->json) {
		fprintf(out->writer.to, " reason 0x%02x", code);
		if (name)
			fprintf(out->writer.to, " (%s)", name);
		return;
	}
	value_u64(out, "reason", "reason", attrs, KMQTT_A_REASON);
	if (name)
		value_word(out, "", "reason_name", name);
}

static void value_endpoint(struct out *out, const char *label,
			   struct nlattr *const *attrs)
{
	static const struct out_column columns[] = {
		{ "", "", OUT_TEXT },
		{ "address", "", OUT_JSON },
		{ "port", "", OUT_JSON },
		{ "path", "", OUT_JSON },
	};
	const struct nlattr *a = attrs[KMQTT_A_ADDRESS];
	char text[ENDPOINT_TEXT];

	if (out->json) {
		out->columns = columns;
		attr_out_endpoint(out, 0, attrs);
		return;
	}
	value_str(out, label, "", attrs, KMQTT_A_PATH);
	if (!a)
		return;
	format_endpoint(text, nla_data(a), nla_len(a),
			attr_u64(attrs, KMQTT_A_PORT));
	value_word(out, label, "", text);
}

static void line_begin(struct out *out, const char *event)
{
	char now[TIME_TEXT];

	now_text(now);
	if (out->json) {
		json_begin(&out->writer, '{');
		json_key(&out->writer, "time");
		json_string(&out->writer, now, strlen(now));
		json_key(&out->writer, "event");
		json_string(&out->writer, event, strlen(event));
	} else {
		fprintf(out->writer.to, "%s %s", now, event);
	}
}

static int line_end(struct out *out)
{
	if (out->json)
		json_end(&out->writer, '}');
	else
		putc('\n', out->writer.to);
	fflush(out->writer.to);
	return out_check(out) ? -EPIPE : 0;
}

static int on_event(int cmd, struct nlattr **attrs, void *arg)
{
	unsigned int type = attr_u64(attrs, KMQTT_A_EVENT_TYPE);
	struct monitor *m = arg;
	struct out *out = &m->ctl->out;
	bool listener = type == KMQTT_EVENT_LISTENER_ADDED ||
			type == KMQTT_EVENT_LISTENER_REMOVED;

	if (cmd != KMQTT_CMD_EVENT || out_check(out))
		return 0;
	/* a newer module may have more events: shown without a name */
	if (!m->all && (type > KMQTT_EVENT_MAX || !m->wanted[type]))
		return 0;
	line_begin(out, type && type <= KMQTT_EVENT_MAX ? event_names[type] :
		   "unknown");
	value_str(out, "client", "client_id", attrs, KMQTT_A_CLIENT_ID);
	value_str(out, "user", "username", attrs, KMQTT_A_USERNAME);
	value_endpoint(out, listener ? "on" : "from", attrs);
	value_u64(out, "listener", "listener_id", attrs, KMQTT_A_LISTENER_ID);
	value_reason(out, attrs);
	value_u64(out, "dropped", "dropped", attrs, KMQTT_A_DROPPED);
	value_u64(out, "qos", "qos", attrs, KMQTT_A_QOS);
	value_str(out, "filter", "filter", attrs, KMQTT_A_FILTER);
	value_str(out, "topic", "topic", attrs, KMQTT_A_TOPIC);
	return line_end(out);
}

static void read_args(struct ctl *ctl, struct monitor *m)
{
	m->all = !ctl->argc;
	while (ctl->argc)
		m->wanted[1 + ctl_keyword(ctl, ctl_next(ctl, "event"),
					  event_names + 1)] = true;
}

static void catch_signals(sigset_t *before)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block;

	/* they are let in by ppoll() only, so that none is missed */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, before);
	sigdelset(before, SIGINT);
	sigdelset(before, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static int read_events(struct ctl *ctl)
{
	int err = kmnl_read(ctl->nl);

	if (err == -ENOBUFS || err == -ENOMEM) {
		/* in the stream, where a reader sees between which events */
		line_begin(&ctl->out, "lost");
		return line_end(&ctl->out) ? CTL_REFUSED : CTL_OK;
	}
	if (err < 0 && !out_check(&ctl->out)) {
		ctl_warn(ctl, "%s", kmnl_error(ctl->nl));
		return CTL_UNREACHABLE;
	}
	return CTL_OK;
}

static int watch(struct ctl *ctl, struct nl_sock *family)
{
	struct pollfd fds[] = {
		{ .fd = kmnl_fd(ctl->nl), .events = POLLIN },
		{ .fd = family ? nl_socket_get_fd(family) : -1,
		  .events = POLLIN },
		/* no event but an error: nobody reads the output any more */
		{ .fd = fileno(ctl->out.writer.to), .events = 0 },
	};
	int status = CTL_OK;
	sigset_t mask;

	catch_signals(&mask);
	while (!ended && status == CTL_OK && !out_check(&ctl->out)) {
		if (ppoll(fds, 3, NULL, &mask) < 0)
			continue;
		if (fds[2].revents)
			break;
		if (fds[0].revents)
			status = read_events(ctl);
		if (fds[1].revents && family_gone(family)) {
			ctl_warn(ctl, "the module was unloaded");
			status = CTL_UNREACHABLE;
		}
	}
	return status;
}

static int monitor(struct ctl *ctl)
{
	struct monitor m = { .ctl = ctl };
	struct nl_sock *family;
	int status;

	read_args(ctl, &m);
	/* an event is a line, whatever -p says */
	ctl->out.writer.pretty = false;
	/* before the events, so that no unloading goes unseen in between */
	family = family_watch();
	ctl_open(ctl);
	kmnl_set_rcvbuf(ctl->nl, EVENT_BUFFER);
	kmnl_set_handler(ctl->nl, on_event, &m);
	if (kmnl_subscribe(ctl->nl) < 0)
		ctl_die(ctl, CTL_UNREACHABLE, "%s", kmnl_error(ctl->nl));
	status = watch(ctl, family);
	nl_socket_free(family);
	return status;
}

const struct ctl_verb monitor_verbs[] = {
	{ "", "[EVENT]...",
	  "print events as they happen, all or some, of:\n"
	  "        connected disconnected refused taken-over dropped session-expired\n"
	  "        subscribed unsubscribed acl-denied listener-added listener-removed",
	  monitor },
	{ NULL, NULL, NULL, NULL }
};
