// SPDX-License-Identifier: GPL-2.0
/*
 * Limits that clients have once exceeded, each with what would come of it: a
 * share of memory_max is to end those who fill it, and nobody else. How much
 * may be filled with what is enum kmqtt_share's.
 */
#include <stdio.h>
#include <linux/jiffies.h>
#include <linux/kmqtt.h>
#include <net/sock.h>
#include "broker.h"
#include "config.h"
#include "crowd.h"
#include "listener.h"
#include "ops.h"
#include "stats.h"
#include "unit.h"

#define MAX	(4 << 20)
#define QOS1	0x02
#define QOS2	0x04
#define RETAIN	0x01

/*
 * A session's user name is what its client leaves. (It was charged always, and
 * so many clients as there are sessions could fill all of memory with it.)
 */
static void large_user_names(void)
{
	static const u32 sizes[] = { 60000, 60000, 20000, 2100 };
	char name[12];
	u32 i, nr = 0;

	crowd_begin(MAX);
	for (i = 0; i < 120; i++)
		leave(join(i, STAYS));
	for (i = 0; i < 120; i++)
		dial(member(i), PORT_OPEN);
	for (i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "%u", i);
		connect_as(member(i), name, STAYS, sizes[i / 30]);
		nr += member(i)->accepted;
	}
	printf("%u sessions resumed\n", nr);
	within_share(KMQTT_HOLD, "user names above 2 KiB");
	witness_is_served("then");
	newcomer_is_let_in("then");
	crowd_end();
}

/*
 * Sixteen each session may have, however badly they are chosen. (They took 19
 * KB, as long as there was room for connections: nobody new was let in.)
 */
static void identifiers_without_pubrel(void)
{
	s64 before;
	u32 i, j;

	crowd_begin(MAX);
	for (i = 0; i < 300; i++)
		join(i, STAYS);
	before = memory();
	for (i = 0; i < 300; i++)
		for (j = 0; j < 16; j++)
			publish(member(i), "n", QOS2, 1 + j * 4000, 0);
	CHECK(memory() == before);
	for (i = 0; i < 300; i++)
		for (j = 0; j < 4; j++)
			publish(member(i), "n", QOS2, 1001 + j * 4000, 0);
	within_share(KMQTT_HOLD, "more without PUBREL");
	witness_is_served("then");
	newcomer_is_let_in("then");
	crowd_end();
}

/* To five subscribers that get it in every version and QoS there is. */
static void update_all(struct client *client, u32 nr)
{
	u32 i, j;

	for (i = 0; i < nr; i++) {
		publish(client, retained_topic(i), QOS1 | RETAIN, 1, 500);
		for (j = 0; j < 5; j++)
			acknowledge(member(j));
		/* What was replaced counts until it is freed. */
		if (i % 100 == 99)
			grace();
	}
	grace();
}

/*
 * Who brings a topic up to date stores nothing more. (What it was encoded as
 * for its subscribers stayed with the message, and with a full store gave the
 * next one the right to take as much again.)
 */
static void retained_updates(void)
{
	struct client *client;
	s64 before;
	u32 nr, i;

	crowd_begin(MAX);
	client = join(5, ENDS);
	nr = fill_store(client, 500);
	within_share(KMQTT_STORE, "retained messages");
	for (i = 0; i < 5; i++) {
		if (i & 1) {
			dial(member(i), PORT_OPEN);
			say(member(i), "10 [ S'MQTT' 04 02 0000 S'%u' ]", i);
		} else {
			join(i, ENDS);
		}
		/* QoS 0 and 1; in 5.0 without what is retained by now */
		subscribe(member(i), "#", (i >> 1 & 1) | (i & 1 ? 0 : 0x20));
		acknowledge(member(i));
	}
	grace();
	before = memory();
	update_all(client, nr);
	printf("%u retained, then %u\n", nr, the_broker()->nr_retained);
	printf("%lld bytes, then %lld\n", before, memory());
	CHECK(memory() <= before);
	CHECK(the_broker()->nr_retained == nr);
	witness_is_served("after that");
	newcomer_is_let_in("after that");
	crowd_end();
}

/* So many clients that take nothing, by their numbers. */
static void join_unreading(u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		shim_peer_open_window(&join(i, ENDS)->peer, 0);
}

/* Each of them sends so many PINGREQs at once. */
static void all_ping(u32 nr, u32 pings)
{
	static u8 bytes[80000];
	u32 i;

	SHIM_CHECK(2 * pings <= sizeof(bytes));
	for (i = 0; i < pings; i++)
		bytes[2 * i] = 0xc0;
	for (i = 0; i < nr; i++) {
		shim_peer_write(&member(i)->peer, bytes, 2 * pings);
		shim_run_all();
	}
}

/*
 * A thousand of them are kept in any case; more are what a client makes us
 * hold, and cost it the connection when there is no room for it.
 */
static void answers_nobody_reads(void)
{
	crowd_begin(4 * MAX);
	join_unreading(250);
	all_ping(250, 40000);
	witness_is_served("all at once");
	shim_time_passes(3 * HZ);
	shim_run_all();
	grace();
	within_share(KMQTT_HOLD, "PINGRESPs");
	newcomer_is_let_in("then");
	crowd_end();
}

/* One that gets what it publishes to q. */
static struct client *join_with_q(u8 qos)
{
	struct client *client = join(0, ENDS);

	subscribe(client, "q", qos);
	return client;
}

/*
 * Beside the messages: a place for each and as many others, of which some stay for
 * the next ones.
 */
static void identifiers_in_flight(void)
{
	struct client *client;
	s64 before;
	u32 i;

	crowd_begin(MAX);
	client = join_with_q(1);
	before = memory();
	for (i = 0; i < 20; i++)
		publish(client, "q", QOS1, 1 + i, 10);
	printf("%lld bytes for 20 messages of 10\n", memory() - before);
	CHECK(client->nr_owed == 20);
	CHECK(memory() - before < 20 * 400);
	acknowledge(client);
	CHECK(memory() - before <= 512);
	crowd_end();
}

/* A PUBACK is a promise, if there are three quarters of memory left. */
static void late_acknowledgments(void)
{
	struct client *client;
	u32 i, lost = 0;

	crowd_begin(MAX);
	client = join(150, ENDS);
	for (i = 0; i < 150; i++)
		subscribe(join(i, ENDS), "q", 1);
	for (i = 0; i < 40; i++) {
		publish(client, "q", QOS1, 1 + i, 10);
		CHECK(!client->reason);
	}
	within_share(KMQTT_STORE / 2, "150 windows of 20, as much queued");
	for (i = 0; i < 150; i++) {
		acknowledge(member(i));
		lost += 40 - member(i)->nr_received;
	}
	CHECK_EQ(lost, 0, "deliveries");
	CHECK(!the_broker()->stats->n[KMQTT_STAT_DROPPED_MEMORY]);
	crowd_end();
}

/* The broker's max_connections is no reason to forget it. */
static void connections_of_a_listener(void)
{
	struct kmqtt_broker *broker;
	struct kmqtt_listener *listener;
	u32 i;

	crowd_begin(MAX);
	broker = the_broker();
	listener = list_first_entry(&broker->listeners, struct kmqtt_listener,
				    list);
	CHECK(listener->auth_mode == KMQTT_AUTH_OPEN);
	WRITE_ONCE(listener->max_connections, 3);
	kmqtt_config_set(broker, KMQTT_SET_MAX_CONNECTIONS, 8);
	for (i = 0; i < 2; i++)
		join(i, ENDS);
	for (; i < 7; i++)
		dial(member(i), PORT_AUTHORITY);
	/* Those who say nothing may now be closed to make room. */
	shim_time_passes(2 * HZ);
	shim_run_all();
	for (; i < 12; i++)
		dial(member(i), PORT_OPEN);
	grace();
	CHECK_EQ(atomic_read(&listener->nr_conns), 3, "listener");
	CHECK_EQ(atomic_read(&broker->nr_conns), 8, "broker");
	witness_is_served("then");
	crowd_end();
}

/* Subscriptions, for one: what clients may make us hold is all there. */
static void fill_hold(struct client *client)
{
	char filter[20];
	s64 before;
	u32 i = 0;

	do {
		before = memory();
		snprintf(filter, sizeof(filter), "filter/%u", i++);
		subscribe(client, filter, 0);
	} while (memory() > before);
	within_share(KMQTT_HOLD, "subscriptions");
}

/* What CONNACK announced is had [MQTT-3.3.2-12], as long as connections are. */
static void aliases_at_seven_eighths(void)
{
	struct client *client;

	crowd_begin(MAX);
	client = join(0, ENDS);
	fill_hold(join(1, ENDS));
	say(client, "32 [ S'topic' 0001 [ 23 0001 ] ]");
	say(client, "32 [ S'' 0002 [ 23 0001 ] ]");
	CHECK(!client->ended && !client->owes[OWES_PUBACK]);
	CHECK(client->reason < 0x80);
	crowd_end();
}

/*
 * A CONNECT that waits for the authority is there three times: as it came, in
 * the question, and in what is kept of it.
 */
static void waiting_for_the_authority(void)
{
	static const u32 sizes[] = { 60000, 20000, 2100 };
	char name[12];
	u32 i;

	crowd_begin(MAX);
	for (i = 0; i < 120; i++)
		dial(member(i), PORT_AUTHORITY);
	for (i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "%u", i);
		if (i & 1)
			connect_as(member(i), name, ENDS, sizes[i / 40]);
		else
			connect_by(member(i), name, sizes[i / 40]);
	}
	printf("%u questions\n", shim_nr_requests);
	within_share(KMQTT_HOLD, "waiting");
	witness_is_served("then");
	newcomer_is_let_in("then");
	crowd_end();
}

/* With queue_full_drops_oldest: as many bytes go as come. */
static void small_messages_for_large_ones(void)
{
	struct client *client;
	u32 i;

	crowd_begin(MAX);
	kmqtt_config_set(the_broker(), KMQTT_SET_QUEUE_FULL_DROPS_OLDEST, 1);
	client = join(0, ENDS);
	subscribe(join(1, STAYS), "q", 1);
	leave(member(1));
	for (i = 0; i < 900; i++)
		publish(client, "q", QOS1, 1, 10);
	fill_store(client, 3000);
	within_share(KMQTT_STORE, "retained messages");
	for (i = 0; i < 400; i++)
		publish(client, "q", QOS1, 1, 3000);
	grace();
	within_share(KMQTT_STORE, "large ones instead of small ones");
	witness_is_served("then");
	crowd_end();
}

/* Only what TCP refuses is a reason to wait until it has memory again. */
static void a_socket_that_is_owned(void)
{
	struct client *client;
	u32 busy;

	crowd_begin(MAX);
	client = join_with_q(0);
	for (busy = 0; busy < 2; busy++) {
		client->nr_received = 0;
		client->peer.sk->sk_wmem_queued = 1;
		client->peer.starved = 1;
		client->peer.busy = busy;
		publish(client, "q", 0, 0, 10);
		CHECK_EQ(client->nr_received, 1, busy ? "owned" : "starved");
	}
	crowd_end();
}

/* TCP would copy pages to where what comes between them is. */
static void a_route_without_scatter_gather(void)
{
	struct client *client;
	u32 i;

	crowd_begin(MAX);
	client = join_with_q(1);
	client->peer.sk->sk_route_caps = 0;
	for (i = 0; i < 3; i++)
		publish(client, "q", QOS1, 1 + i, 5000);
	CHECK_EQ(client->nr_received, 3, "deliveries");
	crowd_end();
}

/*
 * Less than its receive maximum, in one write. (All their answers waited for
 * the end of the run, and were more than a client could make us hold.)
 */
static void a_burst_at_seven_eighths(void)
{
	static const u8 packet[] = { 0x32, 6, 0, 1, 'n', 0, 0, 0 };
	static u8 burst[900 * sizeof(packet)];
	struct client *client;
	u32 i;

	crowd_begin(MAX);
	client = join(0, ENDS);
	fill_hold(join(1, ENDS));
	for (i = 0; i < 900; i++) {
		memcpy(burst + i * sizeof(packet), packet, sizeof(packet));
		burst[i * sizeof(packet) + 5] = (i + 1) >> 8;
		burst[i * sizeof(packet) + 6] = (i + 1) & 0xff;
	}
	shim_peer_write(&client->peer, burst, sizeof(burst));
	shim_run_all();
	CHECK(!client->peer.shut);
	crowd_end();
}

/*
 * What waits with each of many clients that do not read is a connection's: whether
 * there is room for one more depends on what is left behind the last of them.
 */
static void a_few_answers_nobody_reads(void)
{
	crowd_begin(4 * MAX);
	join_unreading(250);
	fill_hold(join(251, ENDS));
	all_ping(250, 500);
	within_share(KMQTT_CONNECT, "250 of them");
	witness_is_served("then");
	crowd_end();
}

/* The same of a packet that does not end: a quarter of it is had always. */
static void packets_that_do_not_end(void)
{
	static u8 part[4000] = { 0x30, 0xa0, 0x1f };
	char name[12];
	u32 i, nr;

	crowd_begin(MAX / 4);
	for (nr = 0; nr < 300; nr++) {
		snprintf(name, sizeof(name), "%u", nr);
		dial(member(nr), PORT_OPEN);
		if (!member(nr)->peer.sk)
			break;
		connect_as(member(nr), name, ENDS, 0);
		if (!member(nr)->accepted)
			break;
	}
	for (i = 0; i < nr; i++) {
		shim_peer_write(&member(i)->peer, part, sizeof(part));
		shim_run_all();
	}
	printf("%u connections, %d left, %lld bytes\n", nr,
	       atomic_read(&the_broker()->nr_conns), memory());
	CHECK(memory() <= MAX / 4 / 16 * 15 + (s64)nr * 1024);
	crowd_end();
}

/* A connection has 2 KiB of them while there is room for connections. */
static void long_aliases(void)
{
	struct client *client;
	u32 i, j;

	crowd_begin(MAX);
	for (i = 0; i < 300; i++) {
		client = join(i, ENDS);
		for (j = 1; j <= 10; j++)
			say(client, "30 [ S'%u/%u/%s' [ 23 %04x ] ]", i, j,
			    letters(2030), j);
		if (client->ended || !client->accepted)
			break;
	}
	within_share(KMQTT_HOLD, "long aliases");
	newcomer_is_let_in("then");
	crowd_end();
}

/* Who was refused and stays leaves no name behind. */
static void names_of_the_refused(void)
{
	char name[12];
	s64 before;
	u32 i;

	crowd_begin(MAX);
	join(0, ENDS);
	kmqtt_config_set(the_broker(), KMQTT_SET_SESSION_MAX, 2);
	for (i = 1; i < 60; i++)
		dial(member(i), PORT_OPEN);
	before = memory();
	for (i = 1; i < 60; i++) {
		snprintf(name, sizeof(name), "%u", i);
		connect_as(member(i), name, ENDS, 60000);
		CHECK(!member(i)->accepted);
	}
	CHECK(memory() <= before);
	crowd_end();
}

/* With queue_full_drops_oldest: nothing goes for what has no room anyway. */
static void a_large_one_for_nothing(void)
{
	struct client *client;
	unsigned long *dropped, before;
	u32 i;

	crowd_begin(MAX);
	kmqtt_config_set(the_broker(), KMQTT_SET_QUEUE_FULL_DROPS_OLDEST, 1);
	client = join(0, ENDS);
	subscribe(join(1, STAYS), "q", 1);
	leave(member(1));
	for (i = 0; i < 60; i++)
		publish(client, "q", QOS1, 1, 10);
	fill_store(client, 3000);
	fill_store(client, 100);
	dropped = &the_broker()->stats->n[KMQTT_STAT_DROPPED_MEMORY];
	before = *dropped;
	publish(client, "q", QOS1, 1, 60000);
	CHECK_EQ(*dropped - before, 1, "dropped");
	crowd_end();
}

/* Who does not read holds what is replaced: no more than clients may. */
static void updates_of_what_is_held(void)
{
	struct client *client;
	u32 nr, i, j;

	crowd_begin(MAX);
	client = join(200, ENDS);
	nr = fill_store(client, 3000);
	for (i = 0; i < 10; i++) {
		shim_peer_open_window(&join(i, ENDS)->peer, 0);
		subscribe(member(i), "#", 1);
		for (j = 0; j < nr; j++) {
			publish(client, retained_topic(j), QOS1 | RETAIN, 1,
				3000);
			if (j % 20 == 19)
				grace();
		}
		grace();
	}
	within_share(KMQTT_HOLD, "what was replaced");
	newcomer_is_let_in("then");
	crowd_end();
}

/*
 * A client comes again, and the broker comes to its old connection, on which more
 * lies than is read at a time, only after the time there is for it. @steps: so much
 * is done before that; one of them is what the new connection asks for.
 */
static void taken_over_late(u32 steps)
{
	struct client *old, *again = member(1);
	unsigned long *published, before;
	u32 i;

	crowd_begin(MAX);
	old = join(0, STAYS);
	dial(again, PORT_OPEN);
	published = &the_broker()->stats->n[KMQTT_STAT_PUBLISH_RECEIVED];
	before = *published;
	crowd_hold(true);
	connect_as(again, "0", STAYS, 0);
	for (i = 0; i < 12; i++)
		publish(old, "q", 0, 0, 60000);
	crowd_hold(false);
	for (i = 0; i < steps; i++)
		shim_run(0);
	if (*published == before)
		shim_time_passes(2 * HZ);
	shim_run_all();
	CHECK_EQ(*published - before, 12, "published");
	CHECK(again->accepted);
	crowd_end();
}

/* (The time began when the session was wanted, and ended before it was used.) */
static void what_was_sent_before_a_late_take_over(void)
{
	u32 steps;

	for (steps = 0; steps < 6; steps++)
		taken_over_late(steps);
}

static const struct unit_test tests[] = {
	UNIT_TEST(large_user_names),
	UNIT_TEST(identifiers_without_pubrel),
	UNIT_TEST(retained_updates),
	UNIT_TEST(answers_nobody_reads),
	UNIT_TEST(identifiers_in_flight),
	UNIT_TEST(late_acknowledgments),
	UNIT_TEST(connections_of_a_listener),
	UNIT_TEST(aliases_at_seven_eighths),
	UNIT_TEST(waiting_for_the_authority),
	UNIT_TEST(small_messages_for_large_ones),
	UNIT_TEST(a_socket_that_is_owned),
	UNIT_TEST(a_route_without_scatter_gather),
	UNIT_TEST(a_burst_at_seven_eighths),
	UNIT_TEST(a_few_answers_nobody_reads),
	UNIT_TEST(packets_that_do_not_end),
	UNIT_TEST(long_aliases),
	UNIT_TEST(names_of_the_refused),
	UNIT_TEST(a_large_one_for_nothing),
	UNIT_TEST(updates_of_what_is_held),
	UNIT_TEST(what_was_sent_before_a_late_take_over),
};
UNIT_SUITE(limits, tests);
