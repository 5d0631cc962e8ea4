// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's files: read in full or not at all, and if not it is said why.
 */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclfile.h"
#include "endpoint.h"
#include "passwd.h"

#define NOT_READ	1

static void say(void *arg, int is_error, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

static struct diag diag = { .report = say };

void files_write(void)
{
	/* of the run before */
	rmdir("log");
	unlink("log");
	unlink("pid");
	file_write("conf", CONF);
	file_write("passwd", PASSWD);
	file_write("rules", RULES);
	mkdir("inc", 0700);
	file_write("inc/a.conf", "max_queued_messages 5\nlistener 2009\n");
	file_write("inc/b.conf", "max_keepalive 60\n");
}

static int conf_read(const struct scenario *s)
{
	static const uint16_t ports[] = { 2010 };
	struct config_options options = {
		.path = "conf", .ports = ports, .port_count = 1,
	};
	struct endpoints e;
	struct config *c;

	files_write();
	file_write("conf", s->args[0]);
	c = config_read(&options, &diag);
	if (!c || endpoints_resolve(&e, c, &diag) < 0) {
		config_free(c);
		return NOT_READ;
	}
	for (size_t i = 0; i < e.count; i++)
		printf("%s %u\n", endpoint_name(&e.list[i]),
		       e.list[i].max_connections);
	for (int i = 0; i < SETTING_COUNT; i++)
		printf("%d %llu\n", c->settings[i].is_set,
		       (unsigned long long)c->settings[i].value);
	printf("%s %s %s %s %s %s\n", c->passwords.path, c->acl.path,
	       c->pid_file.path, c->user.path, c->log.file, c->log.format);
	endpoints_free(&e);
	config_free(c);
	return 0;
}

static int passwd_file_read(const struct scenario *s)
{
	struct passwd_db *db;

	file_write("passwd", s->args[0]);
	db = passwd_read("passwd", &diag, NULL, 0);
	if (!db)
		return NOT_READ;
	printf("%zu\n", passwd_count(db));
	passwd_put(db);
	return 0;
}

static int rules_read(const struct scenario *s)
{
	struct acl_rules *a;

	file_write("rules", s->args[0]);
	a = acl_read("rules", &diag, NULL, 0);
	if (!a)
		return NOT_READ;
	for (size_t i = 0; i < a->count; i++)
		printf("%u %u %s %s\n", a->list[i].access, a->list[i].flags,
		       a->list[i].user ? a->list[i].user : "-",
		       a->list[i].filter);
	acl_free(a);
	return 0;
}

static const char *judge(const struct outcome *is, const struct outcome *good)
{
	if (is->status == NOT_READ && !*is->err)
		return "it was not read, and nobody says why";
	if (is->status == good->status)
		return strcmp(is->out, good->out) ? "a part of it is missing" :
			NULL;
	return is->status == NOT_READ ? NULL : "a file with mistakes was read";
}

#define WITH(text)	((const char *const []){ text, NULL })

const struct scenario file_scenarios[] = {
	{ "configuration", conf_read, judge, WITH(CONF) },
	{ "configuration with mistakes", conf_read, judge,
	  WITH(CONF "listner 1\nmax_qos 3\n"), NOT_READ },
	{ "password file", passwd_file_read, judge, WITH(PASSWD) },
	{ "password file with mistakes", passwd_file_read, judge,
	  WITH(PASSWD "eve\n" "alice:$6$aaaa$bbbb\n"), NOT_READ },
	{ "rule file", rules_read, judge, WITH(RULES) },
	{ "rule file with mistakes", rules_read, judge,
	  WITH(RULES "topic a#\n"), NOT_READ },
};

const int nr_file_scenarios = sizeof(file_scenarios) / sizeof(*file_scenarios);
