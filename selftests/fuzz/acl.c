// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's rule file: what it takes the module takes, too.
 *
 * Input: a file.
 */
#include "aclfile.h"

#include <string.h>

#include <linux/kmqtt.h>

#include "calls.h"
#include "fuzz.h"
#include "topic.h"

static bool is_string(const struct mqtt_str *s)
{
	return s->len && s->len <= 32000 && mqtt_utf8_valid(s->data, s->len);
}

static void check_rule(const struct acl_rule *r)
{
	struct mqtt_str filter = { (const u8 *)r->filter, strlen(r->filter) };
	struct mqtt_str user = { (const u8 *)r->user };

	FUZZ_CHECK(is_string(&filter) && mqtt_topic_filter_valid(&filter));
	if (r->user) {
		user.len = strlen(r->user);
		FUZZ_CHECK(is_string(&user));
		FUZZ_CHECK(!(r->flags & KMQTT_RULE_EVERYONE));
	}
	FUZZ_CHECK(r->access && r->access <= KMQTT_ACCESS_ALL);
	FUZZ_CHECK(!(r->flags & ~KMQTT_RULE_ALL));
	/* a pattern for clients without a name would match none of them */
	FUZZ_CHECK(!(r->flags & KMQTT_RULE_PATTERN) ==
		   !(r->flags & KMQTT_RULE_EVERYONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acl_rules *a;
	int line = 0;

	fuzz_file("acl", data, size);
	fuzz_diag.errors = 0;
	a = acl_read("acl", &fuzz_diag, "conf", 1);
	FUZZ_CHECK(!a == !!fuzz_diag.errors);
	if (!a)
		return 0;
	if (a->count)
		fuzz_taken();
	for (size_t i = 0; i < a->count; i++) {
		check_rule(&a->list[i]);
		FUZZ_CHECK(a->list[i].line > line);
		line = a->list[i].line;
	}
	acl_free(a);
	return 0;
}
