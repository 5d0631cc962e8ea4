// SPDX-License-Identifier: GPL-2.0
/* Password files and rule files. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "aclfile.h"
#include "ktap.h"
#include "passwd.h"

/* written by mosquitto_passwd 2.0.11, with -b, -H sha512 and -U */
#define ALICE	"alice:$7$101$GPNzo/htyrUUOhCc$QRMAQj60+uWabNVlIrrMFCMu4AaOYIwfE7TwsiBV6eeDQ2xIpy7mezSuv5zvyG6Y3YcQ+zmr2wVFpBgm+rnAnw==\n"
#define BOB	"bob:$6$j97u+i+1KuPl4hpU$eBy/gnWErGQ9uW+gjajoUoDLKWX4yC5pnvvsAlIvgIJZmxqxKb0RhNT4QwX/Z460Cg6/AD8lAxGdaUKpJbrKFA==\n"
#define UESER	"\303\274ser:$7$101$xLxXIuRgzwTz8baB$RxgivUD1nIJUDIB6hXhuPiQ81bAuWZTQZb/vR8bKbpiQfikZhkcmH6ptRAz9MC+TOKdKICWvrNxs+F8kWjD/9g==\n"
#define EMPTY	"empty:$7$101$xPYcTnqk5nrk7XY5$lT9qbTK2e9IE/ZZU2mv/Ohdb8AhSlLxQ63eRMBLBftRU0+b90Id2FV5sV9ciu7j/urppZ8VmsBaO5p74jgvFAg==\n"
#define CAROL	"carol:$6$xppanYMkRRiB0/iC$aC7uV2nPGk6iBI9W5jJFRlZiNDzcieNo+5lI3UPM5ALYMIcZiwDgLZN/LhmW1p+215DzDvpoTBeGOPwBe8vJHQ==\n"
#define PLAIN	"plain:$7$101$x+E5j3QQ5XOrbTrI$RPqz+yP6onf9dn97zBfPZef94YEvWt4WhnnbNEkB+ApKa8x8gsKMIt41ORm77ksc0+/DyWU3m0rEuYvPigC+Jw==\n"

#define X200 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *test;
	const char *name;
	const char *password;
	int length;	/* -1: that of the string */
	bool right;
} checks[] = {
	{ "pbkdf2", "alice", "wonderland", -1, true },
	{ "pbkdf2_wrong", "alice", "wonderlane", -1, false },
	{ "pbkdf2_shorter", "alice", "wonderlan", -1, false },
	{ "pbkdf2_longer", "alice", "wonderlandd", -1, false },
	{ "sha512_nul_after", "bob", "builder", 8, false },
	{ "pbkdf2_empty", "alice", "", -1, false },
	{ "sha512", "bob", "builder", -1, true },
	{ "sha512_wrong", "bob", "Builder", -1, false },
	{ "sha512_long", "carol", X200, -1, true },
	{ "not_ascii", "\303\274ser", "p\303\244 ss:$w\303\266rd", -1, true },
	{ "empty_password", "empty", "", 0, true },
	{ "empty_password_wrong", "empty", "x", -1, false },
	{ "upgraded", "plain", "secret", -1, true },
	{ "password_of_another", "alice", "builder", -1, false },
	{ "unknown", "eve", "wonderland", -1, false },
	{ "unknown_prefix", "alic", "wonderland", -1, false },
	{ "unknown_empty", "", "", -1, false },
};

static const struct {
	const char *test;
	const char *text;
	const char *says;
} mistakes[] = {
	{ "no_colon", "\nalice\n",
	  "pw:2: the line is not NAME:HASH: set a password with mosquitto_passwd\n" },
	{ "no_hash", "alice:\n",
	  "pw:1: the line is not NAME:HASH: set a password with mosquitto_passwd\n" },
	{ "no_name", ":$6$aaaa$bbbb\n", "pw:1: there is no name before the colon\n" },
	{ "plain_text", "alice:secret\n",
	  "pw:1: user alice: the password is not hashed as $6$ or $7$: set the password again with mosquitto_passwd\n"
	},
	{ "other_hash", "alice:$5$aaaa$bbbb\n",
	  "pw:1: user alice: the password is not hashed as $6$ or $7$: set the password again with mosquitto_passwd\n"
	},
	{ "cut", "alice:$6$aaaa\n",
	  "pw:1: user alice: the hash is cut short: set the password again with mosquitto_passwd\n"
	},
	{ "no_rounds", "alice:$7$aaaa$bbbb\n",
	  "pw:1: user alice: the number of rounds after $7$ makes no sense: set the password again with mosquitto_passwd\n" },
	{ "zero_rounds", "alice:$7$0$aaaa$bbbb\n",
	  "pw:1: user alice: the number of rounds after $7$ makes no sense: set the password again with mosquitto_passwd\n" },
	{ "negative_rounds", "alice:$7$-5$aaaa$bbbb\n",
	  "pw:1: user alice: the number of rounds after $7$ makes no sense: set the password again with mosquitto_passwd\n" },
	{ "many_rounds", "alice:$7$100001$aaaa$bbbb\n",
	  "pw:1: user alice: more than 100000 rounds take too long to check: set the password again with mosquitto_passwd\n"
	},
	{ "bad_salt", "alice:$6$a*aa$bbbb\n",
	  "pw:1: user alice: the salt is not base64: set the password again with mosquitto_passwd\n"
	},
	{ "empty_salt", "alice:$6$$bbbb\n",
	  "pw:1: user alice: the salt is not base64: set the password again with mosquitto_passwd\n"
	},
	{ "short_hash", "alice:$6$aaaa$bbbb\n",
	  "pw:1: user alice: the hash is not 64 bytes of base64: set the password again with mosquitto_passwd\n"
	},
	{ "hash_with_more", "alice:$6$aaaa$eBy/gnWErGQ9uW+gjajoUoDLKWX4yC5pnvvsAlIvgIJZmxqxKb0RhNT4QwX/Z460Cg6/AD8lAxGdaUKpJbrKFA== x\n",
	  "pw:1: user alice: the hash is not 64 bytes of base64: set the password again with mosquitto_passwd\n"
	},
	{ "twice", ALICE BOB ALICE,
	  "pw:3: user alice is in line 1 already: remove one of them\n" },
	{ "all_mistakes", "a\n" ALICE "b:c\n",
	  "pw:1: the line is not NAME:HASH: set a password with mosquitto_passwd\n"
	  "pw:3: user b: the password is not hashed as $6$ or $7$: set the password again with mosquitto_passwd\n"
	},
};

void passwd_tests(void)
{
	struct passwd_db *db;
	char name[80];
	bool clean;

	file_write("pw", "# users\n\n" ALICE BOB UESER EMPTY CAROL PLAIN);
	db = passwd_read("pw", &test_diag, NULL, 0);
	clean = !*said();
	if (ktap_wanted("passwd_read"))
		ktap_true("passwd_read", db && passwd_count(db) == 6 && clean);
	for (size_t i = 0; db && i < ARRAY_SIZE(checks); i++) {
		int length = checks[i].length;

		snprintf(name, sizeof(name), "passwd_%s", checks[i].test);
		if (length < 0)
			length = strlen(checks[i].password);
		if (ktap_wanted(name))
			ktap_true(name, passwd_check(db, checks[i].name,
						     checks[i].password,
						     length) ==
				  checks[i].right);
	}
	passwd_put(db);
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		snprintf(name, sizeof(name), "passwd_file_%s",
			 mistakes[i].test);
		if (!ktap_wanted(name))
			continue;
		file_write("pw", mistakes[i].text);
		db = passwd_read("pw", &test_diag, "conf", 7);
		ktap_same(name, db ? "read" : said(), mistakes[i].says);
		passwd_put(db);
		said();
	}
	if (ktap_wanted("passwd_file_missing")) {
		db = passwd_read("nowhere", &test_diag, "conf", 7);
		ktap_same("passwd_file_missing", said(),
			  "conf:7: cannot read nowhere: No such file or directory\n");
		passwd_put(db);
	}
	if (ktap_wanted("passwd_no_users")) {
		file_write("pw", "");
		db = passwd_read("pw", &test_diag, NULL, 0);
		ktap_true("passwd_no_users",
			  db && !passwd_check(db, "alice", "wonderland", 10));
		passwd_put(db);
	}
}

/* a rule is access bits, flags, user and filter */
static const struct {
	const char *test;
	const char *text;
	const char *says;
} rules[] = {
	{ "empty", "# nothing\n\n", "" },
	{ "anonymous", "topic a/b\n", "3 0 - a/b\n" },
	{ "accesses", "topic read a\ntopic write b\ntopic readwrite c\ntopic deny d\n",
	  "1 0 - a\n2 0 - b\n3 0 - c\n3 1 - d\n" },
	{ "users", "topic x\nuser al\ntopic read a/#\nuser b c\ntopic +/x\nuser al\ntopic y\n",
	  "3 0 - x\n1 0 al a/#\n3 0 b c +/x\n3 0 al y\n" },
	{ "pattern", "user al\npattern write s/%u/%c/#\ntopic t\n",
	  "2 6 - s/%u/%c/#\n3 0 al t\n" },
	{ "pattern_deny", "pattern deny s/%c\n", "3 7 - s/%c\n" },
	{ "filter_with_blank", "topic read a b/c\n", "1 0 - a b/c\n" },
	{ "filter_named_read", "topic read\n", "3 0 - read\n" },
	{ "system", "topic read $SYS/#\n", "1 0 - $SYS/#\n" },
	{ "wildcards", "topic #\ntopic +\ntopic +/+/#\ntopic /+/\n",
	  "3 0 - #\n3 0 - +\n3 0 - +/+/#\n3 0 - /+/\n" },
	{ "blank_without_access", "topic a b\n",
	  "acl:1: the access is read, write, readwrite or deny, not \"a\"\n" },
	{ "no_filter", "topic\n", "acl:1: topic needs a topic filter\n" },
	{ "no_user", "\nuser\n", "acl:2: user needs a name\n" },
	{ "other_word", "topics a\n",
	  "acl:1: a line starts with user, topic or pattern, not with \"topics\"\n" },
	{ "hash_inside", "topic a/#/b\n",
	  "acl:1: the filter \"a/#/b\" goes on after '#': '#' must be the end\n" },
	{ "hash_glued", "topic a#\n",
	  "acl:1: the filter \"a#\" has a wildcard within a level: put it between two '/'\n" },
	{ "plus_glued", "topic a/b+\n",
	  "acl:1: the filter \"a/b+\" has a wildcard within a level: put it between two '/'\n" },
	{ "plus_glued_after", "topic +b/c\n",
	  "acl:1: the filter \"+b/c\" has a wildcard within a level: put it between two '/'\n" },
	{ "all_mistakes", "topic a\nfoo\nuser\n",
	  "acl:2: a line starts with user, topic or pattern, not with \"foo\"\n"
	  "acl:3: user needs a name\n" },
};

static const char *describe(const struct acl_rules *a)
{
	static char text[2048];
	size_t n = 0;

	text[0] = 0;
	for (size_t i = 0; i < a->count; i++) {
		const struct acl_rule *r = &a->list[i];

		n += snprintf(text + n, sizeof(text) - n, "%u %u %s %s\n",
			      r->access, r->flags, r->user ? r->user : "-",
			      r->filter);
	}
	return text;
}

void acl_tests(void)
{
	struct acl_rules *a;
	char name[80];

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		snprintf(name, sizeof(name), "acl_%s", rules[i].test);
		if (!ktap_wanted(name))
			continue;
		file_write("acl", rules[i].text);
		a = acl_read("acl", &test_diag, "conf", 7);
		ktap_same(name, a ? describe(a) : said(), rules[i].says);
		acl_free(a);
		said();
	}
	if (ktap_wanted("acl_missing")) {
		a = acl_read("nowhere", &test_diag, "conf", 7);
		ktap_same("acl_missing", said(),
			  "conf:7: cannot read nowhere: No such file or directory\n");
		acl_free(a);
	}
}
