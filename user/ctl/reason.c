// SPDX-License-Identifier: GPL-2.0
/* The reason codes of MQTT 5.0, section 2.4, by name. */
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "parse.h"

/**
 * struct reason - a reason code
 * @code: on the wire
 * @by_server: may stand in a DISCONNECT of a server [MQTT-3.14.2-1]
 * @name: its name, in lower case with hyphens
 */
static const struct reason {
	uint8_t code;
	bool by_server;
	const char *name;
} reasons[] = {
	{ 0x00, true, "normal" },
	{ 0x04, false, "disconnect-with-will" },
	{ 0x10, false, "no-matching-subscribers" },
	{ 0x11, false, "no-subscription-existed" },
	{ 0x18, false, "continue-authentication" },
	{ 0x19, false, "re-authenticate" },
	{ 0x80, true, "unspecified-error" },
	{ 0x81, true, "malformed-packet" },
	{ 0x82, true, "protocol-error" },
	{ 0x83, true, "implementation-specific-error" },
	{ 0x84, false, "unsupported-protocol-version" },
	{ 0x85, false, "client-identifier-not-valid" },
	{ 0x86, false, "bad-user-name-or-password" },
	{ 0x87, true, "not-authorized" },
	{ 0x88, false, "server-unavailable" },
	{ 0x89, true, "server-busy" },
	{ 0x8a, false, "banned" },
	{ 0x8b, true, "server-shutting-down" },
	{ 0x8c, false, "bad-authentication-method" },
	{ 0x8d, true, "keep-alive-timeout" },
	{ 0x8e, true, "session-taken-over" },
	{ 0x8f, true, "topic-filter-invalid" },
	{ 0x90, true, "topic-name-invalid" },
	{ 0x91, false, "packet-identifier-in-use" },
	{ 0x92, false, "packet-identifier-not-found" },
	{ 0x93, true, "receive-maximum-exceeded" },
	{ 0x94, true, "topic-alias-invalid" },
	{ 0x95, true, "packet-too-large" },
	{ 0x96, true, "message-rate-too-high" },
	{ 0x97, true, "quota-exceeded" },
	{ 0x98, true, "administrative-action" },
	{ 0x99, true, "payload-format-invalid" },
	{ 0x9a, true, "retain-not-supported" },
	{ 0x9b, true, "qos-not-supported" },
	{ 0x9c, true, "use-another-server" },
	{ 0x9d, true, "server-moved" },
	{ 0x9e, true, "shared-subscriptions-not-supported" },
	{ 0x9f, true, "connection-rate-exceeded" },
	{ 0xa0, true, "maximum-connect-time" },
	{ 0xa1, true, "subscription-identifiers-not-supported" },
	{ 0xa2, true, "wildcard-subscriptions-not-supported" },
};

enum { REASONS = sizeof(reasons) / sizeof(*reasons) };

const char *reason_name(uint8_t code)
{
	int i;

	for (i = 0; i < REASONS; i++)
		if (reasons[i].code == code)
			return reasons[i].name;
	return NULL;
}

static const struct reason *find_reason(const struct ctl *ctl,
					const char *text)
{
	const char *names[REASONS + 1];
	uint64_t code;
	int i;

	if (*text >= '0' && *text <= '9') {
		code = parse_u64(ctl, "the reason", text, 0, 0xff);
		for (i = 0; i < REASONS; i++)
			if (reasons[i].code == code)
				return &reasons[i];
		ctl_usage(ctl, "%s is not a reason code of MQTT 5.0", text);
	}
	for (i = 0; i < REASONS; i++)
		names[i] = reasons[i].name;
	names[i] = NULL;
	i = ctl_prefix(text, names);
	if (i < 0)
		ctl_usage(ctl,
			  "%s is %s reason: give a code as 0x98 or a name as quota-exceeded",
			  escape_text(text, strlen(text), 60),
			  i == -1 ? "no" : "more than one");
	return &reasons[i];
}

uint8_t parse_reason(const struct ctl *ctl, const char *text)
{
	const struct reason *r = find_reason(ctl, text);

	if (!r->by_server || r->code < 0x80)
		ctl_usage(ctl, "a server does not end a connection with 0x%02x (%s)",
			  r->code, r->name);
	return r->code;
}
