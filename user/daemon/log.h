/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log: one line an event, to where the configuration says
 */
#ifndef KMQTTD_LOG_H
#define KMQTTD_LOG_H

#include <stdbool.h>

/** enum log_type - kinds of lines, as log_type in the configuration */
enum log_type {
	LOG_TYPE_ERROR		= 1 << 0,
	LOG_TYPE_WARNING	= 1 << 1,
	LOG_TYPE_NOTICE		= 1 << 2,
	LOG_TYPE_INFO		= 1 << 3,
	LOG_TYPE_DEBUG		= 1 << 4,
	LOG_TYPE_SUBSCRIBE	= 1 << 5,
	LOG_TYPE_UNSUBSCRIBE	= 1 << 6,
	LOG_TYPE_DEFAULT	= LOG_TYPE_ERROR | LOG_TYPE_WARNING |
				  LOG_TYPE_NOTICE | LOG_TYPE_INFO,
	LOG_TYPE_ALL		= (1 << 7) - 1,
};

/** enum log_dest - where they go; several at once are possible */
enum log_dest {
	LOG_DEST_STDERR		= 1 << 0,
	LOG_DEST_STDOUT		= 1 << 1,
	LOG_DEST_SYSLOG		= 1 << 2,
	LOG_DEST_FILE		= 1 << 3,
};

/**
 * struct log_config - how to log
 * @dests: enum log_dest bits; 0: nowhere
 * @types: enum log_type bits
 * @file: path for LOG_DEST_FILE, owned
 * @facility: 0 to 7 for local0 to local7, -1: daemon
 * @timestamp: put the time before each line
 * @format: for strftime(), owned; NULL: seconds since 1970
 */
struct log_config {
	unsigned int dests;
	unsigned int types;
	char *file;
	int facility;
	bool timestamp;
	char *format;
};

/**
 * log_prepare() - open what a configuration logs to
 * @config: to be used later, by log_switch()
 * @err: room for a sentence if it fails
 * @size: bytes of @err
 *
 * Nothing is logged there yet. A file is opened anew, so that one that was
 * moved away is let go.
 *
 * Return: 0, or -1 with @err filled.
 */
int log_prepare(const struct log_config *config, char *err, unsigned int size);

/** log_abandon() - close what log_prepare() opened: the logging stays as it is */
void log_abandon(void);

/**
 * log_switch() - log as @config says from now on
 * @config: as given to log_prepare(); borrowed: must stay until the next call
 * @verbose: all types, whatever @config says
 *
 * Cannot fail. Before the first call everything but LOG_TYPE_DEBUG and the two
 * kinds of subscriptions goes to stderr.
 */
void log_switch(const struct log_config *config, bool verbose);

/** log_wants() - would a line of this type be written? */
bool log_wants(enum log_type type);

/** log_line() - write one line; control bytes become "?" */
void log_line(enum log_type type, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * log_limited() - as log_line(), for lines that remote peers cause
 *
 * At most 20 a second are written; how many were left out is said once a
 * second as long as there are any.
 */
void log_limited(enum log_type type, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)		log_line(LOG_TYPE_ERROR, __VA_ARGS__)
#define log_warning(...)	log_line(LOG_TYPE_WARNING, __VA_ARGS__)
#define log_notice(...)		log_line(LOG_TYPE_NOTICE, __VA_ARGS__)
#define log_info(...)		log_line(LOG_TYPE_INFO, __VA_ARGS__)
#define log_debug(...)		log_line(LOG_TYPE_DEBUG, __VA_ARGS__)

#endif /* KMQTTD_LOG_H */
