// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "text.h"

const char *const config_setting_names[SETTING_COUNT] = {
	[SETTING_MAX_INFLIGHT]		= "max_inflight",
	[SETTING_RECEIVE_MAXIMUM]	= "receive_maximum",
	[SETTING_MAX_QUEUED_MESSAGES]	= "max_queued_messages",
	[SETTING_MAX_QUEUED_BYTES]	= "max_queued_bytes",
	[SETTING_MAX_KEEPALIVE]		= "max_keepalive",
	[SETTING_MAX_PACKET_SIZE]	= "max_packet_size",
	[SETTING_TOPIC_ALIAS_MAXIMUM]	= "topic_alias_maximum",
	[SETTING_TOPIC_ALIAS_OUT_MAX]	= "topic_alias_out_max",
	[SETTING_SESSION_EXPIRY_MAX]	= "session_expiry_max",
	[SETTING_RETAIN_AVAILABLE]	= "retain_available",
	[SETTING_MAXIMUM_QOS]		= "maximum_qos",
	[SETTING_MEMORY_MAX]		= "memory_max",
	[SETTING_RETRY_INTERVAL]	= "retry_interval",
	[SETTING_QUEUE_QOS0_OFFLINE]	= "queue_qos0_offline",
};

int parse_error(struct parser *p, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return diag_error(p->diag, p->place.file, p->place.line, "%s", text);
}

int parse_unsupported(struct parser *p, const char *what, const char *without)
{
	if (p->ignore_unsupported) {
		diag_warning(p->diag, p->place.file, p->place.line,
			     "%s is not served yet: ignored%s%s", what,
			     without ? ", " : "", without ? without : "");
		return 0;
	}
	return parse_error(p, "%s is not served yet: remove it, or start with --ignore-unsupported",
			   what);
}

static void line_parse(struct parser *p, char *line)
{
	char *value = line;
	char *name = text_word(&value);
	const struct keyword *k = keyword_find(name);
	const char *nearest;

	if (!k) {
		nearest = keyword_nearest(name);
		if (nearest)
			parse_error(p, "there is no keyword \"%s\": did you mean \"%s\"?",
				    diag_quote(name), nearest);
		else
			parse_error(p, "there is no keyword \"%s\"",
				    diag_quote(name));
		return;
	}
	if (!k->parse) {
		parse_unsupported(p, diag_quote(name), k->without);
		return;
	}
	if (!*value) {
		parse_error(p, "%s needs a value", k->name);
		return;
	}
	k->parse(p, k, value);
}

/* the name of a file, kept for as long as messages may mention it */
static const char *file_keep(struct config *c, const char *path)
{
	char **files = realloc(c->files, (c->file_count + 1) * sizeof(*files));

	if (!files)
		return NULL;
	c->files = files;
	files[c->file_count] = strdup(path);
	if (!files[c->file_count])
		return NULL;
	return files[c->file_count++];
}

static int file_parse(struct parser *p, const char *path)
{
	struct config_place from = p->place;
	const char *name = file_keep(p->config, path);
	struct text t;
	char *line;

	if (!name)
		return diag_error(p->diag, NULL, 0, "out of memory");
	if (text_open(&t, name, p->diag, from.file, from.line) < 0)
		return -1;
	p->place.file = name;
	while ((line = text_line(&t))) {
		p->place.line = t.line;
		line_parse(p, line);
	}
	text_close(&t);
	p->place = from;
	return 0;
}

static int is_conf(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 5 && !strcmp(d->d_name + len - 5, ".conf");
}

/* Mosquitto's order: letters case by case, capitals of a letter first */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	int diff = strcasecmp((*a)->d_name, (*b)->d_name);

	return diff ? diff : strcmp((*a)->d_name, (*b)->d_name);
}

int parse_include(struct parser *p, const char *dir)
{
	struct dirent **list;
	int count, ret = 0;

	if (p->depth)
		return parse_error(p, "include_dir is for the main file only: remove it here");
	count = scandir(dir, &list, is_conf, by_name);
	if (count < 0)
		return parse_error(p, "cannot read the folder %s: %s",
				   diag_quote(dir), strerror(errno));
	p->depth++;
	for (int i = 0; i < count; i++) {
		char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, list[i]->d_name) < 0)
			ret = parse_error(p, "out of memory");
		else if (file_parse(p, path) < 0)
			ret = -1;
		free(path);
		free(list[i]);
	}
	free(list);
	p->depth--;
	return ret;
}

static void check_whole(struct parser *p)
{
	struct config *c = p->config;
	bool users = c->passwords.path;
	char port[16];

	for (size_t i = 0; i < c->listener_count && !users; i++) {
		struct config_listener *l = &c->listeners[i];

		if (config_anonymous(c, l))
			continue;
		snprintf(port, sizeof(port), "port %u", l->port);
		diag_warning(p->diag, l->place.file, l->place.line,
			     "nobody can connect to %s: give users in a password_file, or set allow_anonymous true",
			     l->port ? port : diag_quote(l->host));
		break;
	}
}

static struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->anonymous = -1;
	c->connection_messages = true;
	c->log.dests = LOG_DEST_STDERR;
	c->log.types = LOG_TYPE_DEFAULT;
	c->log.timestamp = true;
	c->log.facility = -1;
	return c;
}

struct config *config_read(const struct config_options *options,
			   struct diag *diag)
{
	unsigned int before = diag->errors;
	struct parser p = {
		.diag = diag,
		.ignore_unsupported = options->ignore_unsupported,
	};

	p.config = config_new();
	if (!p.config) {
		diag_error(diag, NULL, 0, "out of memory");
		return NULL;
	}
	if (options->path)
		file_parse(&p, options->path);
	if (diag->errors == before)
		parse_listeners_end(&p, options);
	free(p.plain.host);
	if (diag->errors != before) {
		diag_end(diag);
		config_free(p.config);
		return NULL;
	}
	check_whole(&p);
	return p.config;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->listener_count; i++)
		free(c->listeners[i].host);
	free(c->listeners);
	free(c->passwords.path);
	free(c->acl.path);
	free(c->pid_file.path);
	free(c->user.path);
	free(c->log.file);
	free(c->log.format);
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i]);
	free(c->files);
	free(c);
}

bool config_anonymous(const struct config *c, const struct config_listener *l)
{
	if (c->anonymous >= 0)
		return c->anonymous;
	return l->local;
}
