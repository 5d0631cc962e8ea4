// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "attr.h"

enum {
	COL_WHO,
	COL_USER,
	COL_TYPE,
	COL_ACCESS,
	COL_PATTERN,
	COL_FILTER,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_WHO] = { "who", "WHO", 0 },
	[COL_USER] = { "username", "USER", 0 },
	[COL_TYPE] = { "type", "TYPE", 0 },
	[COL_ACCESS] = { "access", "ACCESS", 0 },
	[COL_PATTERN] = { "pattern", "PATTERN", 0 },
	[COL_FILTER] = { "filter", "FILTER", 0 },
};

static void show_rule(struct out *out, struct nlattr *const *attrs)
{
	static const char *const accesses[] = {
		"none", "read", "write", "readwrite"
	};
	uint32_t flags = attr_u64(attrs, KMQTT_A_RULE_FLAGS);

	out_row(out);
	out_word(out, COL_WHO, flags & KMQTT_RULE_EVERYONE ? "everyone" :
		 attrs[KMQTT_A_USERNAME] ? "user" : "anonymous");
	attr_out_str(out, COL_USER, attrs, KMQTT_A_USERNAME);
	out_word(out, COL_TYPE, flags & KMQTT_RULE_DENY ? "deny" : "allow");
	out_word(out, COL_ACCESS,
		 accesses[attr_u64(attrs, KMQTT_A_ACCESS) & KMQTT_ACCESS_ALL]);
	out_bool(out, COL_PATTERN, flags & KMQTT_RULE_PATTERN);
	attr_out_str(out, COL_FILTER, attrs, KMQTT_A_FILTER);
}

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	static struct nla_policy policy[KMQTT_A_MAX_ATTR + 1] = {
		[KMQTT_A_ACCESS] = { .type = NLA_U8 },
		[KMQTT_A_FILTER] = { .type = NLA_STRING },
		[KMQTT_A_USERNAME] = { .type = NLA_STRING },
		[KMQTT_A_RULE_FLAGS] = { .type = NLA_U32 },
	};
	struct nlattr *rule[KMQTT_A_MAX_ATTR + 1];
	struct ctl *ctl = arg;

	if (!attrs[KMQTT_A_ITEM])
		return 0;
	if (nla_parse_nested(rule, KMQTT_A_MAX_ATTR, attrs[KMQTT_A_ITEM],
			     policy) < 0)
		ctl_die(ctl, CTL_UNREACHABLE,
			"the module sent a rule that makes no sense; it is of another version");
	show_rule(&ctl->out, rule);
	return 0;
}

static int acl_show(struct ctl *ctl)
{
	struct nl_msg *msg;
	int status;

	ctl_end(ctl);
	msg = ctl_msg(ctl, KMQTT_CMD_ACL_GET);
	out_table(&ctl->out, columns, COLUMNS);
	status = ctl_dump(ctl, msg, show_one, ctl);
	out_table_end(&ctl->out);
	return status;
}

const struct ctl_verb acl_verbs[] = {
	{ "show", "", "list the access rules that the daemon has set",
	  acl_show },
	{ NULL, NULL, NULL, NULL }
};
