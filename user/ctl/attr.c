// SPDX-License-Identifier: GPL-2.0
#include "attr.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/un.h>

#include "parse.h"

uint64_t attr_u64(struct nlattr *const *attrs, int type)
{
	const struct nlattr *a = attrs[type];

	if (!a)
		return 0;
	switch (nla_len(a)) {
	case 1:
		return nla_get_u8(a);
	case 2:
		return nla_get_u16(a);
	case 4:
		return nla_get_u32(a);
	case 8:
		return nla_get_u64(a);
	default:
		return 0;
	}
}

const char *attr_str(struct nlattr *const *attrs, int type)
{
	return attrs[type] ? nla_get_string(attrs[type]) : "";
}

void attr_out_u64(struct out *out, unsigned int col,
		  struct nlattr *const *attrs, int type)
{
	if (attrs[type])
		out_u64(out, col, attr_u64(attrs, type));
}

void attr_out_str(struct out *out, unsigned int col,
		  struct nlattr *const *attrs, int type)
{
	if (attrs[type])
		out_str(out, col, nla_get_string(attrs[type]));
}

void attr_out_age(struct out *out, unsigned int col,
		  struct nlattr *const *attrs)
{
	uint64_t ms = attr_u64(attrs, KMQTT_A_AGE);
	char text[DURATION_TEXT];

	if (!attrs[KMQTT_A_AGE])
		return;
	format_duration(text, ms);
	out_u64_as(out, col, ms, text);
}

void attr_out_expiry(struct out *out, unsigned int col,
		     struct nlattr *const *attrs)
{
	uint64_t s = attr_u64(attrs, KMQTT_A_EXPIRY);
	char text[DURATION_TEXT];

	if (!attrs[KMQTT_A_EXPIRY])
		return;
	if (s == UINT32_MAX)
		snprintf(text, sizeof(text), "never");
	else
		format_duration(text, s * 1000);
	out_u64_as(out, col, s, text);
}

static void path_out(struct out *out, unsigned int col, const char *path)
{
	char text[sizeof(PATH_PREFIX) + sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(text, sizeof(text), PATH_PREFIX "%s", path);
	out_str(out, col, text);
}

void attr_out_endpoint(struct out *out, unsigned int col,
		       struct nlattr *const *attrs)
{
	const struct nlattr *a = attrs[KMQTT_A_ADDRESS];
	char text[ENDPOINT_TEXT], host[INET6_ADDRSTRLEN];
	unsigned int port = attr_u64(attrs, KMQTT_A_PORT);

	if (attrs[KMQTT_A_PATH]) {
		path_out(out, col, attr_str(attrs, KMQTT_A_PATH));
		out_str(out, col + 3, attr_str(attrs, KMQTT_A_PATH));
		return;
	}
	if (!a || (nla_len(a) != 4 && nla_len(a) != 16))
		return;
	inet_ntop(nla_len(a) == 4 ? AF_INET : AF_INET6, nla_data(a), host,
		  sizeof(host));
	format_endpoint(text, nla_data(a), nla_len(a), port);
	out_word(out, col, text);
	out_word(out, col + 1, host);
	out_u64(out, col + 2, port);
}
