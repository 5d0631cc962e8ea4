// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon's configuration file, and the addresses it comes to.
 *
 * Input: a byte of options, then a file; behind a byte 0xff, which is in no
 * text, one that include_dir finds in "dir".
 */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include <linux/kmqtt.h>

#include "calls.h"
#include "endpoint.h"
#include "fuzz.h"

static void check_settings(const struct config *c)
{
	const struct config_value *v;

	for (int i = 0; i < SETTING_COUNT; i++) {
		v = &c->settings[i];
		if (v->is_set)
			FUZZ_CHECK(v->keyword && v->place.file &&
				   v->place.line > 0);
	}
	FUZZ_CHECK(c->anonymous >= -1 && c->anonymous <= 1);
	FUZZ_CHECK(!(c->log.types & ~LOG_TYPE_ALL));
	FUZZ_CHECK(!(c->log.dests & LOG_DEST_FILE) || *c->log.file);
	FUZZ_CHECK(c->log.facility >= -1 && c->log.facility <= 7);
	FUZZ_CHECK(!c->log.format || strlen(c->log.format) <= 60);
}

static void check_listeners(const struct config *c)
{
	const struct config_listener *l;

	FUZZ_CHECK(c->listener_count &&
		   c->listener_count <= CONFIG_LISTENERS_MAX);
	for (size_t i = 0; i < c->listener_count; i++) {
		l = &c->listeners[i];
		/* with port 0 the path of a Unix socket */
		FUZZ_CHECK(l->port || (l->host && *l->host == '/' &&
				       strlen(l->host) < 108));
		FUZZ_CHECK(l->family == AF_UNSPEC || l->family == AF_INET ||
			   l->family == AF_INET6);
		FUZZ_CHECK(!l->local || !l->host);
	}
}

static void check_endpoints(const struct config *c)
{
	unsigned int before = fuzz_diag.errors;
	struct endpoints all;
	struct endpoint *e;

	if (endpoints_resolve(&all, c, &fuzz_diag) < 0) {
		FUZZ_CHECK(fuzz_diag.errors > before && !all.list);
		return;
	}
	FUZZ_CHECK(fuzz_diag.errors == before && all.count);
	for (size_t i = 0; i < all.count; i++) {
		e = &all.list[i];
		if (*e->path)
			FUZZ_CHECK(!e->port && !e->length && *e->path == '/' &&
				   memchr(e->path, 0, sizeof(e->path)));
		else
			FUZZ_CHECK(e->port &&
				   (e->length == 4 || e->length == 16));
		/* the first one found is itself: none is there twice */
		FUZZ_CHECK(endpoints_find(&all, e) == e);
		FUZZ_CHECK(endpoint_conflicts(e, e) && *endpoint_name(e));
		/* nobody is let in unasked who should give a password */
		FUZZ_CHECK(e->auth_mode == KMQTT_AUTH_AUTHORITY ||
			   (e->anonymous && !c->passwords.path));
	}
	endpoints_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = { 1883, 65535 };
	struct config_options options = { .path = "conf", .ports = ports };
	const uint8_t *more;
	struct config *c;

	if (!size)
		return 0;
	options.ignore_unsupported = *data & 1;
	options.port_count = *data >> 1 & 1 ? *data >> 2 & 1 ? 2 : 1 : 0;
	data++;
	size--;
	more = memchr(data, 0xff, size);
	fuzz_file("conf", data, more ? (size_t)(more - data) : size);
	fuzz_file("dir/a.conf", more ? more + 1 : data,
		  more ? data + size - more - 1 : 0);
	fuzz_file("dir/B.conf", "max_qos 1\n", 10);
	fuzz_diag.errors = 0;
	c = config_read(&options, &fuzz_diag);
	FUZZ_CHECK(!c == !!fuzz_diag.errors);
	if (!c)
		return 0;
	fuzz_taken();
	check_settings(c);
	check_listeners(c);
	check_endpoints(c);
	config_free(c);
	return 0;
}
