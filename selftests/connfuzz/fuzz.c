// SPDX-License-Identifier: GPL-2.0
/*
 * The data path of the module as a whole, between clients, time and failures.
 *
 * Input: a head, see ops.h, then operations.
 */
#include <string.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "control_ops.h"
#include "life.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

unsigned long last_allocations, last_points;

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

	life_end();
	for (i = 0; i < NR_CLIENTS; i++)
		client_free(&clients[i]);
}

static void start(const u8 *head)
{
	u32 number = head[2] | head[3] << 8;

	shim_allocations = 0;
	shim_points = 0;
	shim_fail_in = head[0] & HEAD_PREEMPT ? 0 : number;
	shim_preempt_in = head[0] & HEAD_PREEMPT ? number : 0;
	life_listen();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *op;

	if (size < OP_SIZE)
		return 0;
	if (life_begin(data[0] & HEAD_INITIAL, data[1])) {
		SHIM_CHECK(data[1]);
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
