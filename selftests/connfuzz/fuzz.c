// SPDX-License-Identifier: GPL-2.0
/*
 * The data path of the module as a whole, between clients, time and failures.
 *
 * Input: a head, see ops.h, then operations.
 */
#include <string.h>
#include <linux/jiffies.h>
#include <linux/kmqtt.h>
#include <linux/slab.h>
#include "netlink.h"
#include "control_ops.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Longest of a connection's deadlines: CONNECT, or the peer's last bytes. */
#define DEADLINE	15

unsigned long last_allocations, last_points;

static int loaded;

static void load(void *arg)
{
	(void)arg;
	loaded = shim_module_init();
}

static void listen_at_first(void *arg)
{
	(void)arg;
	add_listener(PORT_OPEN, KMQTT_AUTH_OPEN);
	add_listener(PORT_AUTHORITY, KMQTT_AUTH_AUTHORITY);
	SHIM_CHECK(!kmqtt_authority_set(the_broker(), 1));
}

static void unload(void *arg)
{
	(void)arg;
	shim_module_exit();
}

static void nothing_is_left(void)
{
	SHIM_CHECK(!shim_nr_tasks());
	SHIM_CHECK(!shim_nr_works());
	SHIM_CHECK(!shim_nr_timers());
	SHIM_CHECK(!shim_nr_callbacks());
	SHIM_CHECK(!shim_nr_queues);
	if (shim_live)
		shim_bug(__FILE__, __LINE__, "memory is leaked");
}

/* Seconds pass, until every deadline has. */
static void settle(void)
{
	u32 i;

	ops_relax();
	shim_run_all();
	for (i = 0; i < DEADLINE; i++) {
		shim_time_passes(HZ);
		shim_run_all();
	}
	shim_grace_period();
	shim_run_all();
	if (shim_nr_tasks())
		shim_bug(__FILE__, __LINE__, "a task is stuck");
	for (i = 0; i < NR_CLIENTS; i++)
		client_settled(&clients[i]);
}

/* Whatever the others have done: who comes now is served. */
static void probe(void)
{
	static const struct args connect = { .a = 4, .b = 2 };
	static const struct args subscribe = { .b = 1 };
	static const struct args publish = { .a = 0x10, .b = 0x12 };
	struct client *client = &clients[PROBE];

	do_in_task(control_defaults, NULL);
	shim_run_all();
	SHIM_CHECK(client_open(client, PORT_PROBE));
	send_packet(client, packet_connect(&connect));
	shim_run_all();
	RULE(client, client->accepted, "the broker serves nobody any more");
	send_packet(client, packet_subscribe(&subscribe, 5, 8));
	shim_run_all();
	client->nr_received = 0;
	send_packet(client, packet_publish(&publish, 5));
	shim_run_all();
	RULE(client, !client->owes[OWES_SUBACK] && !client->owes[OWES_PUBACK],
	     "the broker does not answer any more");
	RULE(client, client->nr_received == 1,
	     "the broker does not deliver any more");
}

static void finish(void)
{
	u32 i;

	shim_task(unload, NULL);
	for (i = 0; i < DEADLINE && shim_nr_tasks(); i++) {
		shim_run_all();
		shim_time_passes(HZ);
	}
	for (i = 0; i < NR_CLIENTS; i++)
		client_free(&clients[i]);
	nothing_is_left();
}

static void begin(const u8 *head)
{
	shim_tasks_reset();
	shim_works_reset();
	shim_memory_reset();
	control_reset();
	ops_reset();
	published_reset();
	shim_load(head[0] & HEAD_INITIAL);
	shim_fail_in = head[1];
	shim_task(load, NULL);
	shim_run_all();
}

static void start(const u8 *head)
{
	u32 number = head[2] | head[3] << 8;

	shim_allocations = 0;
	shim_points = 0;
	shim_fail_in = head[0] & HEAD_PREEMPT ? 0 : number;
	shim_preempt_in = head[0] & HEAD_PREEMPT ? number : 0;
	shim_task(listen_at_first, NULL);
	shim_run_all();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *op;

	if (size < OP_SIZE)
		return 0;
	begin(data);
	if (loaded) {
		SHIM_CHECK(data[1]);
		nothing_is_left();
		return 0;
	}
	start(data);
	for (op = data + OP_SIZE; op + OP_SIZE <= data + size; op += OP_SIZE)
		op_run(op);
	last_allocations = shim_allocations;
	last_points = shim_points;
	settle();
	probe();
	finish();
	return 0;
}
