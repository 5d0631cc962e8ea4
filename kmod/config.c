// SPDX-License-Identifier: GPL-2.0
/* The table of settings: names, defaults, ranges and what they mean. */
#include "config.h"

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "broker.h"
#include "core/mqtt.h"

/*
 * Less is for tests: what is rare in their short conversations happens in each.
 */
#ifndef KMQTT_EXPRESS_AFTER
#define KMQTT_EXPRESS_AFTER	16
#endif

#define KMQTT_MIB	(1024 * 1024ULL)

const struct kmqtt_setting_info kmqtt_settings[KMQTT_NR_SETTINGS] = {
	[KMQTT_SET_MAX_CONNECTIONS] = {
		"max_connections", 10000, 1, 1000000,
		"connections at a time; more are closed at once"
	},
	[KMQTT_SET_MAX_HALF_OPEN] = {
		"max_half_open", 512, 1, 1000000,
		"connections at a time that have not been let in yet; a newer one takes the oldest's place"
	},
	[KMQTT_SET_CONNECT_TIMEOUT] = {
		"connect_timeout", 10, 1, 3600,
		"seconds from the TCP connection until the client is let in, authority included"
	},
	[KMQTT_SET_CONNECT_SIZE_MAX] = {
		"connect_size_max", 131072, 128, 524288,
		"bytes of the largest CONNECT"
	},
	[KMQTT_SET_MAX_PACKET_SIZE] = {
		"max_packet_size", 2 * KMQTT_MIB, 128, MQTT_PACKET_MAX,
		"bytes of the largest packet a client may send; all of it is held in memory"
	},
	[KMQTT_SET_MAX_INFLIGHT] = {
		"max_inflight", 20, 1, 65535,
		"QoS 1 and 2 messages sent to a client and not acknowledged"
	},
	[KMQTT_SET_RECEIVE_MAXIMUM] = {
		"receive_maximum", 1000, 1, 65535,
		"QoS 1 and 2 messages of a client that are not acknowledged"
	},
	[KMQTT_SET_MAX_QUEUED_MESSAGES] = {
		"max_queued_messages", 1000, 0, 10000000,
		"messages waiting for a client; 0: no bound"
	},
	[KMQTT_SET_MAX_QUEUED_BYTES] = {
		"max_queued_bytes", 4 * KMQTT_MIB, 0, U32_MAX,
		"bytes of messages waiting for a client; 0: no bound"
	},
	[KMQTT_SET_QUEUE_FULL_DROPS_OLDEST] = {
		"queue_full_drops_oldest", 0, 0, 1,
		"1: a full queue loses its oldest message, 0: it takes no new one"
	},
	[KMQTT_SET_QUEUE_QOS0_OFFLINE] = {
		"queue_qos0_offline", 0, 0, 1,
		"1: QoS 0 messages, too, wait for a client without a connection"
	},
	[KMQTT_SET_MAX_KEEPALIVE] = {
		"max_keepalive", 65535, 0, 65535,
		"seconds; who asks for more gets this (5.0) or is refused (3.x); 0: no limit"
	},
	[KMQTT_SET_TOPIC_ALIAS_MAXIMUM] = {
		"topic_alias_maximum", 10, 0, 65535,
		"topic aliases a client may use"
	},
	[KMQTT_SET_TOPIC_ALIAS_OUT_MAX] = {
		"topic_alias_out_max", 10, 0, 65535,
		"topic aliases used towards a client, if it takes so many"
	},
	[KMQTT_SET_MAX_SUBSCRIPTIONS] = {
		"max_subscriptions", 100000, 1, 10000000,
		"subscriptions of a client"
	},
	[KMQTT_SET_MAX_TOPIC_LEVELS] = {
		"max_topic_levels", 200, 1, 65535,
		"levels of a topic name or topic filter"
	},
	[KMQTT_SET_SESSION_MAX] = {
		"session_max", 100000, 1, 10000000,
		"sessions, with or without a connection"
	},
	[KMQTT_SET_SESSION_EXPIRY_MAX] = {
		"session_expiry_max", U32_MAX, 0, U32_MAX,
		"seconds a session is kept without a connection; 4294967295: for ever"
	},
	[KMQTT_SET_MAXIMUM_QOS] = {
		"maximum_qos", 2, 0, 2,
		"highest QoS that clients may publish with"
	},
	[KMQTT_SET_RETAIN_AVAILABLE] = {
		"retain_available", 1, 0, 1,
		"0: clients may not publish retained messages"
	},
	[KMQTT_SET_RETAINED_MAX] = {
		"retained_max", 1000000, 0, 100000000,
		"retained messages; more are delivered and not kept"
	},
	[KMQTT_SET_RETAINED_BYTES_MAX] = {
		"retained_bytes_max", 256 * KMQTT_MIB, 0, S64_MAX,
		"bytes of retained messages; more are delivered and not kept",
		.host_only = true
	},
	[KMQTT_SET_SUBSCRIPTION_BYTES_MAX] = {
		"subscription_bytes_max", 64 * KMQTT_MIB, 65536, S64_MAX,
		"bytes of the tree of topic filters of all clients",
		.host_only = true
	},
	[KMQTT_SET_MEMORY_MAX] = {
		"memory_max", 0, KMQTT_MIB, S64_MAX,
		"bytes of connections, sessions, topics, queues, messages and rules; default: a quarter of the RAM", 4,
		.host_only = true
	},
	[KMQTT_SET_RETRY_INTERVAL] = {
		"retry_interval", 0, 0, 3600,
		"seconds until a 3.x client gets an unacknowledged message again; 0: never"
	},
	[KMQTT_SET_RETRY_MAX] = {
		"retry_max", 5, 1, 255,
		"repetitions after which a silent 3.x client is disconnected"
	},
	[KMQTT_SET_AUTH_TIMEOUT] = {
		"auth_timeout", 5, 1, 3600,
		"seconds the authority has to answer; then the client is refused"
	},
	[KMQTT_SET_AUTH_PENDING_MAX] = {
		"auth_pending_max", 256, 1, 65536,
		"requests to the authority waiting for an answer; more are refused"
	},
	[KMQTT_SET_EXPRESS_AFTER] = {
		"express_after", KMQTT_EXPRESS_AFTER, 0, 255,
		"packets of a client that must have come alone until the next ones are sent on where they arrive, in the softirq; 0: none is, nor handled there"
	},
};

u64 kmqtt_config_default(enum kmqtt_setting setting)
{
	const struct kmqtt_setting_info *info = &kmqtt_settings[setting];

	if (!info->def_ram_share)
		return info->def;
	return max(((u64)totalram_pages() << PAGE_SHIFT) / info->def_ram_share,
		   info->min);
}

void kmqtt_config_set(struct kmqtt_broker *broker, enum kmqtt_setting setting,
		      u64 value)
{
	WRITE_ONCE(broker->config[setting], value);
	if (setting == KMQTT_SET_SUBSCRIPTION_BYTES_MAX)
		WRITE_ONCE(broker->subs.bytes_max, min_t(u64, value, SIZE_MAX));
	/* The tree of topics is a bound beside that of the messages. */
	if (setting == KMQTT_SET_RETAINED_BYTES_MAX)
		WRITE_ONCE(broker->retained.bytes_max,
			   max(value, kmqtt_config_default(setting)));
}

void kmqtt_config_reset(struct kmqtt_broker *broker)
{
	int i;

	for (i = 0; i < KMQTT_NR_SETTINGS; i++)
		kmqtt_config_set(broker, i, kmqtt_config_default(i));
}

int kmqtt_config_find(const char *name)
{
	int i;

	for (i = 0; i < KMQTT_NR_SETTINGS; i++)
		if (!strcmp(kmqtt_settings[i].name, name))
			return i;
	return -ENOENT;
}
