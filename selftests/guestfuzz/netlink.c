// SPDX-License-Identifier: GPL-2.0
/*
 * Every netlink request there is, changed in every attribute, in its headers,
 * at every byte; several in one buffer; dumps that nobody reads to the end;
 * all that while clients and authorities come and go. It happens in network
 * namespaces of their own. Each message has its answers, they are well formed,
 * BROKER_STOP leaves nothing behind, and the broker of the first namespace
 * never notices.
 *
 *	KMQTT_TEST_SEED		repeats the choice of cases
 *	KMQTT_FUZZ_SECONDS	so long; else a sample for less than a minute
 *	KMQTT_FUZZ_CASE		one request: n123 (a change), m123 (at random)
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "reply.h"
#include "request.h"
#include "run.h"
#include "witness.h"
#include "world.h"

#define WITNESS_PORT	18899
#define BATCH		1000

static struct genl home, victim;
static struct witness held = { .fd = -1 };
static struct gauges home_base, born;

/* The first namespace has not noticed. */
static void home_well(const char *after)
{
	struct gauges now;

	if (witness_check(&held))
		run_say("after %s", after);
	genl_gauges(&home, &now);
	if (gauges_differ(&now, &home_base)) {
		run_fail("%s of another namespace has changed, after %s",
			 gauges_differ(&now, &home_base), after);
		gauges_say(&now, &home_base);
		home_base = now;
	}
}

static void victim_begin(void)
{
	world_enter();
	genl_open(&victim);
	genl_gauges(&victim, &born);
	world_populate(&victim);
}

/* All service ends: nothing may be left. Counters go on. */
static bool stopped_clean(void)
{
	double until = run_now() + run.limit;
	struct gauges now;
	int ret;

	ret = genl_do(&victim, KMQTT_CMD_BROKER_STOP);
	if (ret)
		run_fail("BROKER_STOP: error %d", ret);
	for (;;) {
		genl_gauges(&victim, &now);
		now.connections_refused = born.connections_refused;
		now.dropped_memory = born.dropped_memory;
		if (!gauges_differ(&now, &born))
			return true;
		if (run_now() > until)
			break;
		run_nap();
	}
	run_fail("%s: left behind after BROKER_STOP",
		 gauges_differ(&now, &born));
	gauges_say(&now, &born);
	return false;
}

/* @stop: by BROKER_STOP, with a look at what is left; else as it stands. */
static bool victim_end(bool stop)
{
	bool clean = !stop || stopped_clean();

	genl_close(&victim);
	world_abandon();
	world_leave();
	return clean;
}

static void play_as_written(void)
{
	static struct genl_msg msg;
	struct genl authority;
	int i, ret;

	if (!run_test("requests as they are written", 0))
		return;
	victim_begin();
	genl_open(&authority);
	for (i = 0; i < nr_requests; i++) {
		msg.len = 0;
		request_put(&authority, &msg, &requests[i]);
		ret = genl_ask(&authority, &msg, NULL, NULL);
		if (ret != requests[i].error)
			run_fail("request %d (command %d): %d, not %d", i,
				 requests[i].cmd, ret, requests[i].error);
	}
	genl_close(&authority);
	victim_end(true);
	home_well("requests as they are written");
	run_test_end();
}

/* Return: false: the change changes nothing. */
static bool play_case(uint64_t number)
{
	static struct genl_msg msg;
	const char *wrong;
	char what[96];

	if (!request_case(&victim, &msg, number, what))
		return false;
	wrong = reply_wrong(&victim, &msg);
	if (wrong)
		run_fail("%s: %s; again: KMQTT_FUZZ_CASE=n%llu", wrong, what,
			 (unsigned long long)number);
	return true;
}

static void find_culprit(const uint64_t *numbers, int nr)
{
	double until = run_now() + 4 * run.limit;
	int i;

	for (i = 0; i < nr && run_now() < until; i++) {
		victim_begin();
		play_case(numbers[i]);
		if (victim_end(true))
			continue;
		run_say("it was KMQTT_FUZZ_CASE=n%llu",
			(unsigned long long)numbers[i]);
		return;
	}
	run_say("no request alone shows it again");
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	return b ? divisor(b, a % b) : a;
}

static void play_cases(void)
{
	uint64_t count = request_cases(), state = run.seed, numbers[BATCH];
	uint64_t at, stride, done = 0, played = 0;
	int nr;

	if (!run_test("changed at one place", 0.45))
		return;
	at = rnd(&state) % count;
	stride = rnd(&state) % count;
	while (divisor(stride, count) != 1)
		stride++;
	while (!run_time_is_up() && done < count) {
		victim_begin();
		for (nr = 0; nr < BATCH && done < count && !run_time_is_up();
		     nr++, done++) {
			numbers[nr] = at;
			at = (at + stride) % count;
			played += play_case(numbers[nr]);
		}
		if (!victim_end(true))
			find_culprit(numbers, nr);
		home_well("requests changed at one place");
	}
	run_say("%llu requests, %llu of %llu cases", (unsigned long long)played,
		(unsigned long long)done, (unsigned long long)count);
	run_test_end();
}

/* A dump that is begun, read in part, and left while things change. */
static void leave_dump(uint64_t *state)
{
	static struct genl_msg msg;
	const struct request *req;
	uint8_t buf[512];
	struct genl nl;
	int n;

	do {
		req = &requests[rnd_below(state, nr_requests)];
	} while (!req->dump);
	genl_open(&nl);
	msg.len = 0;
	request_put(&nl, &msg, req);
	genl_send(&nl, &msg);
	for (n = rnd_below(state, 4); n; n--) {
		recv(nl.fd, buf, sizeof(buf), MSG_DONTWAIT);
		msg.len = 0;
		/* One on this socket, which is busy, or on another. */
		request_random(rnd_one_in(state, 2) ? &nl : &victim, &msg,
			       state);
		genl_send(rnd_one_in(state, 2) ? &nl : &victim, &msg);
	}
	genl_close(&nl);
}

static void play_dumps(void)
{
	uint64_t state = run.seed ^ 'd', played = 0;
	int i;

	if (!run_test("dumps that are left", 0.15))
		return;
	while (!run_time_is_up()) {
		victim_begin();
		for (i = 0; i < BATCH / 10 && !run_time_is_up(); i++, played++)
			leave_dump(&state);
		genl_close(&victim);
		genl_open(&victim);
		victim_end(rnd_one_in(&state, 2));
		home_well("dumps that were left");
	}
	run_say("%llu dumps", (unsigned long long)played);
	run_test_end();
}

/* Some requests in one buffer. Return: how many. */
static int play_buffer(uint64_t seed)
{
	static struct genl_msg msg;
	uint64_t state = seed;
	const char *wrong;
	int nr, i;

	msg.len = 0;
	nr = rnd_one_in(&state, 2) ? 1 : 1 + rnd_below(&state, 6);
	for (i = 0; i < nr; i++)
		request_random(&victim, &msg, &state);
	wrong = reply_wrong(&victim, &msg);
	if (wrong)
		run_fail("%s: at random; again: KMQTT_FUZZ_CASE=m%llu", wrong,
			 (unsigned long long)seed);
	return nr;
}

static void play_crowded(void)
{
	uint64_t state = run.seed ^ 'c', played = 0;
	bool stop;
	int i;

	if (!run_test("at random, while clients and authorities come and go",
		      0.4))
		return;
	while (!run_time_is_up()) {
		victim_begin();
		crowd_begin(rnd(&state));
		for (i = 0; i < BATCH / 2 && !run_time_is_up(); i++) {
			played += play_buffer(rnd(&state));
			if (rnd_one_in(&state, 30))
				leave_dump(&state);
			/* What BROKER_STOP or LISTENER_DEL took. */
			if (rnd_one_in(&state, 40))
				genl_listen(&victim, REQUEST_PORT +
					    rnd_below(&state, 2),
					    KMQTT_AUTH_OPEN +
					    rnd_below(&state, 2));
		}
		/* The namespace goes with its clients, or they go before it. */
		stop = rnd_one_in(&state, 2);
		crowd_end();
		genl_close(&victim);
		genl_open(&victim);
		victim_end(stop);
		home_well("requests at random");
	}
	run_say("%llu requests", (unsigned long long)played);
	run_test_end();
}

static void play_one(const char *text)
{
	uint64_t number = strtoull(text + 1, NULL, 0);

	if (text[0] != 'n' && text[0] != 'm')
		run_skip("KMQTT_FUZZ_CASE names no request");
	if (!run_test("one request", 1))
		return;
	victim_begin();
	if (text[0] == 'n')
		play_case(number % request_cases());
	else
		play_buffer(number);
	victim_end(true);
	home_well("one request");
	run_test_end();
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	run_begin(35);
	genl_open(&home);
	if (home.fd < 0)
		run_skip("the module is not loaded");
	if (genl_do(&home, KMQTT_CMD_BROKER_STOP))
		run_skip("needs root");
	if (genl_listen(&home, WITNESS_PORT, KMQTT_AUTH_OPEN))
		run_die("listener");
	witness_begin(&held, WITNESS_PORT, 5, "held");
	witness_check(&held);
	genl_gauges(&home, &home_base);
	if (run.one) {
		play_one(run.one);
	} else {
		play_as_written();
		play_cases();
		play_dumps();
		play_crowded();
	}
	genl_do(&home, KMQTT_CMD_BROKER_STOP);
	return run_end();
}
