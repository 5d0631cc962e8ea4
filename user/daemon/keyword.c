// SPDX-License-Identifier: GPL-2.0
/*
 * Every keyword of Mosquitto's configuration file, so that one which is not
 * served here is told from one that does not exist.
 */
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "value.h"

#define PACKET_MAX	268435455ull	/* what a length field of MQTT holds */
#define NOT_ENCRYPTED	"nothing is encrypted here"
#define NOT_ASKED	"it is not asked who may do what"

static const struct keyword keywords[] = {
	/* listeners */
	{ "listener", parse_listener },
	{ "port", parse_port },
	{ "bind_address", parse_bind_address },
	{ "socket_domain", parse_socket_domain },
	{ "max_connections", parse_max_connections },
	{ "protocol", value_only, .only = "mqtt",
	  .without = "MQTT is spoken here, without WebSockets" },

	/* who may do what */
	{ "allow_anonymous", value_anonymous },
	{ "password_file", value_password_file },
	{ "acl_file", value_acl_file },
	{ "per_listener_settings", value_only, .only = "false",
	  .without = "what is set for one listener holds for all" },
	{ "allow_zero_length_clientid", value_only, .only = "true" },
	{ "use_username_as_clientid", value_only, .only = "false" },
	{ "use_identity_as_username", value_only, .only = "false" },
	{ "use_subject_as_username", value_only, .only = "false" },
	{ "require_certificate", value_only, .only = "false",
	  .without = "clients without one are let in as any other" },

	/* limits */
	{ "max_inflight_messages", value_inflight },
	{ "max_queued_messages", value_number,
	  .setting = SETTING_MAX_QUEUED_MESSAGES, .high = UINT32_MAX },
	{ "max_queued_bytes", value_number,
	  .setting = SETTING_MAX_QUEUED_BYTES, .high = INT64_MAX },
	{ "max_keepalive", value_number,
	  .setting = SETTING_MAX_KEEPALIVE, .high = 65535 },
	{ "max_packet_size", value_size_limit, .high = PACKET_MAX + 5 },
	{ "message_size_limit", value_size_limit, .high = PACKET_MAX },
	{ "max_topic_alias", value_topic_alias },
	{ "max_qos", value_max_qos },
	{ "maximum_qos", value_max_qos },
	{ "memory_limit", value_limit,
	  .setting = SETTING_MEMORY_MAX, .high = INT64_MAX },
	{ "max_inflight_bytes", value_only, .only = "0" },

	/* sessions and messages */
	{ "persistent_client_expiration", value_expiration,
	  .setting = SETTING_SESSION_EXPIRY_MAX },
	{ "retain_available", value_bool,
	  .setting = SETTING_RETAIN_AVAILABLE },
	{ "retry_interval", value_number,
	  .setting = SETTING_RETRY_INTERVAL, .high = UINT32_MAX },
	{ "queue_qos0_messages", value_bool,
	  .setting = SETTING_QUEUE_QOS0_OFFLINE },
	{ "upgrade_outgoing_qos", value_only, .only = "false" },
	{ "persistence", value_only, .only = "false" },
	{ "sys_interval", value_only, .only = "0" },
	{ "set_tcp_nodelay", value_only, .only = "true" },

	/* the daemon itself */
	{ "include_dir", value_include_dir },
	{ "pid_file", value_pid_file },
	{ "user", value_user },
	{ "log_dest", value_log_dest },
	{ "log_type", value_log_type },
	{ "log_facility", value_log_facility },
	{ "log_timestamp", value_log_timestamp },
	{ "log_timestamp_format", value_log_format },
	{ "connection_messages", value_connection_messages },

	/* Mosquitto's, not served */
	{ "accept_protocol_versions" },
	{ "address" },
	{ "addresses" },
	{ "allow_duplicate_messages" },
	{ "auth_opt_", .is_prefix = true },
	{ "auth_plugin", .without = NOT_ASKED },
	{ "auth_plugin_deny_special_chars" },
	{ "auto_id_prefix" },
	{ "autosave_interval" },
	{ "autosave_on_changes" },
	{ "bind_interface" },
	{ "bridge_alpn" },
	{ "bridge_attempt_unsubscribe" },
	{ "bridge_bind_address" },
	{ "bridge_cafile" },
	{ "bridge_capath" },
	{ "bridge_certfile" },
	{ "bridge_ciphers" },
	{ "bridge_ciphers_tls1.3" },
	{ "bridge_identity" },
	{ "bridge_insecure" },
	{ "bridge_keyfile" },
	{ "bridge_max_packet_size" },
	{ "bridge_max_topic_alias" },
	{ "bridge_outgoing_retain" },
	{ "bridge_protocol_version" },
	{ "bridge_psk" },
	{ "bridge_receive_maximum" },
	{ "bridge_reload_type" },
	{ "bridge_require_ocsp" },
	{ "bridge_session_expiry_interval" },
	{ "bridge_tcp_keepalive" },
	{ "bridge_tcp_user_timeout" },
	{ "bridge_tls_use_os_certs" },
	{ "bridge_tls_version" },
	{ "cafile", .without = NOT_ENCRYPTED },
	{ "capath", .without = NOT_ENCRYPTED },
	{ "certfile", .without = NOT_ENCRYPTED },
	{ "check_retain_source" },
	{ "ciphers" },
	{ "ciphers_tls1.3" },
	{ "cleansession" },
	{ "clientid" },
	{ "clientid_prefixes" },
	{ "connection" },
	{ "crlfile" },
	{ "dhparamfile" },
	{ "disable_client_cert_date_checks" },
	{ "enable_control_api" },
	{ "enable_proxy_protocol" },
	{ "global_max_clients" },
	{ "global_max_connections" },
	{ "global_plugin", .without = NOT_ASKED },
	{ "http_dir" },
	{ "idle_timeout" },
	{ "keepalive_interval" },
	{ "keyfile", .without = NOT_ENCRYPTED },
	{ "listener_allow_anonymous" },
	{ "listener_auto_id_prefix" },
	{ "local_cleansession" },
	{ "local_clientid" },
	{ "local_password" },
	{ "local_username" },
	{ "mount_point" },
	{ "notification_topic" },
	{ "notifications" },
	{ "notifications_local_only" },
	{ "packet_buffer_size" },
	{ "packet_max_auth" },
	{ "packet_max_connect" },
	{ "packet_max_simple" },
	{ "packet_max_sub" },
	{ "packet_max_un_sub" },
	{ "password" },
	{ "persistence_file" },
	{ "persistence_location" },
	{ "plugin", .without = NOT_ASKED },
	{ "plugin_load", .without = NOT_ASKED },
	{ "plugin_opt_", .is_prefix = true },
	{ "plugin_use" },
	{ "proxy_protocol_v2_require_tls" },
	{ "psk_file", .without = NOT_ENCRYPTED },
	{ "psk_hint", .without = NOT_ENCRYPTED },
	{ "remote_clientid" },
	{ "remote_password" },
	{ "remote_username" },
	{ "restart_timeout" },
	{ "retain_expiry_interval" },
	{ "retained_persistence" },
	{ "round_robin" },
	{ "start_type" },
	{ "store_clean_interval" },
	{ "threshold" },
	{ "tls_engine" },
	{ "tls_engine_kpass_sha1" },
	{ "tls_keyform" },
	{ "tls_version" },
	{ "topic" },
	{ "try_private" },
	{ "username" },
	{ "websockets_headers_size" },
	{ "websockets_log_level" },
	{ "websockets_origin" },
};

#define KEYWORD_COUNT	ARRAY_SIZE(keywords)
#define KEYWORD_MAX	40	/* longer words are like none of them */

const struct keyword *keyword_find(const char *name)
{
	for (size_t i = 0; i < KEYWORD_COUNT; i++) {
		const struct keyword *k = &keywords[i];

		if (!strcmp(name, k->name))
			return k;
		if (k->is_prefix && !strncmp(name, k->name, strlen(k->name)))
			return k;
	}
	return NULL;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* what distance() can be at least */
static unsigned int length_differs(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la > lb ? la - lb : lb - la;
}

/*
 * Letters to insert, delete, change or swap with the next one to make @a out
 * of @b (the distance of optimal string alignment).
 */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][KEYWORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *row = rows[i % 3];
		unsigned int *above = rows[(i + 2) % 3];
		unsigned int *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int change = a[i - 1] != b[j - 1];

			row[j] = least(least(above[j], row[j - 1]) + 1,
				       above[j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

const char *keyword_nearest(const char *name)
{
	unsigned int best = strlen(name) / 2 + 1;
	const char *nearest = NULL;

	if (strlen(name) > KEYWORD_MAX)
		return NULL;
	for (size_t i = 0; i < KEYWORD_COUNT; i++) {
		unsigned int d;

		if (keywords[i].is_prefix ||
		    length_differs(name, keywords[i].name) >= best)
			continue;
		d = distance(name, keywords[i].name);
		if (d < best) {
			best = d;
			nearest = keywords[i].name;
		}
	}
	return nearest;
}
