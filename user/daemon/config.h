/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config: the configuration file, in mosquitto.conf's syntax
 *
 * Reading has no effect on anything: what comes out is plain data, which
 * apply.c compares with the kernel's state.
 */
#ifndef KMQTTD_CONFIG_H
#define KMQTTD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "log.h"

/* far more than a gateway has; bounds what a file can make us bind */
#define CONFIG_LISTENERS_MAX	256

/**
 * struct config_place - where something was said
 * @file: name of the file, owned by the configuration; NULL: command line or
 *	default
 * @line: its line
 */
struct config_place {
	const char *file;
	int line;
};

/**
 * struct config_listener - a listener as it was written
 * @place: where
 * @host: address or name to bind; NULL: all addresses; with @port 0 the path
 *	of a Unix socket
 * @port: TCP port
 * @max_connections: clients at a time; 0: only the broker's limit
 * @family: AF_INET, AF_INET6 or AF_UNSPEC
 * @local: loopback only, without names or addresses in a file: made by -p,
 *	or because there is no other listener
 */
struct config_listener {
	struct config_place place;
	char *host;
	uint16_t port;
	uint32_t max_connections;
	int family;
	bool local;
};

/** enum config_setting - settings of the module that a file can change */
enum config_setting {
	SETTING_MAX_INFLIGHT,
	SETTING_RECEIVE_MAXIMUM,
	SETTING_MAX_QUEUED_MESSAGES,
	SETTING_MAX_QUEUED_BYTES,
	SETTING_MAX_KEEPALIVE,
	SETTING_MAX_PACKET_SIZE,
	SETTING_TOPIC_ALIAS_MAXIMUM,
	SETTING_TOPIC_ALIAS_OUT_MAX,
	SETTING_SESSION_EXPIRY_MAX,
	SETTING_RETAIN_AVAILABLE,
	SETTING_MAXIMUM_QOS,
	SETTING_MEMORY_MAX,
	SETTING_RETRY_INTERVAL,
	SETTING_QUEUE_QOS0_OFFLINE,
	SETTING_COUNT
};

/** config_setting_names - the module's names of them */
extern const char *const config_setting_names[SETTING_COUNT];

/* value of a setting: the most the module takes */
#define CONFIG_VALUE_MAX	UINT64_MAX

/**
 * struct config_value - one setting
 * @is_set: the file says something about it; else it has its default
 * @value: what
 * @place: where
 * @keyword: by which keyword
 */
struct config_value {
	bool is_set;
	uint64_t value;
	struct config_place place;
	const char *keyword;
};

/**
 * struct config_path - a file that is named in the configuration
 * @path: NULL if none; owned
 * @place: where it is named
 */
struct config_path {
	char *path;
	struct config_place place;
};

/**
 * struct config - everything the files and the command line say
 * @listeners: owned array of @listener_count
 * @settings: by enum config_setting
 * @anonymous: 1, 0, or -1 if nothing is said
 * @passwords: users, as mosquitto_passwd writes them
 * @acl: access rules
 * @pid_file: where to write the process id
 * @user: whom to become
 * @log: logging
 * @connection_messages: log who connects and disconnects
 * @files: names of the files that were read, owned: @place refers to them
 * @file_count: how many
 */
struct config {
	struct config_listener *listeners;
	size_t listener_count;
	struct config_value settings[SETTING_COUNT];
	int anonymous;
	struct config_path passwords;
	struct config_path acl;
	struct config_path pid_file;
	struct config_path user;
	struct log_config log;
	bool connection_messages;
	char **files;
	size_t file_count;
};

/**
 * struct config_options - what the command line says
 * @path: main file; NULL: none
 * @ports: of -p
 * @port_count: how many
 * @ignore_unsupported: keywords of Mosquitto's that are not served are
 *	warned about instead of being errors
 */
struct config_options {
	const char *path;
	const uint16_t *ports;
	size_t port_count;
	bool ignore_unsupported;
};

/**
 * config_read() - read and check the configuration
 * @options: command line
 * @diag: gets every mistake, with file and line
 *
 * Return: the configuration (end it with config_free()), or NULL after at
 * least one error was reported.
 */
struct config *config_read(const struct config_options *options,
			   struct diag *diag);

/** config_free() - release a configuration; NULL is fine */
void config_free(struct config *c);

/** config_anonymous() - may clients without a name use this listener? */
bool config_anonymous(const struct config *c, const struct config_listener *l);

#endif /* KMQTTD_CONFIG_H */
