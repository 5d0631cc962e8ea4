// SPDX-License-Identifier: GPL-2.0
/*
 * user/lib by itself: answers that are lost, as there is no memory for them
 * here or no room in the socket's buffer. That is said at once, without
 * waiting for what does not come (nlsock.c's poll() aborts then); notices that
 * came meanwhile are there; and the next request is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kmqtt.h>

#include "genl.h"
#include "nlsock.h"
#include "run.h"

#define LONG		40000	/* more than is read of a datagram at first */
#define READ_BUDGET	64	/* of kmnl_read() */

#define NOT_AS_WANTED	1

static struct kmnl *nl;
static int objects;
static char ends[256];		/* of the calls, as the scenarios have them */

static int count(int cmd, struct nlattr **a, void *arg)
{
	objects++;
	return 0;
}

static void say(const char *what, int ret)
{
	const char *error = ret ? kmnl_error(nl) : "";
	char *at = ends + strlen(ends);

	fprintf(stderr, "%s: %d %s\n", what, ret, error);
	sprintf(at, "%s%s %d", at > ends ? ", " : "", what, ret);
	if (strstr(error, "the module's answer was lost"))
		strcat(at, " lost");
}

/* only what reads is what is tested */
static void begin(void)
{
	char err[256];

	alloc_now = NULL;
	module->has_memory = true;
	nl = kmnl_open(err, sizeof(err));
	if (!nl || kmnl_subscribe(nl) < 0)
		abort();
	kmnl_set_handler(nl, count, NULL);
}

static void request(const char *name, int cmd)
{
	struct nl_msg *msg = kmnl_msg(nl, cmd);
	int ret;

	alloc_now = &outcome->alloc;
	ret = cmd == KMQTT_CMD_RETAINED_GET ? kmnl_dump(nl, msg, count, NULL) :
		kmnl_request(nl, msg, NULL, NULL);
	alloc_now = NULL;
	say(name, ret);
}

/* Without a failure it is the first of those that may be. */
static int end(const struct scenario *s)
{
	int i = 0;

	say("read", kmnl_read(nl));
	request("again", KMQTT_CMD_SESSION_DEL);
	kmnl_close(nl);
	while (outcome->alloc.failed && s->args[i + 1] &&
	       strcmp(s->args[i], ends))
		i++;
	return strcmp(s->args[i], ends) ? NOT_AS_WANTED : 0;
}

static int long_answer(const struct scenario *s)
{
	begin();
	module->payload = LONG;
	request("dump", KMQTT_CMD_RETAINED_GET);
	sprintf(ends + strlen(ends), objects == 8 ? " all" : " in part");
	return end(s);
}

static int long_notice(const struct scenario *s)
{
	static char name[LONG];

	begin();
	memset(name, 'n', sizeof(name) - 1);
	request("authority", KMQTT_CMD_AUTHORITY_SET);
	module_ask(name, NULL, NULL);
	request("request", KMQTT_CMD_SESSION_DEL);
	return end(s);
}

/* One event more than there is room for, then a request. */
static int full(const struct scenario *s, unsigned int room, bool read_before)
{
	begin();
	nlsock_room(kmnl_fd(nl), room);
	while (module_event())
		;
	if (read_before) {
		say("read", kmnl_read(nl));
		module_event();
	}
	request("request", KMQTT_CMD_SESSION_DEL);
	return end(s);
}

static int full_unread(const struct scenario *s)
{
	return full(s, 4, false);
}

/* One read says that something was lost, and two events are left. */
static int full_partly_read(const struct scenario *s)
{
	return full(s, READ_BUDGET + 1, true);
}

/* All events are read, but not that there is nothing more. */
static int full_all_read(const struct scenario *s)
{
	return full(s, READ_BUDGET - 1, true);
}

static const char *judge(const struct outcome *is, const struct outcome *good)
{
	return is->status ? "the calls do not return what they may" : NULL;
}

#define SCENARIO(name, run, ...) \
	{ name, run, judge, (const char *const []){ __VA_ARGS__, NULL } }

static const struct scenario scenarios[] = {
	SCENARIO("a long answer", long_answer,
		 "dump 0 all, read 0, again 0",
		 "dump -12 lost in part, read 0, again 0"),
	SCENARIO("a long notice while a request waits", long_notice,
		 "authority 0, request 0, read 0, again 0",
		 "authority 0, request 0, read -12, again 0"),
	SCENARIO("no room for an answer", full_unread,
		 "request -105 lost, read -105, again 0",
		 "request -105 lost, read -12, again 0"),
	SCENARIO("no room for an answer, said before", full_partly_read,
		 "read -105, request -105 lost, read 0, again 0",
		 "read -105, request -105 lost, read -12, again 0"),
	SCENARIO("room for an answer, but not before", full_all_read,
		 "read -105, request 0, read 0, again 0",
		 "read -105, request 0, read -12, again 0"),
};

int main(void)
{
	return run_all(scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
