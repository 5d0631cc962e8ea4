// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttctl: every command, and each allocation of it and of its libraries
 * fails once. It ends with status 3 and says so, or has done all it should.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* main() of user/ctl/kmqttctl.c, which has another name here */
int kmqttctl_main(int argc, char **argv);

#define OK		0
#define UNREACHABLE	3

static int command(const struct scenario *s)
{
	char words[8][64], *argv[9] = { words[0] };
	int argc = 1;

	strcpy(words[0], "kmqttctl");
	for (; s->args[argc - 1]; argc++)
		argv[argc] = strcpy(words[argc], s->args[argc - 1]);
	argv[argc] = NULL;
	optind = 1;
	return kmqttctl_main(argc, argv);
}

static const char *judge(const struct outcome *is, const struct outcome *good)
{
	if (is->status == good->status) {
		if (strcmp(is->out, good->out))
			return "it is content, but its output differs";
		if (is->module.changes != good->module.changes)
			return "it is content, but has not done it all";
		return NULL;
	}
	if (is->status != UNREACHABLE)
		return "neither done nor said to be impossible";
	if (!*is->err)
		return "it fails without a word";
	/* a request is whole, or not sent */
	if (is->module.changes > good->module.changes)
		return "it did more than it should";
	return NULL;
}

/* One event; behind it the reader of the output is gone. */
int ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *limit,
	  const sigset_t *mask)
{
	static int calls;

	for (nfds_t i = 0; i < nr; i++)
		fds[i].revents = 0;
	if (!calls++)
		module_event();
	fds[calls > 1 ? 2 : 0].revents = calls > 1 ? POLLERR : POLLIN;
	return 1;
}

/* A line begins with the time. An event that is lost is said to be. */
static const char *judge_monitor(const struct outcome *is,
				 const struct outcome *good)
{
	const char *a = strchr(is->out, ' '), *b = strchr(good->out, ' ');

	if (is->status == UNREACHABLE)
		return *is->err ? NULL : "it fails without a word";
	if (is->status)
		return "neither done nor said to be impossible";
	if (!a || !b || (strcmp(a, b) && strcmp(a, " lost\n")))
		return "it is content, but the event is not there";
	return NULL;
}

#define ENDS(status, name, ...) \
	{ "kmqttctl " name, command, judge, \
	  (const char *const []){ __VA_ARGS__, NULL }, status }
#define COMMAND(...)	ENDS(OK, __VA_ARGS__)
#define REFUSED(...)	ENDS(1, __VA_ARGS__)

static const struct scenario scenarios[] = {
	COMMAND("listener show", "listener"),
	COMMAND("listener add", "listener", "add", "127.0.0.1:1", "auth", "open"),
	COMMAND("client show", "client"),
	COMMAND("client show as JSON", "-jp", "client", "show", "like",
		"p*"),
	COMMAND("client kick", "client", "kick", "plc-1", "reason", "0x89"),
	COMMAND("session show", "-s", "session"),
	COMMAND("session drop", "session", "drop", "plc-1"),
	COMMAND("subscription show", "subscription"),
	COMMAND("retained show", "retained"),
	COMMAND("retained show as JSON", "-j", "retained"),
	COMMAND("retained clear", "retained", "clear", "#"),
	COMMAND("stats", "-s", "stats"),
	COMMAND("config show", "config"),
	COMMAND("config set", "config", "set", "max_inflight=default",
		"max_keepalive=9"),
	REFUSED("config set refused", "config", "set", "maximum_qos", "3"),
	REFUSED("listener del refused", "listener", "del", "7"),
	COMMAND("acl show", "acl"),
	COMMAND("stop", "stop", "--yes"),
	{ "kmqttctl monitor", command, judge_monitor,
	  (const char *const []){ "monitor", NULL } },
};

int main(void)
{
	/* another locale is the C library's to load, and to leave half of */
	setenv("LC_ALL", "C", 1);
	return run_all(scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
