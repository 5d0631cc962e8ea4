// SPDX-License-Identifier: GPL-2.0
#include "aclfile.h"

#include <stdlib.h>
#include <string.h>

#include <linux/kmqtt.h>

#include "text.h"

/* a filter and a user's name share one netlink attribute of 65,535 bytes */
#define STRING_MAX	32000

static const struct {
	const char *word;
	uint8_t access;
	uint32_t flags;
} accesses[] = {
	{ "read", KMQTT_ACCESS_READ, 0 },
	{ "write", KMQTT_ACCESS_WRITE, 0 },
	{ "readwrite", KMQTT_ACCESS_ALL, 0 },
	{ "deny", KMQTT_ACCESS_ALL, KMQTT_RULE_DENY },
};

/*
 * [MQTT-4.7.1-1], [MQTT-4.7.1-2]: '#' is the last level, and both wildcards
 * are a level of their own. What is wrong, or NULL.
 */
static const char *filter_check(const char *f)
{
	if (strlen(f) > STRING_MAX)
		return "is longer than 32000 bytes";
	for (const char *s = f; *s; s++) {
		if (*s != '+' && *s != '#')
			continue;
		if (s > f && s[-1] != '/')
			return "has a wildcard within a level: put it between two '/'";
		if (*s == '#' && s[1])
			return "goes on after '#': '#' must be the end";
		if (s[1] && s[1] != '/')
			return "has a wildcard within a level: put it between two '/'";
	}
	return NULL;
}

static struct acl_rule *rule_add(struct acl_rules *a)
{
	if (a->count == a->room) {
		size_t room = a->room ? 2 * a->room : 64;
		struct acl_rule *list;

		list = realloc(a->list, room * sizeof(*list));
		if (!list)
			return NULL;
		a->list = list;
		a->room = room;
	}
	memset(&a->list[a->count], 0, sizeof(*a->list));
	return &a->list[a->count++];
}

/* "[ACCESS] FILTER", or just a filter without blanks */
static int rule_parse(struct acl_rules *a, struct text *t, const char *keyword,
		      const char *user, char *rest)
{
	char *word = text_word(&rest);
	uint8_t access = KMQTT_ACCESS_ALL;
	const char *why, *filter = word;
	struct acl_rule *r;
	uint32_t flags = 0;
	size_t i;

	if (*rest) {
		for (i = 0; i < ARRAY_SIZE(accesses); i++) {
			if (!strcmp(word, accesses[i].word))
				break;
		}
		if (i == ARRAY_SIZE(accesses))
			return diag_error(t->diag, t->path, t->line,
					  "the access is read, write, readwrite or deny, not \"%s\"",
					  diag_quote(word));
		access = accesses[i].access;
		flags = accesses[i].flags;
		filter = rest;
	}
	if (!*filter)
		return diag_error(t->diag, t->path, t->line,
				  "%s needs a topic filter", keyword);
	why = filter_check(filter);
	if (why)
		return diag_error(t->diag, t->path, t->line,
				  "the filter \"%s\" %s", diag_quote(filter),
				  why);
	if (a->count >= ACL_RULES_MAX)
		return diag_error(t->diag, t->path, t->line,
				  "there are more than %d rules",
				  ACL_RULES_MAX);
	r = rule_add(a);
	if (!r)
		return diag_error(t->diag, NULL, 0, "out of memory");
	r->access = access;
	r->flags = flags;
	r->line = t->line;
	r->filter = strdup(filter);
	if (!strcmp(keyword, "pattern"))
		r->flags |= KMQTT_RULE_PATTERN | KMQTT_RULE_EVERYONE;
	else
		r->user = user;
	return r->filter ? 0 : diag_error(t->diag, NULL, 0, "out of memory");
}

static const char *user_add(struct acl_rules *a, struct text *t,
			    const char *name)
{
	char **users;

	if (strlen(name) > STRING_MAX) {
		diag_error(t->diag, t->path, t->line,
			   "the user name is longer than 32000 bytes");
		return NULL;
	}
	/* one user may be taken up again later; the last name is enough */
	if (a->user_count && !strcmp(a->users[a->user_count - 1], name))
		return a->users[a->user_count - 1];
	if (a->user_count == a->user_room) {
		size_t room = a->user_room ? 2 * a->user_room : 16;

		users = realloc(a->users, room * sizeof(*users));
		if (!users)
			goto no_memory;
		a->users = users;
		a->user_room = room;
	}
	a->users[a->user_count] = strdup(name);
	if (!a->users[a->user_count])
		goto no_memory;
	return a->users[a->user_count++];

no_memory:
	diag_error(t->diag, NULL, 0, "out of memory");
	return NULL;
}

static void lines_parse(struct acl_rules *a, struct text *t)
{
	const char *user = NULL;
	char *rest;

	while ((rest = text_line(t))) {
		char *keyword = text_word(&rest);

		if (!strcmp(keyword, "topic") || !strcmp(keyword, "pattern"))
			rule_parse(a, t, keyword, user, rest);
		else if (strcmp(keyword, "user"))
			diag_error(t->diag, t->path, t->line,
				   "a line starts with user, topic or pattern, not with \"%s\"",
				   diag_quote(keyword));
		else if (!*rest)
			diag_error(t->diag, t->path, t->line,
				   "user needs a name");
		else
			user = user_add(a, t, rest);
	}
}

struct acl_rules *acl_read(const char *path, struct diag *diag,
			   const char *from_file, int from_line)
{
	unsigned int before = diag->errors;
	struct acl_rules *a;
	struct text t;

	if (text_open(&t, path, diag, from_file, from_line) < 0)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (a)
		lines_parse(a, &t);
	else
		diag_error(diag, NULL, 0, "out of memory");
	text_close(&t);
	if (diag->errors == before)
		return a;
	acl_free(a);
	return NULL;
}

void acl_free(struct acl_rules *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i].filter);
	for (size_t i = 0; i < a->user_count; i++)
		free(a->users[i]);
	free(a->list);
	free(a->users);
	free(a);
}
