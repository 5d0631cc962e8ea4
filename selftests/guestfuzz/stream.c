// SPDX-License-Identifier: GPL-2.0
/*
 * Valid sessions over TCP, changed at every byte, split at every offset, cut
 * at every offset, and changed at random. Whatever is done to a connection:
 * what the broker says on it is MQTT, it ends, others do not notice, and
 * nothing of it is left behind.
 *
 *	KMQTT_TEST_SEED		repeats the choice of cases
 *	KMQTT_FUZZ_SECONDS	so long; else a sample for less than a minute
 *	KMQTT_FUZZ_CASE		one case: b123 (a change), s123 (split),
 *				c123 (cut), r123 (at random), w3 (as it is)
 */
#include <linux/kmqtt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "authority.h"
#include "run.h"
#include "session.h"
#include "slot.h"
#include "witness.h"

#define PORT		18890
#define BATCH		256
/* Prime: of two names no three letters are the same. */
#define LETTERS		37

static struct slots_env env = { .port = PORT };
static struct genl asking, authority;
static struct witness held = { .fd = -1 };
static struct gauges base;

/** struct batch - cases that are played before anything is looked at */
struct batch {
	enum plan_kind kind;
	uint64_t numbers[BATCH];
	int nr;
	int next;
};

/* Letters that differ from those of another case in three places of four. */
static void name_case(char *name, unsigned int n)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk";
	unsigned int a = n % LETTERS, b = n / LETTERS % LETTERS;

	name[0] = letters[a];
	name[1] = letters[b];
	name[2] = letters[(a + b) % LETTERS];
	name[3] = letters[(a + 2 * b) % LETTERS];
}

static bool next_of_batch(struct plan *plan, void *arg)
{
	struct batch *batch = arg;
	char name[SESSION_TOKEN_LEN];

	while (batch->next < batch->nr) {
		name_case(name, batch->next);
		if (plan_make(plan, batch->kind,
			      batch->numbers[batch->next++])) {
			plan_name(plan, name);
			return true;
		}
	}
	return false;
}

/** struct names - of what dumps show, and is to go */
struct names {
	char (*names)[PLAN_BYTES];
	int nr;
};

static void take_name(const uint8_t *attrs, size_t len, struct names *all,
		      int type)
{
	const char *name;
	size_t size;

	name = genl_attr(attrs, len, type, &size);
	if (name && size <= PLAN_BYTES && all->nr < 2 * BATCH)
		memcpy(all->names[all->nr++], name, size);
}

static void take_session(const uint8_t *attrs, size_t len, void *arg)
{
	struct names *all = arg;

	take_name(attrs, len, all, KMQTT_A_CLIENT_ID);
	/* a witness */
	if (all->nr && !strcmp(all->names[all->nr - 1], "held"))
		all->nr--;
}

static void take_topic(const uint8_t *attrs, size_t len, void *arg)
{
	take_name(attrs, len, arg, KMQTT_A_TOPIC);
}

static void remove_name(int cmd, int type, const char *name)
{
	static struct genl_msg msg;
	size_t at;

	msg.len = 0;
	at = genl_begin(&asking, &msg, cmd, NLM_F_ACK);
	genl_put_string(&msg, type, name);
	genl_finish(&msg, at);
	genl_ask(&asking, &msg, NULL, NULL);
}

/*
 * What clients have left on purpose: persistent sessions, retained messages.
 * Those one by one: "#" does not match topics that begin with "$".
 */
static void clean_up(void)
{
	static struct names all;
	int i;

	if (!all.names)
		all.names = malloc(2 * BATCH * sizeof(*all.names));
	if (!all.names)
		run_die("memory");
	all.nr = 0;
	genl_dump(&asking, KMQTT_CMD_SESSION_GET, take_session, &all);
	for (i = 0; i < all.nr; i++)
		remove_name(KMQTT_CMD_SESSION_DEL, KMQTT_A_CLIENT_ID,
			    all.names[i]);
	all.nr = 0;
	genl_dump(&asking, KMQTT_CMD_RETAINED_GET, take_topic, &all);
	for (i = 0; i < all.nr; i++)
		remove_name(KMQTT_CMD_RETAINED_DEL, KMQTT_A_FILTER,
			    all.names[i]);
}

/* Until all is as it was. Return: false: it never was. */
static bool settle(struct gauges *now)
{
	double until = run_now() + run.limit;

	do {
		genl_gauges(&asking, now);
		/* Nobody is gone yet: what he leaves, he leaves later. */
		if (now->connections == base.connections)
			clean_up();
		genl_gauges(&asking, now);
		if (!gauges_differ(now, &base))
			return true;
		run_nap();
	} while (run_now() < until);
	return false;
}

/* After some cases: has anybody noticed, is anything left? */
static bool all_well(const char *after)
{
	struct witness fresh = { .fd = -1 };
	struct gauges now;
	bool well;

	well = !witness_check(&held);
	well &= !witness_begin(&fresh, PORT, 4, "fresh") &&
		!witness_check(&fresh);
	witness_end(&fresh);
	if (settle(&now))
		return well;
	run_fail("%s is not what it was before, after %s",
		 gauges_differ(&now, &base), after);
	gauges_say(&now, &base);
	base = now;
	return false;
}

/* Something was wrong after a batch: which of its cases alone shows it? */
static void find_culprit(const struct batch *batch)
{
	struct batch one = { .kind = batch->kind, .nr = 1 };
	double until = run_now() + 4 * run.limit;
	char text[64];
	int i;

	for (i = 0; i < batch->nr && run_now() < until; i++) {
		one.numbers[0] = batch->numbers[i];
		one.next = 0;
		snprintf(text, sizeof(text), "KMQTT_FUZZ_CASE=%c%llu",
			 batch->kind, (unsigned long long)batch->numbers[i]);
		if (slots_run(&env, next_of_batch, &one) && !all_well(text))
			return;
	}
	run_say("no case alone of that batch shows it again");
}

static unsigned int play(struct batch *batch)
{
	char text[96];
	unsigned int nr;

	batch->next = 0;
	nr = slots_run(&env, next_of_batch, batch);
	snprintf(text, sizeof(text), "%u cases from KMQTT_FUZZ_CASE=%c%llu on",
		 nr, batch->kind, (unsigned long long)batch->numbers[0]);
	if (!all_well(text))
		find_culprit(batch);
	return nr;
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	return b ? divisor(b, a % b) : a;
}

/** struct family - a test: cases of one kind, for so much of the time */
struct family {
	const char *name;
	enum plan_kind kind;
	double share;
};

static const struct family families[] = {
	{ "split at every offset: the same answers", PLAN_SPLIT, 0.25 },
	{ "cut at every offset", PLAN_CUT, 0.2 },
	{ "changed at every byte", PLAN_BYTE, 0.35 },
	{ "changed at random", PLAN_RANDOM, 0.2 },
};

#define NR_FAMILIES	(sizeof(families) / sizeof(families[0]))

static const char as_written[] = "sessions as they are written, and byte by byte";

/*
 * All cases of a kind, in an order that the seed chooses: with any number of
 * them, they are spread over the sessions. Those at random never end.
 */
static void play_family(const struct family *family)
{
	uint64_t count = plan_count(family->kind);
	uint64_t state = run.seed ^ family->kind, at, stride;
	struct batch batch = { .kind = family->kind };
	uint64_t done = 0, played = 0;

	if (!run_test(family->name, family->share))
		return;
	at = rnd(&state);
	stride = rnd(&state) | 1;
	while (count && divisor(stride, count) != 1)
		stride++;
	while (!run_time_is_up() && (!count || done < count)) {
		for (batch.nr = 0; batch.nr < BATCH; batch.nr++, done++) {
			if (count && done == count)
				break;
			batch.numbers[batch.nr] = count ? at % count :
							  rnd(&state);
			at = count ? (at % count + stride % count) % count : 0;
		}
		played += play(&batch);
	}
	if (count)
		run_say("%llu connections, %llu of %llu cases",
			(unsigned long long)played, (unsigned long long)done,
			(unsigned long long)count);
	else
		run_say("%llu connections", (unsigned long long)played);
	run_test_end();
}

/* Also the yardstick for the rest, so whatever T says. */
static void play_as_written(void)
{
	struct batch batch = { .kind = PLAN_WHOLE, .nr = nr_sessions };
	int i;

	run_test_always(as_written);
	for (i = 0; i < nr_sessions; i++)
		batch.numbers[i] = i;
	slots_run(&env, next_of_batch, &batch);
	/* The last splits are those into single bytes. */
	batch.kind = PLAN_SPLIT;
	batch.next = 0;
	for (i = 0; i < nr_sessions; i++)
		batch.numbers[i] = plan_count(PLAN_SPLIT) - nr_sessions + i;
	slots_run(&env, next_of_batch, &batch);
	all_well(as_written);
	run_test_end();
}

static void play_one(const char *text)
{
	struct batch batch = { .kind = text[0], .nr = 1 };

	batch.numbers[0] = strtoull(text + 1, NULL, 0);
	if (!strchr("wscbr", text[0]))
		run_skip("KMQTT_FUZZ_CASE names no kind of case");
	if (run_test("one case", 1)) {
		play(&batch);
		run_test_end();
	}
}

static void set_up(void)
{
	genl_open(&asking);
	if (asking.fd < 0)
		run_skip("the module is not loaded");
	if (genl_do(&asking, KMQTT_CMD_BROKER_STOP))
		run_skip("needs root");
	if (genl_listen(&asking, PORT, KMQTT_AUTH_OPEN) ||
	    genl_listen(&asking, PORT + 1, KMQTT_AUTH_AUTHORITY) ||
	    authority_begin(&authority))
		run_die("listeners");
	/* A held client waits for the slowest; what is slow is not wrong. */
	genl_config(&asking, "connect_timeout", 3600);
	genl_config(&asking, "auth_timeout", 3600);
	env.nl = &asking;
	env.authority = &authority;
	witness_begin(&held, PORT, 5, "held");
	witness_check(&held);
	genl_gauges(&asking, &base);
}

static bool any_wanted(void)
{
	bool any = run.one || run_wants(as_written);
	size_t i;

	for (i = 0; i < NR_FAMILIES; i++)
		any |= run_wants(families[i].name);
	return any;
}

int main(void)
{
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	run_begin(40);
	if (!any_wanted())
		return run_end();
	session_init();
	set_up();
	play_as_written();
	if (run.one)
		play_one(run.one);
	for (i = 0; i < NR_FAMILIES && !run.one; i++)
		play_family(&families[i]);
	genl_do(&asking, KMQTT_CMD_BROKER_STOP);
	return run_end();
}
