// SPDX-License-Identifier: GPL-2.0
/*
 * From plan to kernel. The order is what makes it safe to fail: rules are
 * staged and listeners bound first, as that is what can fail; then settings
 * and rules come into force; modes of listeners and the removal of old ones
 * are last. What was done is kept in struct change until nothing can fail any
 * more.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/kmqtt.h>

#include "kernel.h"
#include "plan.h"
#include "sockfile.h"

/**
 * struct change - state of one plan_apply()
 * @plan: what is wanted
 * @nl: handle
 * @diag: for reports
 * @have: listeners of the module before the change; those that were removed
 *	early have an id of 0
 * @settings: settings before the change
 * @values: settings after it
 * @mask: settings that differ
 * @settings_done: they have been changed
 * @added: listeners that were added, by index in the plan, is in @is_new
 * @is_new: see @added
 */
struct change {
	struct plan *plan;
	struct kmnl *nl;
	struct diag *diag;
	struct endpoints have;
	struct kernel_setting settings[SETTING_COUNT];
	uint64_t values[SETTING_COUNT];
	uint32_t mask;
	bool settings_done;
	bool *is_new;
};

static int kernel_failed(struct change *ch, const char *what)
{
	return diag_error(ch->diag, NULL, 0, "cannot %s: %s", what,
			  kmnl_error(ch->nl));
}

/* values of all settings: the file's, or the module's default */
static int settings_plan(struct change *ch)
{
	int ret = 0;

	for (int i = 0; i < SETTING_COUNT; i++) {
		const struct config_value *v = &ch->plan->config->settings[i];
		const struct kernel_setting *s = &ch->settings[i];
		uint64_t value = s->initial;

		if (!s->known && !v->is_set)
			continue;
		if (!s->known) {
			ret = diag_error(ch->diag, v->place.file,
					 v->place.line,
					 "%s needs the setting %s, which this module does not have: load one of the daemon's version",
					 v->keyword, config_setting_names[i]);
			continue;
		}
		if (v->is_set)
			value = v->value == CONFIG_VALUE_MAX ? s->max :
				v->value;
		if (v->is_set && (value < s->min || value > s->max))
			ret = diag_error(ch->diag, v->place.file,
					 v->place.line,
					 "%s comes to %" PRIu64 " for the setting %s, which takes %" PRIu64 " to %" PRIu64,
					 v->keyword, value,
					 config_setting_names[i], s->min,
					 s->max);
		ch->values[i] = value;
		if (value != s->value)
			ch->mask |= 1u << i;
	}
	return ret;
}

static bool is_wanted(const struct change *ch, const struct endpoint *e)
{
	return endpoints_find(&ch->plan->endpoints, e);
}

/*
 * Removes listeners that are not wanted any more and whose address is in the
 * way of @e: all addresses of a port cannot be bound beside one of them.
 * Returns how many, or -1 after a report.
 */
static int make_way(struct change *ch, const struct endpoint *e)
{
	int gone = 0;

	for (size_t i = 0; i < ch->have.count; i++) {
		struct endpoint *old = &ch->have.list[i];

		if (!old->id || is_wanted(ch, old) ||
		    !endpoint_conflicts(old, e))
			continue;
		if (kernel_listener_del(ch->nl, old->id) < 0)
			return kernel_failed(ch, "remove a listener");
		old->id = 0;
		gone++;
	}
	return gone;
}

/*
 * The file of a socket that nobody serves is in the way of @e, say of a daemon
 * that was killed. Returns 1 if it is gone, 0 if there is nothing more to say,
 * -1 after a report.
 */
static int remove_stale(struct change *ch, const struct endpoint *e)
{
	const struct config_place *place = &e->from->place;
	int ret = sockfile_remove(e->path);

	if (ret == -ENOTSOCK)
		return diag_error(ch->diag, place->file, place->line,
				  "%s is there, and no socket: take another path, or remove it yourself",
				  endpoint_name(e));
	if (ret == -EADDRINUSE)
		return diag_error(ch->diag, place->file, place->line,
				  "another program listens at %s: end it, or take another path",
				  endpoint_name(e));
	return !ret;
}

/* nobody serves @e any more */
static void remove_file(struct diag *diag, const struct endpoint *e)
{
	int ret = *e->path ? sockfile_remove(e->path) : 0;

	/* what somebody else has put there since is his */
	if (ret && ret != -ENOTSOCK && ret != -EADDRINUSE)
		diag_warning(diag, NULL, 0, "cannot remove %s: %s",
			     endpoint_name(e), strerror(-ret));
}

static int listener_add(struct change *ch, const struct endpoint *e,
			uint32_t *id)
{
	const struct config_place *place = &e->from->place;
	struct endpoint first = *e;
	int ret;

	/* asked about, and not answered until plan_apply() is through */
	first.auth_mode = KMQTT_AUTH_AUTHORITY;
	ret = kernel_listener_new(ch->nl, &first);
	if (ret == -EADDRINUSE || ret == -EEXIST) {
		int gone = *e->path ? remove_stale(ch, e) : make_way(ch, e);

		if (gone < 0)
			return -1;
		if (gone > 0)
			ret = kernel_listener_new(ch->nl, &first);
	}
	if (!ret) {
		*id = first.id;
		return 0;
	}
	if (e->optional && (ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL)) {
		diag_warning(ch->diag, place->file, place->line,
			     "not listening on %s: this machine has no such addresses",
			     endpoint_name(e));
		return 0;
	}
	return diag_error(ch->diag, place->file, place->line,
			  "cannot listen on %s: %s", endpoint_name(e),
			  kmnl_error(ch->nl));
}

static int listeners_add(struct change *ch)
{
	struct endpoints *want = &ch->plan->endpoints;

	for (size_t i = 0; i < want->count; i++) {
		const struct endpoint *old;
		struct endpoint *e = &want->list[i];

		old = endpoints_find(&ch->have, e);
		if (old) {
			e->id = old->id;
			continue;
		}
		if (listener_add(ch, e, &e->id) < 0)
			return -1;
		ch->is_new[i] = e->id != 0;
	}
	return 0;
}

/*
 * A listener whose file has gone, say with the folder of a service that was
 * started anew, is of no use to anybody: it is made again. Its clients are
 * closed by that, so only when nothing can be undone any more.
 */
static void listeners_again(struct change *ch)
{
	struct endpoints *want = &ch->plan->endpoints;

	for (size_t i = 0; i < want->count; i++) {
		struct endpoint *e = &want->list[i];
		int ret;

		if (!*e->path || !e->id || ch->is_new[i] ||
		    sockfile_served(e->path))
			continue;
		ret = kernel_listener_del(ch->nl, e->id);
		if (ret < 0 && ret != -ENOENT) {
			kernel_failed(ch, "remove a listener");
			continue;
		}
		diag_warning(ch->diag, NULL, 0,
			     "the file of the listener %s had gone: it is made again",
			     endpoint_name(e));
		e->id = 0;
		listener_add(ch, e, &e->id);
		ch->is_new[i] = e->id != 0;
	}
}

/* modes and limits; what is in force may stay as it is */
static void listeners_set(struct change *ch)
{
	struct endpoints *want = &ch->plan->endpoints;

	for (size_t i = 0; i < want->count; i++) {
		const struct endpoint *e = &want->list[i], *old;

		old = endpoints_find(&ch->have, e);
		if (!e->id)
			continue;
		if (ch->is_new[i] ? e->auth_mode == KMQTT_AUTH_AUTHORITY :
		    old->auth_mode == e->auth_mode &&
		    old->max_connections == e->max_connections)
			continue;
		if (kernel_listener_set(ch->nl, e) < 0)
			kernel_failed(ch, "change a listener");
	}
}

static void listeners_remove(struct change *ch)
{
	for (size_t i = 0; i < ch->have.count; i++) {
		const struct endpoint *old = &ch->have.list[i];
		int ret;

		if (!old->id || is_wanted(ch, old))
			continue;
		ret = kernel_listener_del(ch->nl, old->id);
		/* someone may have taken it away meanwhile */
		if (ret < 0 && ret != -ENOENT)
			kernel_failed(ch, "remove a listener");
		else
			remove_file(ch->diag, old);
	}
}

/* everything back as it was; what fails here cannot be helped, only said */
static void undo(struct change *ch)
{
	struct endpoints *want = &ch->plan->endpoints;
	uint64_t values[SETTING_COUNT];

	for (size_t i = 0; i < want->count; i++) {
		if (!ch->is_new[i])
			continue;
		if (kernel_listener_del(ch->nl, want->list[i].id) < 0)
			kernel_failed(ch, "take a new listener back");
		else
			remove_file(ch->diag, &want->list[i]);
	}
	for (size_t i = 0; i < ch->have.count; i++) {
		struct endpoint *old = &ch->have.list[i];

		if (!old->id && kernel_listener_new(ch->nl, old) < 0)
			kernel_failed(ch, "bring an old listener back");
	}
	if (ch->settings_done) {
		for (int i = 0; i < SETTING_COUNT; i++)
			values[i] = ch->settings[i].value;
		if (kernel_settings_set(ch->nl, values, ch->mask) < 0)
			kernel_failed(ch, "bring old settings back");
	}
	if (ch->plan->acl)
		kernel_acl_abandon(ch->nl);
}

static int rules_enforce(struct change *ch)
{
	int ret = ch->plan->acl ? kernel_acl_commit(ch->nl) :
		kernel_acl_off(ch->nl);

	return ret < 0 ? kernel_failed(ch, "put the access rules in force") : 0;
}

static int steps(struct change *ch)
{
	struct plan *plan = ch->plan;

	if (plan->acl && kernel_acl_stage(ch->nl, plan->acl) < 0)
		return diag_error(ch->diag, plan->config->acl.path, 0,
				  "the module does not take these rules: %s",
				  kmnl_error(ch->nl));
	if (listeners_add(ch) < 0)
		return -1;
	if (kernel_settings_set(ch->nl, ch->values, ch->mask) < 0)
		return kernel_failed(ch, "change the settings");
	ch->settings_done = true;
	return rules_enforce(ch);
}

int plan_end(const struct plan *plan, struct kmnl *nl, struct diag *diag)
{
	struct endpoints have = { 0 };
	int ret = 0;

	if (nl) {
		/* those that others have added are ours to end, too */
		kernel_listeners(nl, &have);
		ret = kernel_stop(nl);
	}
	for (size_t i = 0; i < have.count && !ret; i++)
		remove_file(diag, &have.list[i]);
	for (size_t i = 0; i < plan->endpoints.count && !ret; i++)
		remove_file(diag, &plan->endpoints.list[i]);
	endpoints_free(&have);
	return ret;
}

int plan_apply(struct plan *plan, struct kmnl *nl, struct diag *diag)
{
	struct change ch = { .plan = plan, .nl = nl, .diag = diag };
	bool is_new[2 * CONFIG_LISTENERS_MAX + 256] = { false };
	int ret = -1;

	ch.is_new = is_new;
	if (plan->endpoints.count > ARRAY_SIZE(is_new))
		return diag_error(diag, NULL, 0,
				  "the names of listeners resolve to too many addresses");
	if (kernel_listeners(nl, &ch.have) < 0) {
		kernel_failed(&ch, "read the listeners");
		goto out;
	}
	if (kernel_settings(nl, ch.settings) < 0) {
		kernel_failed(&ch, "read the settings");
		goto out;
	}
	if (settings_plan(&ch) < 0)
		goto out;
	if (steps(&ch) < 0) {
		undo(&ch);
		goto out;
	}
	/* the new state is in force: what fails now is said, not undone */
	listeners_again(&ch);
	listeners_set(&ch);
	listeners_remove(&ch);
	ret = 0;
out:
	endpoints_free(&ch.have);
	return ret;
}
