// SPDX-License-Identifier: GPL-2.0
/*
 * Values of the configuration file: numbers, truth values, and what only one
 * keyword takes. keyword.c says which.
 */
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* headers, topic and properties beside a payload of message_size_limit */
#define MESSAGE_ROOM	1024

int parse_number(struct parser *p, const char *name, const char *value,
		 uint64_t low, uint64_t high, uint64_t *out)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || end == value)
		return parse_error(p,
				   "%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
				   name, low, high, diag_quote(value));
	if (*end == ' ' || *end == '\t')
		return parse_error(p,
				   "%s wants just a number, not \"%s\": a comment needs a line of its own",
				   name, diag_quote(value));
	if (*end || errno || n < low || n > high)
		return parse_error(p,
				   "%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
				   name, low, high, diag_quote(value));
	*out = n;
	return 0;
}

int parse_bool(struct parser *p, const char *name, const char *value,
	       bool *out)
{
	if (!strcmp(value, "true") || !strcmp(value, "1"))
		*out = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*out = false;
	else
		return parse_error(p, "%s is true or false, not \"%s\"", name,
				   diag_quote(value));
	return 0;
}

void parse_set(struct parser *p, enum config_setting setting, uint64_t value,
	       const char *keyword)
{
	struct config_value *v = &p->config->settings[setting];

	v->is_set = true;
	v->value = value;
	v->place = p->place;
	v->keyword = keyword;
}

int value_number(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, k->low, k->high, &n) < 0)
		return -1;
	parse_set(p, k->setting, n, k->name);
	return 0;
}

int value_bool(struct parser *p, const struct keyword *k, char *value)
{
	bool on;

	if (parse_bool(p, k->name, value, &on) < 0)
		return -1;
	parse_set(p, k->setting, on, k->name);
	return 0;
}

int value_only(struct parser *p, const struct keyword *k, char *value)
{
	char what[200];

	if (!strcmp(value, k->only))
		return 0;
	strcpy(what, k->name);
	strcat(what, " ");
	strncat(what, diag_quote(value), sizeof(what) - strlen(what) - 1);
	return parse_unsupported(p, what, k->without);
}

/* 0 stands for "no limit" */
int value_limit(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, k->low, k->high, &n) < 0)
		return -1;
	parse_set(p, k->setting, n ? n : CONFIG_VALUE_MAX, k->name);
	return 0;
}

int value_inflight(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, 0, 65535, &n) < 0)
		return -1;
	if (!n)
		n = 65535;
	parse_set(p, SETTING_MAX_INFLIGHT, n, k->name);
	parse_set(p, SETTING_RECEIVE_MAXIMUM, n, k->name);
	return 0;
}

/*
 * Both bound a packet, and the narrower one counts. message_size_limit is
 * about the payload; the module bounds packets, so room for the rest is
 * added.
 */
int value_size_limit(struct parser *p, const struct keyword *k, char *value)
{
	struct config_value *v = &p->config->settings[SETTING_MAX_PACKET_SIZE];
	bool payload = !strcmp(k->name, "message_size_limit");
	uint64_t n;

	if (parse_number(p, k->name, value, k->low, k->high, &n) < 0)
		return -1;
	if (!n)
		n = CONFIG_VALUE_MAX;
	else if (payload)
		n += MESSAGE_ROOM;
	if (!v->is_set || v->keyword == k->name || n < v->value)
		parse_set(p, SETTING_MAX_PACKET_SIZE, n, k->name);
	return 0;
}

/* one value for the whole broker, where Mosquitto has one a listener */
static int set_once(struct parser *p, const struct keyword *k,
		    enum config_setting setting, uint64_t n)
{
	struct config_value *v = &p->config->settings[setting];

	if (v->is_set && v->value != n)
		return parse_error(p,
				   "%s is the same for all listeners, and line %d of %s gave it as %" PRIu64,
				   k->name, v->place.line, v->place.file,
				   v->value);
	parse_set(p, setting, n, k->name);
	return 0;
}

int value_topic_alias(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, 0, 65535, &n) < 0 ||
	    set_once(p, k, SETTING_TOPIC_ALIAS_MAXIMUM, n) < 0)
		return -1;
	return set_once(p, k, SETTING_TOPIC_ALIAS_OUT_MAX, n);
}

int value_max_qos(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, 0, 2, &n) < 0)
		return -1;
	return set_once(p, k, SETTING_MAXIMUM_QOS, n);
}

int value_expiration(struct parser *p, const struct keyword *k, char *value)
{
	static const struct {
		char unit;
		unsigned int seconds;
	} units[] = {
		{ 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 },
		{ 'm', 30 * 86400 }, { 'y', 365 * 86400 },
	};
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (value[0] < '1' || value[0] > '9' || errno)
			break;
		if (end[0] != units[i].unit || end[1])
			continue;
		/* the largest 32-bit number means "never" */
		if (n > (UINT32_MAX - 1) / units[i].seconds)
			return parse_error(p, "%s is too long: 136 years at most",
					   k->name);
		parse_set(p, k->setting, n * units[i].seconds, k->name);
		return 0;
	}
	return parse_error(p, "%s wants a number and one of h, d, w, m, y, such as 14d, not \"%s\"",
			   k->name, diag_quote(value));
}

int value_anonymous(struct parser *p, const struct keyword *k, char *value)
{
	bool on = false;

	if (parse_bool(p, k->name, value, &on) < 0)
		return -1;
	p->config->anonymous = on;
	return 0;
}

static int take_path(struct parser *p, const struct keyword *k,
		     const char *value, struct config_path *out)
{
	if (out->path)
		return parse_error(p, "%s was already given in line %d of %s",
				   k->name, out->place.line, out->place.file);
	out->path = strdup(value);
	out->place = p->place;
	return out->path ? 0 : parse_error(p, "out of memory");
}

int value_password_file(struct parser *p, const struct keyword *k,
			char *value)
{
	return take_path(p, k, value, &p->config->passwords);
}

int value_acl_file(struct parser *p, const struct keyword *k, char *value)
{
	return take_path(p, k, value, &p->config->acl);
}

int value_pid_file(struct parser *p, const struct keyword *k, char *value)
{
	return take_path(p, k, value, &p->config->pid_file);
}

int value_user(struct parser *p, const struct keyword *k, char *value)
{
	return take_path(p, k, value, &p->config->user);
}

int value_include_dir(struct parser *p, const struct keyword *k, char *value)
{
	return parse_include(p, value);
}

int value_connection_messages(struct parser *p, const struct keyword *k,
			      char *value)
{
	return parse_bool(p, k->name, value, &p->config->connection_messages);
}

int value_log_timestamp(struct parser *p, const struct keyword *k,
			char *value)
{
	return parse_bool(p, k->name, value, &p->config->log.timestamp);
}

int value_log_format(struct parser *p, const struct keyword *k, char *value)
{
	struct log_config *log = &p->config->log;

	if (log->format)
		return parse_error(p, "%s was already given", k->name);
	if (strlen(value) > 60)
		return parse_error(p, "%s is longer than 60 characters",
				   k->name);
	log->format = strdup(value);
	return log->format ? 0 : parse_error(p, "out of memory");
}

int value_log_facility(struct parser *p, const struct keyword *k, char *value)
{
	uint64_t n;

	if (parse_number(p, k->name, value, 0, 7, &n) < 0)
		return -1;
	p->config->log.facility = n;
	return 0;
}

int value_log_dest(struct parser *p, const struct keyword *k, char *value)
{
	struct log_config *log = &p->config->log;
	char *rest = value;
	char *dest = text_word(&rest);

	if (!strcmp(dest, "topic") || !strcmp(dest, "dlt"))
		return parse_unsupported(p, !strcmp(dest, "dlt") ?
					 "log_dest dlt" : "log_dest topic",
					 NULL);
	/* the first line of its kind replaces the default */
	if (!p->log_dests)
		log->dests = 0;
	p->log_dests = true;
	if (!strcmp(dest, "file")) {
		if (!*rest)
			return parse_error(p, "log_dest file needs the name of a file");
		if (log->file)
			return parse_error(p, "log_dest file can be given once only");
		log->dests |= LOG_DEST_FILE;
		log->file = strdup(rest);
		return log->file ? 0 : parse_error(p, "out of memory");
	}
	if (*rest)
		return parse_error(p, "nothing may follow log_dest %s",
				   diag_quote(dest));
	if (!strcmp(dest, "stderr"))
		log->dests |= LOG_DEST_STDERR;
	else if (!strcmp(dest, "stdout"))
		log->dests |= LOG_DEST_STDOUT;
	else if (!strcmp(dest, "syslog"))
		log->dests |= LOG_DEST_SYSLOG;
	else if (!strcmp(dest, "none"))
		log->dests = 0;
	else
		return parse_error(p,
				   "log_dest is stderr, stdout, syslog, file NAME or none, not \"%s\"",
				   diag_quote(dest));
	return 0;
}

int value_log_type(struct parser *p, const struct keyword *k, char *value)
{
	static const struct {
		const char *name;
		unsigned int types;
	} names[] = {
		{ "error", LOG_TYPE_ERROR },
		{ "warning", LOG_TYPE_WARNING },
		{ "notice", LOG_TYPE_NOTICE },
		{ "information", LOG_TYPE_INFO },
		{ "debug", LOG_TYPE_DEBUG },
		{ "subscribe", LOG_TYPE_SUBSCRIBE },
		{ "unsubscribe", LOG_TYPE_UNSUBSCRIBE },
		{ "websockets", 0 },
		{ "all", LOG_TYPE_ALL },
		{ "none", 0 },
	};
	struct log_config *log = &p->config->log;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i].name))
			continue;
		if (!p->log_types || !strcmp(value, "none"))
			log->types = 0;
		p->log_types = true;
		log->types |= names[i].types;
		return 0;
	}
	return parse_error(p,
			   "log_type is error, warning, notice, information, debug, subscribe, unsubscribe, all or none, not \"%s\"",
			   diag_quote(value));
}
