// SPDX-License-Identifier: GPL-2.0
#include "world.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../unit/bytes.h"
#include "request.h"
#include "run.h"
#include "slot.h"

#define CROWD		6
#define KEPT		40
#define FILTERS		200

static int home = -1, here = -1;
static pid_t crowd[CROWD];

void world_enter(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || unshare(CLONE_NEWNET))
		run_die("namespace");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		run_die("loopback");
	close(fd);
}

void world_leave(void)
{
	if (setns(home, CLONE_NEWNET))
		run_die("namespace");
}

static bool say(int fd, const char *text)
{
	struct mqtt_str packet = bytes(text);
	ssize_t sent = send(fd, packet.data, packet.len, MSG_NOSIGNAL);
	bool all = sent == (ssize_t)packet.len;

	bytes_free(&packet);
	return all;
}

static bool hear_byte(int fd, uint8_t *byte, double seconds)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, seconds * 1000) > 0 &&
	       recv(fd, byte, 1, 0) == 1;
}

/* Read this much; false: there is not. */
static bool hear(int fd, size_t len, double seconds)
{
	uint8_t byte;

	while (len--)
		if (!hear_byte(fd, &byte, seconds))
			return false;
	return true;
}

/* Read up to PINGRESP. */
static bool hear_pong(int fd)
{
	uint8_t last[2] = {};

	do {
		last[0] = last[1];
		if (!hear_byte(fd, &last[1], run.limit))
			return false;
	} while (last[0] != 0xd0 || last[1]);
	return true;
}

static void need(bool done, const char *what)
{
	if (!done)
		run_fail("%s: not done", what);
}

/* Without the answers: what was asked is done when PINGRESP has come. */
static void subscribe_many(int fd)
{
	char text[160];
	int i;

	for (i = 0; i < FILTERS; i++) {
		snprintf(text, sizeof(text),
			 "82 [ 0001 [] S'here/%d/+' 0%d S'$share/g%d/here/#' 01 ]",
			 i, i % 3, i);
		need(say(fd, text), "SUBSCRIBE");
		need(hear(fd, 7, run.limit), "SUBACK");
	}
}

static void publish_kept(int fd)
{
	char text[2200];
	int i, at;

	for (i = 0; i < KEPT; i++) {
		at = snprintf(text, sizeof(text), "33 [ S'kept/%d' 0001 [] '", i);
		memset(text + at, 'x', 1000);
		strcpy(text + at + 1000, "' ]");
		need(say(fd, text), "PUBLISH");
		/* nobody has subscribed: PUBACK with a reason */
		need(hear(fd, 5, run.limit), "PUBACK");
	}
}

void world_populate(struct genl *nl)
{
	int fd;

	need(!genl_listen(nl, REQUEST_PORT, KMQTT_AUTH_OPEN), "listener 1");
	need(!genl_listen(nl, REQUEST_PORT + 1, KMQTT_AUTH_AUTHORITY),
	     "listener 2");
	here = slots_connect(REQUEST_PORT);
	need(here >= 0, "connection");
	need(say(here, "10 [ S'MQTT' 05 c6 0000 [11 ffffffff] S'here' []"
		 "S'will' S'gone' S'user' S'pass' ]"), "CONNECT");
	/* What CONNACK says is for others to test. */
	need(say(here, "c0 [ ]"), "PINGREQ");
	need(hear_pong(here), "PINGRESP");
	publish_kept(here);
	subscribe_many(here);
	fd = slots_connect(REQUEST_PORT);
	need(fd >= 0, "connection");
	need(say(fd, "10 [ S'MQTT' 04 00 0000 S'gone' ]"), "CONNECT");
	need(hear(fd, 4, run.limit), "CONNACK");
	need(say(fd, "82 [ 0001 S'queue/#' 02 ]"), "SUBSCRIBE");
	need(hear(fd, 5, run.limit), "SUBACK");
	close(fd);
	need(say(here, "34 [ S'queue/1' 0001 [] 'waits' ]"), "PUBLISH");
	need(hear(here, 4, run.limit), "PUBREC");
}

void world_abandon(void)
{
	if (here >= 0)
		close(here);
	here = -1;
}

/* A client that does a little of everything, then goes in one way or another. */
static void live_as_client(uint64_t *state)
{
	static const char *const versions[] = {
		"10 [ S'MQTT' 05 c6 0001 [11 0000000a] S'%d' [] S'kept/w' S'x' S'user' S'pass' ]",
		"10 [ S'MQTT' 04 c4 0000 S'%d' S'kept/w' S'x' S'user' S'pass' ]",
		"10 [ S'MQTT' 05 02 0000 [15 S'METHOD'] S'%d' ]",
	};
	static const char *const acts[][2] = {
		{ "82 [ 0001 [] S'kept/#' 02 S'$share/g/queue/+' 01 ]",
		  "82 [ 0001 S'kept/#' 02 S'queue/+' 01 ]" },
		{ "33 [ S'kept/c' 0002 [] 'kept' ]",
		  "33 [ S'kept/c' 0002 'kept' ]" },
		{ "34 [ S'queue/c' 0003 [] 'queued' ]",
		  "34 [ S'queue/c' 0003 'queued' ]" },
		{ "62 [ 0003 ]", "62 [ 0003 ]" },
		{ "40 [ 0001 ]", "40 [ 0001 ]" },
		{ "a2 [ 0004 [] S'kept/#' ]", "a2 [ 0004 S'kept/#' ]" },
		{ "30 [ S'here/1/x' [] ]", "30 [ S'here/1/x' ]" },
	};
	int fd, n, version = rnd_below(state, 3);
	struct linger now = { .l_onoff = 1 };
	char text[256];

	fd = slots_connect(REQUEST_PORT + rnd_below(state, 2));
	if (fd < 0) {
		run_nap();
		return;
	}
	snprintf(text, sizeof(text), versions[version],
		 (int)rnd_below(state, 8));
	if (say(fd, text) && hear(fd, 4, 0.5))
		for (n = rnd_below(state, 12); n; n--)
			say(fd, acts[rnd_below(state, 7)][version == 1]);
	if (rnd_one_in(state, 2))
		hear(fd, 1 << 16, 0.01 * rnd_below(state, 10));
	if (rnd_one_in(state, 3))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	else if (rnd_one_in(state, 2))
		say(fd, "e0 [ ]");
	close(fd);
}

/* Answers to what it is asked, each with something wrong now and then. */
static void answer_some(struct genl *nl, uint64_t *state, uint8_t *buf,
			ssize_t len)
{
	static const uint8_t reasons[] = { 0, 0, 0x18, 0x18, 0x86, 0x87, 4 };
	static struct genl_msg msg;
	struct nlmsghdr *head;
	const uint8_t *attrs;
	const void *id;
	size_t size, at;
	int n;

	for (head = (void *)buf; NLMSG_OK(head, len);
	     head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_type != nl->family)
			continue;
		attrs = (uint8_t *)NLMSG_DATA(head) + GENL_HDRLEN;
		id = genl_attr(attrs, head->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN),
			       KMQTT_A_REQUEST_ID, &size);
		for (n = id ? rnd_below(state, 3) : 0; n; n--) {
			msg.len = 0;
			at = genl_begin(nl, &msg, KMQTT_CMD_AUTH_REPLY, 0);
			genl_put(&msg, KMQTT_A_REQUEST_ID, id, 8);
			genl_put_u8(&msg, KMQTT_A_REASON,
				    reasons[rnd_below(state, 7)]);
			if (rnd_one_in(state, 2))
				genl_put(&msg, KMQTT_A_AUTH_DATA, attrs,
					 rnd_below(state, 2000) %
					 (head->nlmsg_len - NLMSG_LENGTH(4)));
			if (rnd_one_in(state, 3))
				genl_put_string(&msg, KMQTT_A_USERNAME, "name");
			genl_finish(&msg, at);
			if (rnd_one_in(state, 8))
				msg.data[rnd_below(state, msg.len)] = rnd(state);
			genl_send(nl, &msg);
		}
	}
}

/* Becomes the authority, answers or not for a while, and dies. */
static void live_as_authority(uint64_t *state)
{
	static uint8_t buf[4 * GENL_BUF];
	double until = run_now() + 0.1 * (1 + rnd_below(state, 10));
	bool lazy = rnd_one_in(state, 4);
	struct genl nl;
	ssize_t len;

	genl_open(&nl);
	genl_do(&nl, KMQTT_CMD_AUTHORITY_SET);
	while (run_now() < until) {
		if (lazy || !genl_wait(&nl, 0.05)) {
			run_nap();
			continue;
		}
		len = recv(nl.fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len > 0)
			answer_some(&nl, state, buf, len);
	}
	genl_close(&nl);
}

/* Listens to events, and sleeps so that its buffer runs over. */
static void live_as_listener(uint64_t *state)
{
	static uint8_t buf[4096];
	int room = 2048, group;
	struct genl nl;

	genl_open(&nl);
	group = nl.events;
	setsockopt(nl.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		   sizeof(group));
	usleep(rnd_below(state, 200000));
	while (recv(nl.fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		;
	genl_close(&nl);
}

/* In a namespace of its own: the same broker's requests, all at random. */
static void live_elsewhere(uint64_t *state)
{
	static struct genl_msg msg;
	struct genl nl;
	int n;

	if (unshare(CLONE_NEWNET))
		_exit(1);
	genl_open(&nl);
	genl_listen(&nl, REQUEST_PORT, KMQTT_AUTH_OPEN);
	for (n = 0; n < 200; n++) {
		msg.len = 0;
		request_random(&nl, &msg, state);
		genl_send(&nl, &msg);
		if (rnd_one_in(state, 10)) {
			genl_close(&nl);
			genl_open(&nl);
		}
	}
	genl_close(&nl);
}

void crowd_begin(uint64_t seed)
{
	static void (*const lives[CROWD])(uint64_t *) = {
		live_as_client, live_as_client, live_as_client,
		live_as_authority, live_as_listener, live_elsewhere,
	};
	uint64_t state;
	int i;

	fflush(stdout);
	for (i = 0; i < CROWD; i++) {
		crowd[i] = fork();
		if (crowd[i] < 0)
			run_die("fork");
		if (crowd[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		freopen("/dev/null", "w", stdout);
		state = seed + i;
		for (;;)
			lives[i](&state);
	}
}

void crowd_end(void)
{
	int i;

	for (i = 0; i < CROWD; i++)
		kill(crowd[i], SIGKILL);
	for (i = 0; i < CROWD; i++)
		waitpid(crowd[i], NULL, 0);
}
