// SPDX-License-Identifier: GPL-2.0
/* The configuration file: a text, what is said about it, what it means. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/kmqtt.h>

#include "endpoint.h"
#include "ktap.h"

#define NONE	"1883 local\n"
/* 53 bytes */
#define A53	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct test {
	const char *name;
	const char *text;
	const char *says;
	const char *means;	/* NULL: nothing, as there are errors */
	bool ignore;
	uint16_t port;		/* of -p */
} tests[] = {
	/* listeners */
	{ "empty", "", "", NONE },
	{ "comments", "# a\n\n  # b\n\t\n", "", NONE },
	{ "crlf", "# a\r\nlistener 1884\r\nallow_anonymous true\r\n", "",
	  "1884\nanonymous\n" },
	{ "byte_order_mark", "\xef\xbb\xbf" "allow_anonymous false\n",
	  "warning: nobody can connect to port 1883: give users in a password_file, or set allow_anonymous true\n",
	  NONE "not anonymous\n" },
	{ "listener", "allow_anonymous true\nlistener 1\nlistener 65535 ::1\n",
	  "", "1\n65535 ::1\nanonymous\n" },
	{ "listener_limit", "allow_anonymous true\nlistener 1\n"
	  "max_connections 5\nlistener 2\nmax_connections -1\n", "",
	  "1 max 5\n2\nanonymous\n" },
	{ "listener_blanks", " \tlistener  \t 1883  \t host \t\nallow_anonymous 1\n",
	  "", "1883 host\nanonymous\n" },
	{ "listener_port_0", "listener 0\n",
	  "conf:1: listener 0 needs the path of a Unix socket: with TCP, name the port\n"
	},
	{ "listener_unix", "listener 0 /run/s\nmax_connections 3\n"
	  "allow_anonymous true\n", "", "0 /run/s max 3\nanonymous\n" },
	{ "listener_unix_nobody", "listener 0 /run/s\n",
	  "warning: conf:1: nobody can connect to /run/s: give users in a password_file, or set allow_anonymous true\n",
	  "0 /run/s\n" },
	{ "listener_unix_relative", "listener 0 run/s\n",
	  "conf:1: the path of a Unix socket begins with /, unlike \"run/s\"\n" },
	{ "listener_unix_port", "listener 1883 /run/s\n",
	  "conf:1: a listener on a Unix socket has port 0: listener 0 /run/s\n" },
	{ "listener_unix_longest", "allow_anonymous true\nlistener 0 /" A53 A53
	  "\n", "", "0 /" A53 A53 "\nanonymous\n" },
	{ "listener_unix_too_long", "listener 0 /" A53 A53 "a\n",
	  "conf:1: the path of a Unix socket has at most 107 bytes, this one 108\n" },
	{ "listener_port_word", "listener mqtt\n",
	  "conf:1: listener wants a number from 0 to 65535, not \"mqtt\"\n" },
	{ "listener_port_high", "\nlistener 65536\n",
	  "conf:2: listener wants a number from 0 to 65535, not \"65536\"\n" },
	{ "listener_port_sign", "listener -1\n",
	  "conf:1: listener wants a number from 0 to 65535, not \"-1\"\n" },
	{ "listener_port_huge", "listener 99999999999999999999999\n",
	  "conf:1: listener wants a number from 0 to 65535, not \"99999999999999999999999\"\n" },
	{ "listener_empty", "listener\n", "conf:1: listener needs a value\n" },
	{ "listener_comment", "listener 1883 # all\n",
	  "conf:1: listener takes a port and one address, not \"# all\": a comment needs a line of its own\n"
	},
	{ "listener_two_hosts", "listener 1883 a b\n",
	  "conf:1: listener takes a port and one address, not \"a b\": a comment needs a line of its own\n"
	},
	{ "port", "port 1884\nallow_anonymous true\n", "", "1884\nanonymous\n" },
	{ "bind_address", "bind_address ::1\nallow_anonymous true\n", "",
	  "1883 ::1\nanonymous\n" },
	{ "port_and_address", "port 1\nbind_address h\nmax_connections 7\n"
	  "allow_anonymous true\nlistener 2\n", "",
	  "2\n1 h max 7\nanonymous\n" },
	{ "port_twice", "port 1\nport 2\n",
	  "conf:2: port was already given in line 1 of conf: use listener for further ones\n" },
	{ "bind_twice", "bind_address a\n\nbind_address b\n",
	  "conf:3: bind_address was already given in line 1 of conf: use listener for further ones\n"
	},
	{ "limit_of_nothing", "max_connections 7\nlistener 2\nallow_anonymous true\n",
	  "warning: conf:1: max_connections here is about no listener: put it after the listener line it is meant for\n",
	  "2\nanonymous\n" },
	{ "limit_default", "max_connections 7\n", "", "1883 local max 7\n" },
	{ "limit_zero", "max_connections 0\n",
	  "conf:1: max_connections wants a number from 1 to 2147483647, not \"0\"\n" },
	{ "domain", "allow_anonymous true\nlistener 1\nsocket_domain ipv4\n"
	  "listener 2\nsocket_domain ipv6\n", "", "1 v4\n2 v6\nanonymous\n" },
	{ "domain_bad", "socket_domain ip\n",
	  "conf:1: socket_domain is ipv4 or ipv6, not \"ip\"\n" },
	{ "option_p", "", "", "1999 local\n", .port = 1999 },
	{ "option_p_beside", "allow_anonymous true\nlistener 5\n", "",
	  "5\n1999 local\nanonymous\n", .port = 1999 },

	/* who may */
	{ "nobody", "listener 1883\n",
	  "warning: conf:1: nobody can connect to port 1883: give users in a password_file, or set allow_anonymous true\n",
	  "1883\n" },
	{ "users", "listener 1883\npassword_file pw\nacl_file /a b\n", "",
	  "1883\npasswords pw\nacl /a b\n" },
	{ "password_file_twice", "password_file a\npassword_file b\n",
	  "conf:2: password_file was already given in line 1 of conf\n" },
	{ "anonymous_word", "allow_anonymous yes\n",
	  "conf:1: allow_anonymous is true or false, not \"yes\"\n" },
	{ "anonymous_comment", "allow_anonymous true # x\n",
	  "conf:1: allow_anonymous is true or false, not \"true # x\"\n" },

	/* settings */
	{ "inflight", "max_inflight_messages 50\n", "",
	  NONE "max_inflight 50\nreceive_maximum 50\n" },
	{ "inflight_zero", "max_inflight_messages 0\n", "",
	  NONE "max_inflight 65535\nreceive_maximum 65535\n" },
	{ "inflight_high", "max_inflight_messages 65536\n",
	  "conf:1: max_inflight_messages wants a number from 0 to 65535, not \"65536\"\n" },
	{ "queued", "max_queued_messages 0\nmax_queued_bytes 9000000000\n", "",
	  NONE "max_queued_messages 0\nmax_queued_bytes 9000000000\n" },
	{ "last_counts", "max_queued_messages 1\nmax_queued_messages 2\n", "",
	  NONE "max_queued_messages 2\n" },
	{ "keepalive", "max_keepalive 60\n", "", NONE "max_keepalive 60\n" },
	{ "packet_size", "max_packet_size 5000\n", "",
	  NONE "max_packet_size 5000\n" },
	{ "packet_size_none", "max_packet_size 0\n", "",
	  NONE "max_packet_size max\n" },
	{ "message_size", "message_size_limit 5000\n", "",
	  NONE "max_packet_size 6024\n" },
	{ "both_sizes", "message_size_limit 5000\nmax_packet_size 7000\n", "",
	  NONE "max_packet_size 6024\n" },
	{ "both_sizes_other", "message_size_limit 5000\nmax_packet_size 700\n",
	  "", NONE "max_packet_size 700\n" },
	{ "size_high", "max_packet_size 268435461\n",
	  "conf:1: max_packet_size wants a number from 0 to 268435460, not \"268435461\"\n" },
	{ "number_comment", "max_keepalive 60 # s\n",
	  "conf:1: max_keepalive wants just a number, not \"60 # s\": a comment needs a line of its own\n"
	},
	{ "number_unit", "max_keepalive 60s\n",
	  "conf:1: max_keepalive wants a number from 0 to 65535, not \"60s\"\n" },
	{ "number_hex", "max_keepalive 0x10\n",
	  "conf:1: max_keepalive wants a number from 0 to 65535, not \"0x10\"\n" },
	{ "alias", "max_topic_alias 3\nlistener 1\nallow_anonymous true\nmax_topic_alias 3\n",
	  "", "1\nanonymous\ntopic_alias_maximum 3\ntopic_alias_out_max 3\n" },
	{ "alias_differs", "max_topic_alias 3\nlistener 1\nmax_topic_alias 4\n",
	  "conf:3: max_topic_alias is the same for all listeners, and line 1 of conf gave it as 3\n"
	},
	{ "qos", "max_qos 1\n", "", NONE "maximum_qos 1\n" },
	{ "qos_high", "max_qos 3\n",
	  "conf:1: max_qos wants a number from 0 to 2, not \"3\"\n" },
	{ "expiration_h", "persistent_client_expiration 1h\n", "",
	  NONE "session_expiry_max 3600\n" },
	{ "expiration_d", "persistent_client_expiration 2d\n", "",
	  NONE "session_expiry_max 172800\n" },
	{ "expiration_w", "persistent_client_expiration 1w\n", "",
	  NONE "session_expiry_max 604800\n" },
	{ "expiration_m", "persistent_client_expiration 1m\n", "",
	  NONE "session_expiry_max 2592000\n" },
	{ "expiration_y", "persistent_client_expiration 136y\n", "",
	  NONE "session_expiry_max 4288896000\n" },
	{ "expiration_long", "persistent_client_expiration 137y\n",
	  "conf:1: persistent_client_expiration is too long: 136 years at most\n" },
	{ "expiration_huge", "persistent_client_expiration 99999999999999999999h\n",
	  "conf:1: persistent_client_expiration wants a number and one of h, d, w, m, y, such as 14d, not \"99999999999999999999h\"\n"
	},
	{ "expiration_unit", "persistent_client_expiration 14\n",
	  "conf:1: persistent_client_expiration wants a number and one of h, d, w, m, y, such as 14d, not \"14\"\n"
	},
	{ "expiration_more", "persistent_client_expiration 14dd\n",
	  "conf:1: persistent_client_expiration wants a number and one of h, d, w, m, y, such as 14d, not \"14dd\"\n"
	},
	{ "retain", "retain_available false\n", "",
	  NONE "retain_available 0\n" },
	{ "retry", "retry_interval 20\n", "", NONE "retry_interval 20\n" },
	{ "memory", "memory_limit 0\n", "", NONE "memory_max max\n" },
	{ "qos0", "queue_qos0_messages true\n", "",
	  NONE "queue_qos0_offline 1\n" },

	/* logging and the rest */
	{ "log", "log_dest syslog\nlog_dest file /var/log/k q\nlog_type error\n"
	  "log_type subscribe\nlog_facility 3\nlog_timestamp false\n"
	  "log_timestamp_format %H:%M\n", "",
	  NONE "log dest c type 21 facility 3 no time %H:%M /var/log/k q\n" },
	{ "log_none", "log_dest none\nlog_type none\n", "",
	  NONE "log dest 0 type 0\n" },
	{ "log_dest_bad", "log_dest printer\n",
	  "conf:1: log_dest is stderr, stdout, syslog, file NAME or none, not \"printer\"\n" },
	{ "log_dest_file", "log_dest file\n",
	  "conf:1: log_dest file needs the name of a file\n" },
	{ "log_dest_more", "log_dest stderr stdout\n",
	  "conf:1: nothing may follow log_dest stderr\n" },
	{ "log_dest_topic", "log_dest topic\n",
	  "conf:1: log_dest topic is not served yet: remove it, or start with --ignore-unsupported\n"
	},
	{ "log_type_bad", "log_type errors\n",
	  "conf:1: log_type is error, warning, notice, information, debug, subscribe, unsubscribe, all or none, not \"errors\"\n"
	},
	{ "log_facility_high", "log_facility 8\n",
	  "conf:1: log_facility wants a number from 0 to 7, not \"8\"\n" },
	{ "daemon", "pid_file /run/k\nuser nobody\n", "",
	  NONE "pid_file /run/k\nuser nobody\n" },

	/* keywords */
	{ "unserved", "listener 8883\ncafile /ca\ncertfile /c\n",
	  "conf:2: cafile is not served yet: remove it, or start with --ignore-unsupported\n"
	  "conf:3: certfile is not served yet: remove it, or start with --ignore-unsupported\n" },
	{ "unserved_ignored", "connection b\naddress h\ntopic # both\nplugin /x.so\nplugin_opt_a b\n",
	  "warning: conf:1: connection is not served yet: ignored\n"
	  "warning: conf:2: address is not served yet: ignored\n"
	  "warning: conf:3: topic is not served yet: ignored\n"
	  "warning: conf:4: plugin is not served yet: ignored, it is not asked who may do what\n"
	  "warning: conf:5: plugin_opt_a is not served yet: ignored\n",
	  NONE, .ignore = true },
	{ "unserved_encryption", "allow_anonymous true\nlistener 8883\ncertfile /c\n",
	  "warning: conf:3: certfile is not served yet: ignored, nothing is encrypted here\n",
	  "8883\nanonymous\n", .ignore = true },
	{ "unserved_left_open", "allow_anonymous true\nper_listener_settings true\nlistener 8883\n"
	  "require_certificate true\nprotocol websockets\n",
	  "warning: conf:2: per_listener_settings true is not served yet: ignored, what is set for one listener holds for all\n"
	  "warning: conf:4: require_certificate true is not served yet: ignored, clients without one are let in as any other\n"
	  "warning: conf:5: protocol websockets is not served yet: ignored, MQTT is spoken here, without WebSockets\n",
	  "8883\nanonymous\n", .ignore = true },
	{ "unserved_to_the_last",
	  "address h\naddress h\naddress h\naddress h\naddress h\naddress h\naddress h\n"
	  "address h\naddress h\naddress h\naddress h\naddress h\naddress h\naddress h\n"
	  "address h\naddress h\naddress h\naddress h\naddress h\naddress h\n"
	  "allow_anonymous true\nlistener 8883\nkeyfile /k\n",
#define X(n)	"warning: conf:" #n ": address is not served yet: ignored\n"
	  X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10)
	  X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20)
#undef X
	  "warning: conf:23: keyfile is not served yet: ignored, nothing is encrypted here\n",
	  "8883\nanonymous\n", .ignore = true },
	{ "mistakes_without_end",
	  "x 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\n"
	  "x 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\nx 1\n",
#define X(n)	"conf:" #n ": there is no keyword \"x\"\n"
	  X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10)
	  X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20)
#undef X
	  "and 2 more mistakes\n" },
	{ "unserved_without_value", "cafile\n",
	  "conf:1: cafile is not served yet: remove it, or start with --ignore-unsupported\n" },
	{ "only_value", "persistence false\nprotocol mqtt\nset_tcp_nodelay true\n"
	  "per_listener_settings false\nsys_interval 0\n", "", NONE },
	{ "other_value", "protocol websockets\n",
	  "conf:1: protocol websockets is not served yet: remove it, or start with --ignore-unsupported\n"
	},
	{ "other_value_ignored", "persistence true\n",
	  "warning: conf:1: persistence true is not served yet: ignored\n",
	  NONE, .ignore = true },
	{ "typo_letter", "listner 1883\n",
	  "conf:1: there is no keyword \"listner\": did you mean \"listener\"?\n" },
	{ "typo_swapped", "max_inflihgt_messages 2\n",
	  "conf:1: there is no keyword \"max_inflihgt_messages\": did you mean \"max_inflight_messages\"?\n"
	},
	{ "typo_case", "Listener 1883\n",
	  "conf:1: there is no keyword \"Listener\": did you mean \"listener\"?\n" },
	{ "typo_not_ignored", "alow_anonymous true\n",
	  "conf:1: there is no keyword \"alow_anonymous\": did you mean \"allow_anonymous\"?\n",
	  .ignore = true },
	{ "no_such", "zzz 1\n", "conf:1: there is no keyword \"zzz\"\n" },
	{ "equals_sign", "listener=1883\n",
	  "conf:1: there is no keyword \"listener=1883\": did you mean \"listener\"?\n" },
	{ "all_mistakes", "a_b_c 1\nlistener x\nmax_qos 9\n",
	  "conf:1: there is no keyword \"a_b_c\"\n"
	  "conf:2: listener wants a number from 0 to 65535, not \"x\"\n"
	  "conf:3: max_qos wants a number from 0 to 2, not \"9\"\n" },

	/* bytes */
	{ "not_utf8", "user \xff\n",
	  "conf:1: the line is not UTF-8 text, or holds a control character: write the file as UTF-8\n"
	},
	{ "overlong", "user \xc0\xaf\n",
	  "conf:1: the line is not UTF-8 text, or holds a control character: write the file as UTF-8\n"
	},
	{ "surrogate", "user \xed\xa0\x80\n",
	  "conf:1: the line is not UTF-8 text, or holds a control character: write the file as UTF-8\n"
	},
	{ "cut_character", "user \xe2\x82\n",
	  "conf:1: the line is not UTF-8 text, or holds a control character: write the file as UTF-8\n"
	},
	{ "escape", "user a\033[2Jb\n",
	  "conf:1: the line is not UTF-8 text, or holds a control character: write the file as UTF-8\n"
	},
	{ "last_line_without_end", "max_qos 1", "", NONE "maximum_qos 1\n" },
};

static char meaning[4096];

__attribute__((format(printf, 1, 2)))
static void mean(const char *fmt, ...)
{
	size_t n = strlen(meaning);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(meaning + n, sizeof(meaning) - n, fmt, ap);
	va_end(ap);
}

static void mean_log(const struct log_config *log)
{
	if (log->dests == LOG_DEST_STDERR && log->types == LOG_TYPE_DEFAULT)
		return;
	mean("log dest %x type %x", log->dests, log->types);
	if (log->facility >= 0)
		mean(" facility %d", log->facility);
	if (!log->timestamp)
		mean(" no time");
	if (log->format)
		mean(" %s", log->format);
	if (log->file)
		mean(" %s", log->file);
	mean("\n");
}

static const char *describe(const struct config *c)
{
	meaning[0] = 0;
	for (size_t i = 0; i < c->listener_count; i++) {
		const struct config_listener *l = &c->listeners[i];

		mean("%u%s%s%s%s", l->port, l->host ? " " : "",
		     l->host ? l->host : "", l->local ? " local" : "",
		     l->family == AF_INET ? " v4" :
		     l->family == AF_INET6 ? " v6" : "");
		if (l->max_connections)
			mean(" max %u", l->max_connections);
		mean("\n");
	}
	if (c->anonymous >= 0)
		mean("%sanonymous\n", c->anonymous ? "" : "not ");
	if (c->passwords.path)
		mean("passwords %s\n", c->passwords.path);
	if (c->acl.path)
		mean("acl %s\n", c->acl.path);
	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct config_value *v = &c->settings[i];

		if (v->is_set && v->value == CONFIG_VALUE_MAX)
			mean("%s max\n", config_setting_names[i]);
		else if (v->is_set)
			mean("%s %" PRIu64 "\n", config_setting_names[i],
			     v->value);
	}
	mean_log(&c->log);
	if (c->pid_file.path)
		mean("pid_file %s\n", c->pid_file.path);
	if (c->user.path)
		mean("user %s\n", c->user.path);
	return meaning;
}

static void run(const struct test *t)
{
	struct config_options o = {
		.path = "conf", .ports = &t->port, .port_count = !!t->port,
		.ignore_unsupported = t->ignore,
	};
	char name[80], got[8192], want[8192];
	struct config *c;

	snprintf(name, sizeof(name), "config_%s", t->name);
	if (!ktap_wanted(name))
		return;
	file_write("conf", t->text);
	c = config_read(&o, &test_diag);
	snprintf(got, sizeof(got), "%s%s", said(), c ? describe(c) : "-");
	snprintf(want, sizeof(want), "%s%s", t->says,
		 t->means ? t->means : "-");
	ktap_same(name, got, want);
	config_free(c);
}

static struct config *read_conf(const char *path)
{
	struct config_options o = { .path = path };

	return config_read(&o, &test_diag);
}

static void file_tests(void)
{
	struct config *c;

	if (ktap_wanted("config_missing")) {
		c = read_conf("nowhere");
		ktap_same("config_missing", said(),
			  "cannot read nowhere: No such file or directory\n");
		config_free(c);
	}
	if (ktap_wanted("config_folder")) {
		mkdir("folder", 0755);
		c = read_conf("folder");
		ktap_same("config_folder", said(),
			  "cannot read folder: it is a directory\n");
		config_free(c);
	}
	if (ktap_wanted("config_fifo")) {
		mkfifo("fifo", 0644);
		c = read_conf("fifo");
		ktap_same("config_fifo", said(),
			  "cannot read fifo: it is not a regular file\n");
		config_free(c);
	}
}

static void include_tests(void)
{
	struct config *c;

	mkdir("conf.d", 0755);
	file_write("conf.d/b.conf", "listener 3\n");
	file_write("conf.d/B.conf", "listener 2\n");
	file_write("conf.d/a.conf", "listener 1\nallow_anonymous true\n");
	file_write("conf.d/c.txt", "nonsense\n");
	file_write("conf", "include_dir conf.d\nmax_connections 9\n");
	if (ktap_wanted("config_include")) {
		c = read_conf("conf");
		ktap_same("config_include", c ? describe(c) : said(),
			  "1\n2\n3 max 9\nanonymous\n");
		config_free(c);
		said();
	}
	file_write("conf.d/b.conf", "\nlistener\ninclude_dir conf.d\n");
	if (ktap_wanted("config_include_error")) {
		c = read_conf("conf");
		ktap_same("config_include_error", said(),
			  "conf.d/b.conf:2: listener needs a value\n"
			  "conf.d/b.conf:3: include_dir is for the main file only: remove it here\n");
		config_free(c);
	}
	file_write("conf", "\ninclude_dir nowhere\n");
	if (ktap_wanted("config_include_missing")) {
		c = read_conf("conf");
		ktap_same("config_include_missing", said(),
			  "conf:2: cannot read the folder nowhere: No such file or directory\n");
		config_free(c);
	}
}

/* addresses of a configuration: text, what is said, and the addresses */
static const struct {
	const char *name;
	const char *text;
	const char *says;
	const char *means;
} resolve[] = {
	{ "default", "", "", "127.0.0.1 port 1883 open\n::1 port 1883 open optional\n" },
	{ "all", "listener 1883\nallow_anonymous true\n", "",
	  "0.0.0.0 port 1883 open\n:: port 1883 open optional\n" },
	{ "ipv6_only", "listener 1\nsocket_domain ipv6\nallow_anonymous true\n",
	  "", ":: port 1 open\n" },
	{ "address", "listener 1 192.0.2.7\nlistener 1 2001:db8::7\nallow_anonymous true\n",
	  "", "192.0.2.7 port 1 open\n2001:db8::7 port 1 open\n" },
	{ "users", "password_file p\nallow_anonymous true\n", "",
	  "127.0.0.1 port 1883 asked\n::1 port 1883 asked optional\n" },
	{ "twice", "listener 1 127.0.0.1\n\nlistener 1 127.0.0.1\nallow_anonymous true\n",
	  "conf:3: 127.0.0.1 port 1 is a listener already, from line 1 of conf\n",
	  "" },
	{ "no_address", "listener 1 256.1.1.1\nallow_anonymous true\n",
	  "conf:1: \"256.1.1.1\" is no address, and no name that resolves: ",
	  "" },
	{ "link_local", "listener 1 fe80::1\nallow_anonymous true\n",
	  "conf:1: \"fe80::1\" is a link-local address: name one that needs no interface\n",
	  "" },
};

static void resolve_tests(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(resolve); i++) {
		struct endpoints e;
		char name[80];
		const char *text;
		struct config *c;

		snprintf(name, sizeof(name), "resolve_%s", resolve[i].name);
		if (!ktap_wanted(name))
			continue;
		file_write("conf", resolve[i].text);
		c = read_conf("conf");
		meaning[0] = 0;
		if (c && !endpoints_resolve(&e, c, &test_diag)) {
			for (size_t j = 0; j < e.count; j++)
				mean("%s %s%s\n", endpoint_name(&e.list[j]),
				     e.list[j].auth_mode == KMQTT_AUTH_OPEN ?
				     "open" : "asked", e.list[j].optional ?
				     " optional" : "");
			endpoints_free(&e);
		}
		config_free(c);
		text = said();
		/* the resolver words its reason as it likes */
		if (strncmp(text, resolve[i].says, strlen(resolve[i].says)) ||
		    !*resolve[i].says)
			ktap_same(name, *text ? text : meaning,
				  resolve[i].means);
		else
			ktap_same(name, meaning, resolve[i].means);
	}
}

void config_tests(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		run(&tests[i]);
	file_tests();
	include_tests();
	resolve_tests();
}
