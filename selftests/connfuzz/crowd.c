// SPDX-License-Identifier: GPL-2.0
#include "crowd.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/jiffies.h>
#include <linux/kmqtt.h>
#include "broker.h"
#include "bytes.h"
#include "life.h"
#include "ops.h"
#include "unit.h"

#define LETTERS_MAX	65535

/* The first clients[] are these. */
enum {
	WITNESS,
	NEWCOMER,
	NR_OTHERS,
};

static u64 memory_max;
static bool held;

struct client *member(u32 which)
{
	SHIM_CHECK(which < MAX_CLIENTS - NR_OTHERS);
	return &clients[NR_OTHERS + which];
}

const char *letters(u32 len)
{
	static char all[LETTERS_MAX + 1];

	SHIM_CHECK(len <= LETTERS_MAX);
	if (!*all)
		memset(all, 'x', LETTERS_MAX);
	return all + LETTERS_MAX - len;
}

void say(struct client *client, const char *format, ...)
{
	static char text[LETTERS_MAX + 512];
	struct mqtt_str packet;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	SHIM_CHECK(len >= 0 && len < (int)sizeof(text));
	packet = bytes(text);
	shim_peer_write(&client->peer, packet.data, packet.len);
	bytes_free(&packet);
	if (!held)
		shim_run_all();
}

void crowd_hold(bool hold)
{
	held = hold;
}

void dial(struct client *client, u16 port)
{
	SHIM_CHECK(client_open(client, port));
	shim_run_all();
}

void connect_as(struct client *client, const char *name, u32 expiry, u32 user)
{
	u8 flags = (expiry ? 0 : 0x02) | (user ? 0x80 : 0);
	const char *begin = "S'MQTT' 05";

	if (user)
		say(client, "10 [ %s %02x 0000 [ 11 %08x ] S'%s' S'%s' ]",
		    begin, flags, expiry, name, letters(user));
	else
		say(client, "10 [ %s %02x 0000 [ 11 %08x ] S'%s' ]",
		    begin, flags, expiry, name);
}

void connect_by(struct client *client, const char *name, u32 method)
{
	say(client, "10 [ S'MQTT' 05 02 0000 [ 15 S'%s' ] S'%s' ]",
	    letters(method), name);
}

struct client *join(u32 which, u32 expiry)
{
	struct client *client = member(which);
	char name[12];

	snprintf(name, sizeof(name), "%u", which);
	dial(client, PORT_OPEN);
	connect_as(client, name, expiry, 0);
	CHECK(client->accepted);
	return client;
}

void leave(struct client *client)
{
	shim_peer_fin(&client->peer);
	shim_run_all();
	/* The broker is in no hurry to forget a connection. */
	shim_time_passes(3 * HZ);
	shim_run_all();
	grace();
}

void publish(struct client *client, const char *topic, u8 flags, u16 id,
	     u32 payload)
{
	const char *props = client->version == 5 ? "00" : "";

	if (flags & 6)
		say(client, "%02x [ S'%s' %04x %s '%s' ]", 0x30 | flags, topic,
		    id, props, letters(payload));
	else
		say(client, "%02x [ S'%s' %s '%s' ]", 0x30 | flags, topic,
		    props, letters(payload));
}

const char *retained_topic(u32 which)
{
	static char topic[12];

	snprintf(topic, sizeof(topic), "r%u", which);
	return topic;
}

u32 fill_store(struct client *client, u32 payload)
{
	u32 nr = 0;

	while (the_broker()->nr_retained == nr)
		publish(client, retained_topic(nr++), 0x03, 1, payload);
	grace();
	return the_broker()->nr_retained;
}

void subscribe(struct client *client, const char *filter, u8 options)
{
	say(client, "82 [ 0001 %s S'%s' %02x ]",
	    client->version == 5 ? "00" : "", filter, options);
}

void acknowledge(struct client *client)
{
	struct owed owed[NR_OWED];
	u32 nr, i;

	/* What comes for it is owed as well. */
	while (client->nr_owed) {
		nr = client->nr_owed;
		memcpy(owed, client->owed, nr * sizeof(*owed));
		client->nr_owed = 0;
		for (i = 0; i < nr; i++)
			send_packet(client, packet_ack(owed[i].type, owed[i].id,
						       0, client->version));
		shim_run_all();
	}
}

void grace(void)
{
	u32 i;

	/* What is freed behind one may have something behind another. */
	for (i = 0; i < 2; i++) {
		shim_grace_period();
		shim_run_all();
	}
}

s64 memory(void)
{
	return percpu_counter_sum_positive(&the_broker()->memory);
}

void within_share(u32 share, const char *when)
{
	s64 now = memory();

	printf("%s: %.2f/16\n", when, now * 16.0 / memory_max);
	if (now * 16 > (s64)memory_max * share)
		unit_fail(__FILE__, __LINE__, "%s: more than %u/16", when,
			  share);
}

void witness_is_served(const char *when)
{
	struct client *client = &clients[WITNESS];

	client->reason = 0xff;
	publish(client, "witness", 0x02, 1, 3000);
	if (client->reason >= 0x80 || client->ended)
		unit_fail(__FILE__, __LINE__,
			  "%s: the witness' PUBLISH: reason 0x%02x", when,
			  client->reason);
}

void newcomer_is_let_in(const char *when)
{
	struct client *client = &clients[NEWCOMER];

	dial(client, PORT_OPEN);
	connect_as(client, "newcomer", ENDS, 0);
	if (!client->accepted)
		unit_fail(__FILE__, __LINE__, "%s: nobody new is let in", when);
	leave(client);
}

void crowd_begin(u64 max)
{
	memory_max = max;
	SHIM_CHECK(!life_begin(true, 0));
	life_listen();
	kmqtt_config_set(the_broker(), KMQTT_SET_MEMORY_MAX, max);
	dial(&clients[WITNESS], PORT_OPEN);
	connect_as(&clients[WITNESS], "witness", ENDS, 0);
	CHECK(clients[WITNESS].accepted);
}

void crowd_end(void)
{
	u32 i;

	life_end();
	for (i = 0; i < MAX_CLIENTS; i++)
		client_free(&clients[i]);
}
