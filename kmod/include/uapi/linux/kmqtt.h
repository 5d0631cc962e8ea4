/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * kmqtt: generic netlink interface of the in-kernel MQTT broker
 *
 * Every network namespace has a broker of its own; a request concerns the one
 * of the namespace its netlink socket was opened in. All requests need
 * CAP_NET_ADMIN in the user namespace that owns that network namespace.
 *
 * Strings are NUL-terminated (NLA_NUL_STRING); they are MQTT's UTF-8 and
 * never hold U+0000. Numbers are in host byte order, addresses and nothing
 * else in network byte order: IPv4 as 4 bytes, IPv6 as 16. Unknown attributes
 * are refused. Errors carry an extended-ack text that says what to do, and
 * the attribute that is wrong.
 *
 * In dumps and events, strings above 4,096 bytes are cut at the end of a
 * character. An attribute holds 65,530 bytes of a string: a CONNECT with a
 * longer identifier or name is refused where the authority must be asked. A
 * dump may miss or repeat what came, went or moved while it was read; it is
 * marked NLM_F_DUMP_INTR if its table was resized.
 *
 *   command            attributes of the request            answer
 *   ------------------ ------------------------------------ ------------------
 *   LISTENER_NEW       ADDRESS and PORT, or PATH;           LISTENER_ID
 *                      [AUTH_MODE], [MAX_CONNECTIONS]
 *                      -EADDRINUSE, -EADDRNOTAVAIL, -EEXIST; see "Paths"
 *   LISTENER_DEL       LISTENER_ID, or ADDRESS and PORT,    -
 *                      or PATH
 *                      Its connections end with 0x8b (server shutting down).
 *                      -ENOENT
 *   LISTENER_SET       LISTENER_ID, [AUTH_MODE],            -
 *                      [MAX_CONNECTIONS]; connections stay
 *   LISTENER_GET dump  -                                    LISTENER_ID,
 *                      ADDRESS and PORT, or PATH; AUTH_MODE,
 *                      MAX_CONNECTIONS, CONNECTIONS
 *   CLIENT_GET dump    -                                    CLIENT_ID, [USERNAME],
 *                      VERSION, ADDRESS and PORT, or the listener's PATH;
 *                      LISTENER_ID, KEEP_ALIVE, AGE, PACKETS_IN, PACKETS_OUT,
 *                      BYTES_IN, BYTES_OUT, DROPPED
 *   CLIENT_DEL         CLIENT_ID, [REASON]                  -
 *                      The connection ends with REASON (0x98, administrative
 *                      action, if none); its session stays. -ENOENT
 *   SESSION_GET dump   -                                    CLIENT_ID, [USERNAME],
 *                      CONNECTED, EXPIRY, SUBSCRIPTIONS, INFLIGHT, QUEUED,
 *                      QUEUED_BYTES, AWAITING_REL, DROPPED
 *   SESSION_DEL        CLIENT_ID                            -
 *                      Ends the connection too, if there is one. -ENOENT
 *   SUBSCRIPTION_GET   dump, [CLIENT_ID]                    CLIENT_ID, FILTER,
 *                      QOS, OPTIONS, [SUBSCRIPTION_ID]
 *   RETAINED_GET dump  [FILTER]                             TOPIC, QOS, SIZE,
 *                      AGE, [EXPIRY], PAYLOAD (its first 1,024 bytes)
 *   RETAINED_DEL       FILTER                               COUNT
 *   ACL_SET            ACL_FLAGS, ITEM*                     -
 *                      See "Access control".
 *   ACL_GET dump       -                                    ACL_FLAGS: ACL_COMMIT
 *                      or ACL_OFF; then messages with an ITEM each
 *   CONFIG_SET         ITEM*: NAME, VALUE                   -
 *                      All or nothing; -ENOENT for an unknown name, -ERANGE,
 *                      -EPERM: more than the default of memory_max,
 *                      retained_bytes_max or subscription_bytes_max takes
 *                      CAP_NET_ADMIN of the initial user namespace
 *   CONFIG_GET dump    -                                    NAME, VALUE,
 *                      DEFAULT, MIN, MAX, HELP
 *   STATS_GET dump     -                                    NAME, VALUE, HELP
 *   AUTHORITY_SET      -                                    -
 *                      The socket of the request becomes the authority.
 *                      -EBUSY if another one is.
 *   AUTH_REPLY         REQUEST_ID, REASON, [USERNAME],      -
 *                      [AUTH_DATA], [REASON_STRING]
 *                      -ENOENT if the request is over; -EPERM if the sender
 *                      is not the authority
 *   BROKER_STOP        -                                    -
 *                      Closes all listeners, ends all connections with 0x8b,
 *                      drops all sessions (no will is sent), retained
 *                      messages, rules and settings: as after insmod. The
 *                      answer comes when nothing is left.
 *
 * Paths. A listener with a PATH is a Unix socket (SOCK_STREAM). LISTENER_NEW
 * makes its file as the caller's bind() would: in what he sees of the file
 * system, if he may, with his umask, and never over what is there
 * (-EADDRINUSE). It takes CAP_NET_ADMIN in the initial user namespace (-EPERM).
 * Whoever may write to the file may connect, from any network namespace. The
 * file stays when the listener goes, and may stay of a request that failed
 * (-ESHUTDOWN): who has made it removes it.
 *
 * Access control. The daemon compiles rules; the kernel applies them to
 * SUBSCRIBE, PUBLISH and each delivery. ACL_SET collects rules (ITEM: ACCESS,
 * FILTER, [USERNAME], [RULE_FLAGS]) in a staging list of the sending socket's
 * namespace: ACL_START empties it first, ACL_COMMIT puts it in force in one
 * step, ACL_OFF switches access control off (everything is allowed, as at
 * the start); it goes alone. At most 1,000,000 rules. ACL_COMMIT alone is
 * -EINVAL if nothing is staged. A rule without USERNAME and RULE_EVERYONE is
 * for anonymous clients. RULE_EVERYONE is for all of them. %c and %u in a filter
 * stand for client identifier and user name if RULE_PATTERN is set; a client
 * whose identifier or name, if it is to be put in, holds '+', '#' or '/', or
 * begins with '$' where the filter begins with it, has no such rule. Of the
 * rules that match, one with RULE_DENY wins; with no rule that matches,
 * access is denied. A subscription is refused if a denying rule covers its
 * filter or no allowing rule overlaps it.
 *
 * Authority. For a listener with AUTH_AUTHORITY each CONNECT is sent to the
 * authority as AUTH_REQUEST (unicast): REQUEST_ID, STAGE, CLIENT_ID, VERSION,
 * LISTENER_ID, ADDRESS and PORT or PATH, [USERNAME], [PASSWORD], [AUTH_METHOD],
 * [AUTH_DATA]. It answers with AUTH_REPLY: REASON 0 accepts, 0x18 (5.0, with
 * AUTH_METHOD only) sends AUTH_DATA to the client and asks again with what
 * comes back, 0x80 and above refuses. A request is repeated to the next
 * authority if the one it was sent to went away, and ends after the setting
 * auth_timeout with 0x88 (server unavailable). At most auth_pending_max wait.
 * If the authority's socket buffer is full, the socket gets -ENOBUFS and the
 * request is sent again when there is room: it is not lost.
 * When the authority's socket closes, connected clients go on.
 *
 * Events. Group "events": EVENT with EVENT_TYPE and, as known, CLIENT_ID,
 * USERNAME, REASON, ADDRESS and PORT or PATH, LISTENER_ID, TOPIC or FILTER,
 * DROPPED. An event that does not fit the listener's socket buffer is lost; the
 * socket then gets -ENOBUFS.
 */
#ifndef _UAPI_LINUX_KMQTT_H
#define _UAPI_LINUX_KMQTT_H

#define KMQTT_GENL_NAME		"kmqtt"
#define KMQTT_GENL_VERSION	1
#define KMQTT_MCGRP_EVENTS	"events"

/** enum kmqtt_cmd - commands; see the table above */
enum kmqtt_cmd {
	KMQTT_CMD_UNSPEC,
	KMQTT_CMD_LISTENER_NEW,
	KMQTT_CMD_LISTENER_DEL,
	KMQTT_CMD_LISTENER_SET,
	KMQTT_CMD_LISTENER_GET,
	KMQTT_CMD_CLIENT_DEL,
	KMQTT_CMD_CLIENT_GET,
	KMQTT_CMD_SESSION_DEL,
	KMQTT_CMD_SESSION_GET,
	KMQTT_CMD_SUBSCRIPTION_GET,
	KMQTT_CMD_RETAINED_DEL,
	KMQTT_CMD_RETAINED_GET,
	KMQTT_CMD_ACL_SET,
	KMQTT_CMD_ACL_GET,
	KMQTT_CMD_CONFIG_SET,
	KMQTT_CMD_CONFIG_GET,
	KMQTT_CMD_STATS_GET,
	KMQTT_CMD_AUTHORITY_SET,
	KMQTT_CMD_AUTH_REQUEST,		/* kernel to authority */
	KMQTT_CMD_AUTH_REPLY,
	KMQTT_CMD_BROKER_STOP,
	KMQTT_CMD_EVENT,		/* kernel to group "events" */

	__KMQTT_CMD_MAX,
	KMQTT_CMD_MAX = __KMQTT_CMD_MAX - 1
};

/** enum kmqtt_attr - attributes, with their types */
enum kmqtt_attr {
	KMQTT_A_UNSPEC,
	KMQTT_A_PAD,			/* for 64-bit alignment */
	KMQTT_A_LISTENER_ID,		/* u32 */
	KMQTT_A_ADDRESS,		/* binary, 4 or 16 bytes */
	KMQTT_A_PORT,			/* u16, host byte order, 1 to 65535 */
	KMQTT_A_AUTH_MODE,		/* u8, enum kmqtt_auth_mode */
	KMQTT_A_MAX_CONNECTIONS,	/* u32, 0: the broker's limit only */
	KMQTT_A_CONNECTIONS,		/* u32 */
	KMQTT_A_CLIENT_ID,		/* string, up to 65,535 bytes */
	KMQTT_A_USERNAME,		/* string */
	KMQTT_A_PASSWORD,		/* binary */
	KMQTT_A_AUTH_METHOD,		/* string */
	KMQTT_A_AUTH_DATA,		/* binary */
	KMQTT_A_VERSION,		/* u8: 3, 4 or 5 */
	KMQTT_A_KEEP_ALIVE,		/* u16, seconds, 0: none */
	KMQTT_A_AGE,			/* u64, milliseconds */
	KMQTT_A_PACKETS_IN,		/* u64 */
	KMQTT_A_PACKETS_OUT,		/* u64 */
	KMQTT_A_BYTES_IN,		/* u64 */
	KMQTT_A_BYTES_OUT,		/* u64 */
	KMQTT_A_DROPPED,		/* u64, messages */
	KMQTT_A_REASON,			/* u8, MQTT 5.0 reason code */
	KMQTT_A_REASON_STRING,		/* string */
	KMQTT_A_CONNECTED,		/* u8, 0 or 1 */
	KMQTT_A_EXPIRY,			/* u32, seconds; 0xffffffff: never */
	KMQTT_A_SUBSCRIPTIONS,		/* u32 */
	KMQTT_A_INFLIGHT,		/* u32, messages sent, not acknowledged */
	KMQTT_A_QUEUED,			/* u32, messages */
	KMQTT_A_QUEUED_BYTES,		/* u64 */
	KMQTT_A_AWAITING_REL,		/* u32, QoS 2 received, not released */
	KMQTT_A_FILTER,			/* string, topic filter */
	KMQTT_A_TOPIC,			/* string, topic name */
	KMQTT_A_QOS,			/* u8 */
	KMQTT_A_OPTIONS,		/* u8, subscription options byte */
	KMQTT_A_SUBSCRIPTION_ID,	/* u32 */
	KMQTT_A_SIZE,			/* u32, bytes */
	KMQTT_A_PAYLOAD,		/* binary */
	KMQTT_A_COUNT,			/* u32 */
	KMQTT_A_ITEM,			/* nested, may repeat */
	KMQTT_A_NAME,			/* string, up to 63 bytes */
	KMQTT_A_VALUE,			/* u64 */
	KMQTT_A_DEFAULT,		/* u64 */
	KMQTT_A_MIN,			/* u64 */
	KMQTT_A_MAX,			/* u64 */
	KMQTT_A_HELP,			/* string: meaning and unit */
	KMQTT_A_ACL_FLAGS,		/* u32, enum kmqtt_acl_flags */
	KMQTT_A_ACCESS,			/* u8, enum kmqtt_access */
	KMQTT_A_RULE_FLAGS,		/* u32, enum kmqtt_rule_flags */
	KMQTT_A_REQUEST_ID,		/* u64 */
	KMQTT_A_STAGE,			/* u8, enum kmqtt_auth_stage */
	KMQTT_A_EVENT_TYPE,		/* u8, enum kmqtt_event */
	KMQTT_A_PATH,			/* string, absolute, up to 107 bytes */

	__KMQTT_A_MAX,
	KMQTT_A_MAX_ATTR = __KMQTT_A_MAX - 1
};

/** enum kmqtt_auth_mode - who may connect through a listener */
enum kmqtt_auth_mode {
	KMQTT_AUTH_REFUSE,	/* nobody: 0x87; the default */
	KMQTT_AUTH_OPEN,	/* everybody, without asking */
	KMQTT_AUTH_AUTHORITY,	/* whom the authority accepts */
	__KMQTT_AUTH_MODE_MAX,
	KMQTT_AUTH_MODE_MAX = __KMQTT_AUTH_MODE_MAX - 1
};

/** enum kmqtt_auth_stage - what an AUTH_REQUEST is about */
enum kmqtt_auth_stage {
	KMQTT_STAGE_CONNECT,	/* CONNECT */
	KMQTT_STAGE_CONTINUE,	/* AUTH 0x18 before CONNACK or in a re-authentication */
	KMQTT_STAGE_REAUTH,	/* AUTH 0x19 of a connected client */
};

/** enum kmqtt_access - what a rule is about */
enum kmqtt_access {
	KMQTT_ACCESS_READ = 1,	/* subscribe and receive */
	KMQTT_ACCESS_WRITE = 2,	/* publish, wills included */
	KMQTT_ACCESS_ALL = 3,
};

/** enum kmqtt_rule_flags - properties of an access rule */
enum kmqtt_rule_flags {
	KMQTT_RULE_DENY = 1,
	KMQTT_RULE_PATTERN = 2,	/* %c and %u are substituted */
	KMQTT_RULE_EVERYONE = 4,
	KMQTT_RULE_ALL = 7,
};

/** enum kmqtt_acl_flags - what ACL_SET does with the staging list */
enum kmqtt_acl_flags {
	KMQTT_ACL_START = 1,
	KMQTT_ACL_COMMIT = 2,
	KMQTT_ACL_OFF = 4,
	KMQTT_ACL_ALL = 7,
};

/** enum kmqtt_event - events of the group "events" */
enum kmqtt_event {
	KMQTT_EVENT_UNSPEC,
	KMQTT_EVENT_CONNECTED,
	KMQTT_EVENT_DISCONNECTED,	/* REASON; 0 after a normal DISCONNECT */
	KMQTT_EVENT_REFUSED,		/* CONNECT refused with REASON */
	KMQTT_EVENT_TAKEN_OVER,
	KMQTT_EVENT_DROPPED,		/* a queue was full; at most one a second */
	KMQTT_EVENT_SESSION_EXPIRED,
	KMQTT_EVENT_SUBSCRIBED,		/* FILTER, QOS */
	KMQTT_EVENT_UNSUBSCRIBED,	/* FILTER */
	KMQTT_EVENT_ACL_DENIED,		/* TOPIC or FILTER */
	KMQTT_EVENT_LISTENER_ADDED,
	KMQTT_EVENT_LISTENER_REMOVED,
	__KMQTT_EVENT_MAX,
	KMQTT_EVENT_MAX = __KMQTT_EVENT_MAX - 1
};

#endif /* _UAPI_LINUX_KMQTT_H */
