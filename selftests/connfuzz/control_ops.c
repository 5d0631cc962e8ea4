// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that kmod/netlink_act.c makes, with no netlink before them. They
 * may block, and others go on meanwhile.
 */
#include <string.h>
#include <linux/err.h>
#include <linux/in.h>
#include <linux/kmqtt.h>
#include "control_ops.h"
#include "acl.h"
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "core/topic.h"
#include "datapath.h"
#include "listener.h"
#include "netlink.h"
#include "session.h"

#define NR_JOBS	16

/* Arguments of a task live as long as it. */
struct job {
	struct args args;
	void (*fn)(const struct args *args);
	bool used;
};

static struct job jobs[NR_JOBS];
static bool stopping;

struct kmqtt_broker *the_broker(void)
{
	return shim_net()->generic;
}

void do_in_task(void (*fn)(void *arg), void *arg)
{
	if (shim_task_room())
		shim_task(fn, arg);
}

void control_reset(void)
{
	memset(jobs, 0, sizeof(jobs));
	stopping = false;
	shim_nr_requests = 0;
	shim_nl_listening = false;
	shim_nl_full = false;
}

static void job_main(void *arg)
{
	struct job *job = arg;

	job->fn(&job->args);
	job->used = false;
}

static void job_start(void (*fn)(const struct args *args),
		      const struct args *args)
{
	u32 i;

	for (i = 0; i < NR_JOBS && jobs[i].used; i++)
		;
	if (i == NR_JOBS || !shim_task_room())
		return;
	jobs[i] = (struct job){ *args, fn, true };
	do_in_task(job_main, &jobs[i]);
}

static struct mqtt_str as_str(const char *text)
{
	return (struct mqtt_str){ (const u8 *)text, strlen(text) };
}

int add_listener(u16 port, u8 mode)
{
	struct sockaddr_storage addr = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&addr;

	in->sin_port = htons(port);
	return kmqtt_listener_create(the_broker(), &addr, mode, 0, NULL);
}

static void do_listener(const struct args *args)
{
	struct kmqtt_broker *broker = the_broker();
	struct sockaddr_storage addr = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&addr;
	struct kmqtt_listener *listener;

	if (args->b & 1) {
		add_listener(PORT_OPEN + (args->a & 3), args->c % 3);
		return;
	}
	in->sin_port = htons(PORT_OPEN + (args->a & 3));
	mutex_lock(&broker->lock);
	listener = kmqtt_listener_by_addr(broker, &addr);
	if (listener && args->b & 2)
		WRITE_ONCE(listener->auth_mode, args->c % 3);
	else if (listener && args->b & 4)
		WRITE_ONCE(listener->max_connections, args->c & 3);
	else if (listener)
		kmqtt_listener_remove(listener, false);
	mutex_unlock(&broker->lock);
}

static void do_kick(const struct args *args)
{
	struct mqtt_str name = as_str(client_name(args->a));
	struct kmqtt_session *session;
	struct kmqtt_conn *conn = NULL;

	session = kmqtt_session_find(the_broker(), &name);
	if (!session)
		return;
	if (args->b & 1) {
		kmqtt_session_drop(session, MQTT_RC_ADMINISTRATIVE_ACTION);
	} else {
		spin_lock(&session->lock);
		if (session->conn)
			conn = kmqtt_conn_get(session->conn);
		spin_unlock(&session->lock);
	}
	kmqtt_session_put(session);
	if (!conn)
		return;
	kmqtt_conn_close(conn, MQTT_RC_ADMINISTRATIVE_ACTION);
	kmqtt_conn_put(conn);
}

static void do_stop(const struct args *args)
{
	(void)args;
	kmqtt_broker_stop(the_broker(), false);
	stopping = false;
}

static void do_authority(const struct args *args)
{
	if (args->a & 1)
		kmqtt_authority_set(the_broker(), 1);
	else
		kmqtt_authority_released(the_broker(), 1);
}

/* In one piece, as kmod/netlink_act.c has it. */
static struct kmqtt_auth_answer *make_answer(const struct args *args)
{
	static const u8 reasons[] = { 0, 0, 0x18, 0x18, 0x87, 0x86, 0x04, 0x8c };
	struct kmqtt_auth_answer *answer;
	char *text;

	answer = kzalloc(sizeof(*answer) + 64, GFP_KERNEL);
	if (!answer)
		return NULL;
	text = (char *)(answer + 1);
	answer->reason = reasons[args->b & 7];
	if (args->c & 1)
		answer->username = strcpy(text, args->c & 2 ? "u2" : "u1");
	if (args->c & 4)
		answer->reason_string = strcpy(text + 8, "because");
	if (args->c & 8) {
		answer->auth_data.data = memcpy(text + 16, "challenge", 9);
		answer->auth_data.len = 9;
	}
	return answer;
}

static void do_answer(const struct args *args)
{
	struct kmqtt_auth_answer *answer;
	unsigned int which;
	u64 id;

	if (!shim_nr_requests)
		return;
	which = args->a % shim_nr_requests;
	id = shim_requests[which].id;
	/* The same twice, now and then, or what was never asked. */
	if (!(args->a & 0x80))
		shim_request_done(which);
	if (args->a & 0x40)
		id += 1000;
	answer = make_answer(args);
	if (answer && kmqtt_authority_reply(the_broker(), args->c & 0x80 ? 2 : 1,
					    id, answer))
		kfree(answer);
}

static const struct {
	enum kmqtt_setting setting;
	u64 values[4];
} settings[] = {
	{ KMQTT_SET_MAX_CONNECTIONS, { 10000, 1, 2, 3 } },
	{ KMQTT_SET_MAX_HALF_OPEN, { 512, 1, 2, 3 } },
	{ KMQTT_SET_CONNECT_SIZE_MAX, { 131072, 128, 128, 200 } },
	{ KMQTT_SET_MAX_PACKET_SIZE, { 2 << 20, 128, 600, 5000 } },
	{ KMQTT_SET_MAX_INFLIGHT, { 20, 1, 2, 60000 } },
	{ KMQTT_SET_RECEIVE_MAXIMUM, { 1000, 1, 2, 3 } },
	{ KMQTT_SET_MAX_QUEUED_MESSAGES, { 1000, 0, 1, 3 } },
	{ KMQTT_SET_MAX_QUEUED_BYTES, { 4 << 20, 0, 1, 400 } },
	{ KMQTT_SET_QUEUE_FULL_DROPS_OLDEST, { 0, 1, 1, 1 } },
	{ KMQTT_SET_QUEUE_QOS0_OFFLINE, { 0, 1, 1, 1 } },
	{ KMQTT_SET_MAX_KEEPALIVE, { 65535, 0, 1, 2 } },
	{ KMQTT_SET_TOPIC_ALIAS_MAXIMUM, { 10, 0, 1, 2 } },
	{ KMQTT_SET_TOPIC_ALIAS_OUT_MAX, { 10, 0, 1, 2 } },
	{ KMQTT_SET_MAX_SUBSCRIPTIONS, { 100000, 1, 2, 3 } },
	{ KMQTT_SET_MAX_TOPIC_LEVELS, { 200, 1, 2, 3 } },
	{ KMQTT_SET_SESSION_MAX, { 100000, 1, 2, 3 } },
	{ KMQTT_SET_SESSION_EXPIRY_MAX, { U32_MAX, 0, 1, 4 } },
	{ KMQTT_SET_MAXIMUM_QOS, { 2, 0, 1, 2 } },
	{ KMQTT_SET_RETAIN_AVAILABLE, { 1, 0, 1, 0 } },
	{ KMQTT_SET_RETAINED_MAX, { 1000000, 0, 1, 2 } },
	{ KMQTT_SET_RETAINED_BYTES_MAX, { 256 << 20, 0, 30, 600 } },
	{ KMQTT_SET_SUBSCRIPTION_BYTES_MAX, { 64 << 20, 65536, 65536, 65536 } },
	{ KMQTT_SET_MEMORY_MAX, { 256 << 20, 1 << 20, 1 << 20, 1 << 20 } },
	{ KMQTT_SET_RETRY_INTERVAL, { 0, 1, 2, 3 } },
	{ KMQTT_SET_RETRY_MAX, { 5, 1, 2, 3 } },
	{ KMQTT_SET_AUTH_TIMEOUT, { 5, 1, 2, 3 } },
	{ KMQTT_SET_AUTH_PENDING_MAX, { 256, 1, 2, 3 } },
	{ KMQTT_SET_EXPRESS_AFTER, { 16, 0, 1, 2 } },
};

static void do_config(const struct args *args)
{
	u32 which = args->a % ARRAY_SIZE(settings);

	SHIM_CHECK(kmqtt_config_find(kmqtt_settings[settings[which].setting].name) ==
		   settings[which].setting);
	kmqtt_config_set(the_broker(), settings[which].setting,
			 settings[which].values[args->b & 3]);
	if (settings[which].setting == KMQTT_SET_RETRY_INTERVAL)
		kmqtt_conn_wake_timers(the_broker());
}

static const char * const rule_filters[] = {
	"t/#", "#", "t/%c", "%u/#", "+/%c/x", "t", "$share/#", "a/b/+/d",
};

/* a: flags; b: how many rules, whose; c: what they say */
static void do_acl(const struct args *args)
{
	u32 nr = args->a & KMQTT_ACL_OFF ? 0 : args->b & 3, i;
	struct mqtt_str user = as_str(args->b & 4 ? "u1" : "u2"), filter;
	struct kmqtt_acl_rule *rule, *next;
	LIST_HEAD(rules);
	u8 flags;

	for (i = 0; i < nr; i++) {
		filter = as_str(rule_filters[((args->c >> 3) + i) & 7]);
		flags = args->c & (KMQTT_RULE_DENY | KMQTT_RULE_PATTERN);
		if (args->b & 0x10)
			flags |= KMQTT_RULE_EVERYONE;
		rule = kmqtt_acl_rule_create(1 + (args->c >> 6) % 3, flags,
					     args->b & 8 ? &user : NULL,
					     &filter);
		if (rule)
			list_add_tail(&rule->list, &rules);
	}
	kmqtt_acl_change(the_broker(), args->a & KMQTT_ACL_ALL, &rules, NULL);
	list_for_each_entry_safe(rule, next, &rules, list)
		kmqtt_acl_rule_free(rule);
	kmqtt_acl_put(kmqtt_acl_get(the_broker()));
}

static void do_clear(const struct args *args)
{
	struct mqtt_str filter = as_str(filter_name(args->a));

	if (mqtt_topic_filter_valid(&filter))
		kmqtt_retain_clear(the_broker(), &filter);
}

void control_defaults(void *arg)
{
	(void)arg;
	kmqtt_config_reset(the_broker());
	kmqtt_acl_reset(the_broker());
	add_listener(PORT_PROBE, KMQTT_AUTH_OPEN);
}

void control_run(enum op op, const struct args *args)
{
	switch (op) {
	case OP_AUTHORITY:
		shim_nl_full = args->a & 2;
		job_start(do_authority, args);
		break;
	case OP_ANSWER:
		job_start(do_answer, args);
		break;
	case OP_KICK:
		job_start(do_kick, args);
		break;
	case OP_LISTENER:
		job_start(do_listener, args);
		break;
	case OP_STOP:
		/* One at a time: netlink_act.c sees to that. */
		if (stopping || args->a & 3)
			break;
		stopping = true;
		job_start(do_stop, args);
		break;
	case OP_CONFIG:
		job_start(do_config, args);
		break;
	case OP_ACL:
		job_start(do_acl, args);
		break;
	case OP_CLEAR:
		job_start(do_clear, args);
		break;
	default:
		break;
	}
}
