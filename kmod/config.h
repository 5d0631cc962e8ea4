/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of a broker: one table in config.c, numbers only. */
#ifndef KMQTT_CONFIG_H
#define KMQTT_CONFIG_H

#include <linux/types.h>

struct kmqtt_broker;
struct netlink_ext_ack;

/** enum kmqtt_setting - index of a setting; name, range and meaning: config.c */
enum kmqtt_setting {
	KMQTT_SET_MAX_CONNECTIONS,
	KMQTT_SET_MAX_HALF_OPEN,
	KMQTT_SET_CONNECT_TIMEOUT,
	KMQTT_SET_CONNECT_SIZE_MAX,
	KMQTT_SET_MAX_PACKET_SIZE,
	KMQTT_SET_MAX_INFLIGHT,
	KMQTT_SET_RECEIVE_MAXIMUM,
	KMQTT_SET_MAX_QUEUED_MESSAGES,
	KMQTT_SET_MAX_QUEUED_BYTES,
	KMQTT_SET_QUEUE_FULL_DROPS_OLDEST,
	KMQTT_SET_QUEUE_QOS0_OFFLINE,
	KMQTT_SET_MAX_KEEPALIVE,
	KMQTT_SET_TOPIC_ALIAS_MAXIMUM,
	KMQTT_SET_TOPIC_ALIAS_OUT_MAX,
	KMQTT_SET_MAX_SUBSCRIPTIONS,
	KMQTT_SET_MAX_TOPIC_LEVELS,
	KMQTT_SET_SESSION_MAX,
	KMQTT_SET_SESSION_EXPIRY_MAX,
	KMQTT_SET_MAXIMUM_QOS,
	KMQTT_SET_RETAIN_AVAILABLE,
	KMQTT_SET_RETAINED_MAX,
	KMQTT_SET_RETAINED_BYTES_MAX,
	KMQTT_SET_SUBSCRIPTION_BYTES_MAX,
	KMQTT_SET_MEMORY_MAX,
	KMQTT_SET_RETRY_INTERVAL,
	KMQTT_SET_RETRY_MAX,
	KMQTT_SET_AUTH_TIMEOUT,
	KMQTT_SET_AUTH_PENDING_MAX,
	KMQTT_SET_EXPRESS_AFTER,
	KMQTT_NR_SETTINGS,
};

/**
 * struct kmqtt_setting_info - a row of the table
 * @host_only: more than the default is for who may take the machine's memory:
 *	CAP_NET_ADMIN in the initial user namespace
 * @def: default; 0 with @def_ram_share set: RAM / @def_ram_share
 */
struct kmqtt_setting_info {
	const char *name;
	u64 def;
	u64 min;
	u64 max;
	const char *help;
	u32 def_ram_share;
	bool host_only;
};

extern const struct kmqtt_setting_info kmqtt_settings[KMQTT_NR_SETTINGS];

/* All settings of @broker to their defaults. */
void kmqtt_config_reset(struct kmqtt_broker *broker);

/*
 * Put a value in force; the caller has checked its range. Readers see it at
 * their next look. Any context.
 */
void kmqtt_config_set(struct kmqtt_broker *broker, enum kmqtt_setting setting,
		      u64 value);

/* The default of a setting on this machine. */
u64 kmqtt_config_default(enum kmqtt_setting setting);

/* Return: the setting called @name, or -ENOENT. */
int kmqtt_config_find(const char *name);

#endif
