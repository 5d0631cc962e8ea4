// SPDX-License-Identifier: GPL-2.0
/* What clients, their networks, the scheduler and time do. */
#include <string.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include "control_ops.h"
#include "ops.h"
#include "stats.h"

static struct {
	u8 version[NR_CLIENTS];	/* as the last CONNECT sent it */
	unsigned int hold;
	struct args mutate;
	bool mutated;
	bool together;
	u32 nr_waiting;
	u32 waiting_of;		/* a bit for each client whose packets do */
	bool waiting_wild;
} ops;

static u8 waiting[64 * 1024];

void ops_reset(void)
{
	memset(&ops, 0, sizeof(ops));
	packets_reset();
}

/* One byte is another, or the end is missing. */
static void mutate(struct client *client, struct packet *packet)
{
	if (!ops.mutated || !packet->len)
		return;
	ops.mutated = false;
	client->wild = true;
	if (ops.mutate.c & 1)
		packet->len = ops.mutate.a % packet->len;
	else
		packet->data[ops.mutate.a % packet->len] ^= ops.mutate.b;
}

static void forget_waiting(void)
{
	ops.nr_waiting = 0;
	ops.waiting_of = 0;
	ops.waiting_wild = false;
}

static void send_waiting(struct client *client)
{
	u32 others = ops.waiting_of & ~(1u << (client - clients)), i;

	/*
	 * One client's packets may be another protocol version's; and who has
	 * sent CONNECT is not of its version if somebody else's socket got it.
	 */
	client->wild |= ops.waiting_wild || others;
	for (i = 0; i < NR_CLIENTS; i++)
		clients[i].wild |= others >> i & 1;
	shim_peer_write(&client->peer, waiting, ops.nr_waiting);
	forget_waiting();
}

void send_packet(struct client *client, struct packet packet)
{
	mutate(client, &packet);
	if (ops.together && packet.len <= sizeof(waiting) - ops.nr_waiting) {
		memcpy(waiting + ops.nr_waiting, packet.data, packet.len);
		ops.nr_waiting += packet.len;
		ops.waiting_of |= 1u << (client - clients);
		ops.waiting_wild |= client->wild;
		return;
	}
	if (ops.nr_waiting)
		send_waiting(client);
	shim_peer_write(&client->peer, packet.data, packet.len);
}

static void op_connect(struct client *client, const struct args *args)
{
	static const u8 versions[] = { 5, 5, 4, 3 };

	ops.version[client - clients] = versions[args->a & 3];
	send_packet(client, packet_connect(args));
}

static void op_publish(struct client *client, const struct args *args)
{
	send_packet(client, packet_publish(args, ops.version[client - clients]));
}

static void op_burst(struct client *client, const struct args *args)
{
	u32 nr = args->c == 0xff ? 16000 : args->c & 0x7f, i;
	struct args each = *args;

	each.c = 0;
	for (i = 0; i < nr; i++) {
		/* not large, with an identifier each */
		each.b = i << 4 | (args->b & (nr < 128 ? 7 : 3));
		op_publish(client, &each);
	}
}

static void op_ack(struct client *client, const struct args *args)
{
	u32 nr = (args->a & 15) + 1;
	struct owed owed;

	for (; nr && client->nr_owed; nr--) {
		owed = client->owed[0];
		client->nr_owed--;
		memmove(client->owed, client->owed + 1,
			client->nr_owed * sizeof(owed));
		send_packet(client, packet_ack(owed.type, owed.id,
					       args->b & 1 ? 0x83 : 0,
					       ops.version[client - clients]));
	}
}

static void op_open(struct client *client, const struct args *args)
{
	shim_peer_reset(&client->peer);
	shim_run_all();
	if (!client->peer.sk)
		client_open(client, PORT_OPEN + (args->a & 3));
}

static void op_odd_ack(struct client *client, const struct args *args)
{
	send_packet(client, packet_ack(4 + (args->a & 3), (args->b & 15) + 1,
				       args->c, ops.version[client - clients]));
}

static void op_raw(struct client *client, const struct args *args)
{
	u8 bytes[3] = { args->a, args->b, args->c };

	send_packet(client, (struct packet){ bytes, sizeof(bytes) });
}

static void op_split(struct client *client, const struct args *args)
{
	client->peer.segment = args->a;
	if (ops.together)
		send_waiting(client);
	ops.together = args->b & 1;
}

static void op_window(struct client *client, const struct args *args)
{
	static const u32 windows[] = { 0, 1, 2, 5, 30, 100, 1000, U32_MAX };

	shim_peer_open_window(&client->peer, windows[args->a & 7]);
}

static void op_time(const struct args *args)
{
	static const u32 ticks[] = { 1, 3, HZ / 10, HZ / 2, HZ, 3 * HZ,
				     6 * HZ, 90 * HZ };

	shim_time_passes(ticks[args->a & 7]);
	if (args->a & 0x80)
		shim_grace_period();
}

static void read_stats(void *arg)
{
	struct kmqtt_stats_row row;
	unsigned int i;

	for (i = 0; kmqtt_stats_row(the_broker(), i, &row); i++)
		SHIM_CHECK(row.name && row.help);
	(void)arg;
}

static void replug(void *arg)
{
	(void)arg;
	shim_replug();
}

static void op_misc(struct client *client, const struct args *args)
{
	switch (args->a & 7) {
	case 0:
		shim_nl_listening = args->b & 1;
		break;
	case 1:
		do_in_task(read_stats, NULL);
		break;
	case 2:
		client->peer.starved = args->b & 7;
		break;
	case 3:
		client->peer.busy = args->b & 7;
		break;
	case 4:
		shim_hrtimers_expire();
		break;
	case 5:
		do_in_task(replug, NULL);
		break;
	}
}

static void op_fail(const struct args *args)
{
	shim_fail_in = args->a + 1;
	shim_fail_run = args->b & 0x80 ? 1000 : args->b & 7;
}

static void op_preempt(const struct args *args)
{
	shim_preempt_in = args->a + 256 * (args->c & 3);
	shim_tick_every = args->b;
}

static void op_run_one(const struct args *args)
{
	if (args->b & 1)
		shim_grace_period();
	else
		shim_run(args->a);
}

/* May it be malformed, as it is made from these arguments? */
static bool is_wild(enum op op, const struct args *args)
{
	u8 qos = args->a >> 4 & 3;

	switch (op) {
	case OP_PUBLISH:
	case OP_BURST:
		return qos == 3 || (!qos && args->a & 0x80);
	case OP_SUBSCRIBE:
		return args->b & 0xc0 || (args->b & 3) == 3 ||
		       (args->b & 0x30) == 0x30;
	case OP_DISCONNECT:
	case OP_AUTH:
	case OP_ODD_ACK:
	case OP_CASE:
	case OP_RAW:
		return true;
	default:
		return false;
	}
}

/* What a client sends. Return: it was such an operation. */
static bool run_packet(enum op op, struct client *client,
		       const struct args *args)
{
	u8 version = ops.version[client - clients];

	client->wild |= is_wild(op, args);
	switch (op) {
	case OP_CONNECT:
		op_connect(client, args);
		return true;
	case OP_SUBSCRIBE:
		send_packet(client, packet_subscribe(args, version, 8));
		return true;
	case OP_UNSUBSCRIBE:
		send_packet(client, packet_subscribe(args, version, 10));
		return true;
	case OP_PUBLISH:
		op_publish(client, args);
		return true;
	case OP_BURST:
		op_burst(client, args);
		return true;
	case OP_ACK:
		op_ack(client, args);
		return true;
	case OP_ODD_ACK:
		op_odd_ack(client, args);
		return true;
	case OP_PING:
		send_packet(client, packet_ping());
		return true;
	case OP_DISCONNECT:
		send_packet(client, packet_disconnect(args, version));
		return true;
	case OP_AUTH:
		send_packet(client, packet_auth(args));
		return true;
	case OP_CASE:
		send_packet(client, packet_case_at(args));
		return true;
	case OP_RAW:
		op_raw(client, args);
		return true;
	default:
		return false;
	}
}

static bool run_network(enum op op, struct client *client,
			const struct args *args)
{
	switch (op) {
	case OP_OPEN:
		op_open(client, args);
		return true;
	case OP_SPLIT:
		op_split(client, args);
		return true;
	case OP_WINDOW:
		op_window(client, args);
		return true;
	case OP_FIN:
		shim_peer_fin(&client->peer);
		return true;
	case OP_RESET:
		shim_peer_reset(&client->peer);
		return true;
	case OP_MISC:
		op_misc(client, args);
		return true;
	default:
		return false;
	}
}

static void run_other(enum op op, const struct args *args)
{
	switch (op) {
	case OP_MUTATE:
		ops.mutate = *args;
		ops.mutated = true;
		break;
	case OP_TIME:
		op_time(args);
		break;
	case OP_FAIL:
		op_fail(args);
		break;
	case OP_PREEMPT:
		op_preempt(args);
		break;
	case OP_HOLD:
		ops.hold = args->a & 15;
		break;
	case OP_RUN:
		op_run_one(args);
		break;
	default:
		control_run(op, args);
	}
}

void op_run(const u8 *op)
{
	struct client *client = &clients[op[0] >> 5 & 3];
	struct args args = { op[1], op[2], op[3] };
	enum op code = op[0] & 31;

	if (!run_packet(code, client, &args) &&
	    !run_network(code, client, &args))
		run_other(code, &args);
	if (ops.hold)
		ops.hold--;
	else
		shim_run_all();
}

void ops_relax(void)
{
	u32 i;

	shim_fail_in = 0;
	shim_fail_run = 0;
	shim_preempt_in = 0;
	shim_tick_every = 0;
	shim_nl_full = false;
	ops.hold = 0;
	ops.mutated = false;
	ops.together = false;
	forget_waiting();
	for (i = 0; i < NR_CLIENTS; i++) {
		clients[i].peer.segment = 0;
		clients[i].peer.starved = 0;
		clients[i].peer.busy = 0;
		shim_peer_open_window(&clients[i].peer, U32_MAX);
	}
}
