/* SPDX-License-Identifier: GPL-2.0 */
/*
 * parse: what config.c (the files) and keyword.c (the keywords) share
 */
#ifndef KMQTTD_PARSE_H
#define KMQTTD_PARSE_H

#include "config.h"

/**
 * struct parser - state while files are read
 * @config: being filled
 * @diag: gets the mistakes
 * @place: line being read
 * @ignore_unsupported: see struct config_options
 * @depth: 0 in the main file, 1 in one of an include_dir
 * @listener: the last "listener" line's entry plus one; 0 before any
 * @explicit: there was a listener line
 * @plain: the listener of "port" and "bind_address", and what is said
 *	about connections before any listener line
 * @plain_port: place of "port"
 * @plain_bind: place of "bind_address"
 * @plain_limit: place of a max_connections for @plain
 * @log_types: a log_type line has been seen: the default is off
 * @log_dests: the same for log_dest
 */
struct parser {
	struct config *config;
	struct diag *diag;
	struct config_place place;
	bool ignore_unsupported;
	int depth;
	size_t listener;
	bool explicit;
	struct config_listener plain;
	struct config_place plain_port;
	struct config_place plain_bind;
	struct config_place plain_limit;
	bool log_types;
	bool log_dests;
};

/**
 * struct keyword - one keyword of mosquitto.conf
 * @name: as in the file
 * @parse: takes the value; 0, or -1 after a report; NULL if the keyword is
 *	not served
 * @only: the value that says what kmqttd does anyway, if that is all it
 *	takes; another one is as a keyword that is not served
 * @setting: for keywords that are just a number or a truth value
 * @low: least value of a number
 * @high: greatest value of a number
 * @without: what is to be known if it is not served and ignored, or NULL
 * @is_prefix: @name is the beginning of a family of keywords
 */
struct keyword {
	const char *name;
	int (*parse)(struct parser *p, const struct keyword *k, char *value);
	const char *only;
	enum config_setting setting;
	uint64_t low;
	uint64_t high;
	const char *without;
	bool is_prefix;
};

/** keyword_find() - entry of a keyword, NULL if Mosquitto has none such */
const struct keyword *keyword_find(const char *name);

/** keyword_nearest() - the keyword most like a mistyped one, NULL if none is */
const char *keyword_nearest(const char *name);

/** parse_error() - report a mistake in the line being read; returns -1 */
int parse_error(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * parse_unsupported() - the line asks for what is not served
 * @p: parser
 * @what: the keyword, or the keyword and its value
 * @without: what is to be known if it is ignored, or NULL
 *
 * Return: 0 with a warning if that is to be ignored, else -1 after a report.
 */
int parse_unsupported(struct parser *p, const char *what, const char *without);

/** parse_include() - read all files of a folder, for include_dir */
int parse_include(struct parser *p, const char *dir);

/**
 * parse_number() - a whole number of a range
 * @p: parser
 * @name: keyword, for the message
 * @value: text
 * @low: least value
 * @high: greatest
 * @out: result
 *
 * Return: 0, or -1 after a report.
 */
int parse_number(struct parser *p, const char *name, const char *value,
		 uint64_t low, uint64_t high, uint64_t *out);

/** parse_bool() - "true" or "false"; 0, or -1 after a report */
int parse_bool(struct parser *p, const char *name, const char *value,
	       bool *out);

/** parse_set() - remember the value of a setting of the module */
void parse_set(struct parser *p, enum config_setting setting, uint64_t value,
	       const char *keyword);

/* values of one keyword each, with the rest of the listener lines */
int parse_listener(struct parser *p, const struct keyword *k, char *value);
int parse_port(struct parser *p, const struct keyword *k, char *value);
int parse_bind_address(struct parser *p, const struct keyword *k, char *value);
int parse_max_connections(struct parser *p, const struct keyword *k,
			  char *value);
int parse_socket_domain(struct parser *p, const struct keyword *k,
			char *value);

/**
 * parse_listeners_end() - complete the list of listeners
 * @p: parser, after the last file
 * @options: for -p
 *
 * Return: 0, or -1 after a report.
 */
int parse_listeners_end(struct parser *p,
			const struct config_options *options);

#endif /* KMQTTD_PARSE_H */
