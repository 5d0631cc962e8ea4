/* SPDX-License-Identifier: GPL-2.0 */
/*
 * aclfile: access rules, in the files of Mosquitto's acl_file
 *
 *	topic [read|write|readwrite|deny] FILTER
 *	user NAME
 *	topic ...
 *	pattern [read|write|readwrite|deny] FILTER
 *
 * "topic" lines before the first "user" line are for clients without a name,
 * the others for that user. "pattern" lines are for everybody, with %c and %u
 * standing for client identifier and user name.
 */
#ifndef KMQTTD_ACLFILE_H
#define KMQTTD_ACLFILE_H

#include <stddef.h>
#include <stdint.h>

#include "diag.h"

/* as the module's own bound */
#define ACL_RULES_MAX	1000000

/**
 * struct acl_rule - one rule, as the module takes it
 * @access: enum kmqtt_access
 * @flags: enum kmqtt_rule_flags
 * @line: of the file
 * @user: name it is for, shared by the rules of a user; NULL for clients
 *	without a name, or for everybody if @flags says so
 * @filter: topic filter, owned
 */
struct acl_rule {
	uint8_t access;
	uint32_t flags;
	int line;
	const char *user;
	char *filter;
};

/**
 * struct acl_rules - a file
 * @list: rules in the order of the file
 * @count: how many
 * @room: how many fit
 * @users: names, owned
 * @user_count: how many
 * @user_room: how many fit
 */
struct acl_rules {
	struct acl_rule *list;
	size_t count;
	size_t room;
	char **users;
	size_t user_count;
	size_t user_room;
};

/**
 * acl_read() - read a rule file
 * @path: the file
 * @diag: gets every mistake
 * @from_file: with @from_line: where the configuration names it, or NULL
 * @from_line: see @from_file
 *
 * Return: the rules (end them with acl_free()), or NULL after a report.
 */
struct acl_rules *acl_read(const char *path, struct diag *diag,
			   const char *from_file, int from_line);

/** acl_free() - release the rules; NULL is fine */
void acl_free(struct acl_rules *a);

#endif /* KMQTTD_ACLFILE_H */
