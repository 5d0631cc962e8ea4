// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "escape.h"
#include "parse.h"

enum {
	COL_NAME,
	COL_VALUE,
	COL_DEFAULT,
	COL_RANGE,
	COL_MIN,
	COL_MAX,
	COL_HELP,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_NAME] = { "name", "NAME", 0 },
	[COL_VALUE] = { "value", "VALUE", OUT_RIGHT },
	[COL_DEFAULT] = { "default", "DEFAULT", OUT_RIGHT },
	[COL_RANGE] = { "", "RANGE", OUT_TEXT },
	[COL_MIN] = { "min", "", OUT_JSON },
	[COL_MAX] = { "max", "", OUT_JSON },
	[COL_HELP] = { "help", "MEANING", 0 },
};

/**
 * struct setting - a setting of the kernel's
 * @name: name
 * @value: in force
 * @def: after insmod
 * @min: least
 * @max: most
 * @help: meaning and unit
 */
struct setting {
	char *name;
	uint64_t value;
	uint64_t def;
	uint64_t min;
	uint64_t max;
	char *help;
};

/**
 * struct settings - all of them
 * @list: in the kernel's order
 * @n: how many
 */
struct settings {
	struct setting *list;
	size_t n;
};

static char *copy(const char *s)
{
	return strcpy(ctl_alloc(strlen(s) + 1), s);
}

static int collect(int cmd, struct nlattr **attrs, void *arg)
{
	struct settings *all = arg;
	struct setting *list;

	list = realloc(all->list, (all->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	all->list = list;
	list[all->n++] = (struct setting) {
		.name = copy(attr_str(attrs, KMQTT_A_NAME)),
		.value = attr_u64(attrs, KMQTT_A_VALUE),
		.def = attr_u64(attrs, KMQTT_A_DEFAULT),
		.min = attr_u64(attrs, KMQTT_A_MIN),
		.max = attr_u64(attrs, KMQTT_A_MAX),
		.help = copy(attr_str(attrs, KMQTT_A_HELP)),
	};
	return 0;
}

static void free_all(struct settings *all)
{
	while (all->n) {
		all->n--;
		free(all->list[all->n].name);
		free(all->list[all->n].help);
	}
	free(all->list);
	all->list = NULL;
}

/* on failure there is nothing to free */
static int read_all(struct ctl *ctl, struct settings *all)
{
	int status;

	*all = (struct settings) { .n = 0 };
	status = ctl_dump(ctl, ctl_msg(ctl, KMQTT_CMD_CONFIG_GET), collect,
			  all);
	if (status != CTL_OK)
		free_all(all);
	return status;
}

/* the setting called @name; else NULL, after naming the nearest one */
static const struct setting *find(struct ctl *ctl, const struct settings *all,
				  const char *name)
{
	unsigned int distance, least = 4;
	const char *nearest = NULL;
	char *shown;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!strcmp(all->list[i].name, name))
			return &all->list[i];
		distance = word_distance(all->list[i].name, name);
		if (distance < least) {
			least = distance;
			nearest = all->list[i].name;
		}
	}
	shown = escape_text(name, strlen(name), 64);
	if (nearest)
		ctl_warn(ctl, "there is no setting %s; did you mean %s?",
			 shown, nearest);
	else
		ctl_warn(ctl,
			 "there is no setting %s; \"kmqttctl config show\" lists them",
			 shown);
	free(shown);
	return NULL;
}

static void show_one(struct out *out, const struct setting *s)
{
	char range[48];

	out_row(out);
	out_str(out, COL_NAME, s->name);
	out_u64(out, COL_VALUE, s->value);
	out_u64(out, COL_DEFAULT, s->def);
	snprintf(range, sizeof(range), "%" PRIu64 "..%" PRIu64, s->min,
		 s->max);
	out_word(out, COL_RANGE, range);
	out_u64(out, COL_MIN, s->min);
	out_u64(out, COL_MAX, s->max);
	out_words(out, COL_HELP, s->help);
}

static int config_show(struct ctl *ctl)
{
	const struct setting *s;
	struct settings all;
	int status;
	size_t i;

	status = read_all(ctl, &all);
	if (status != CTL_OK)
		return status;
	out_table(&ctl->out, columns, COLUMNS);
	for (i = 0; !ctl->argc && i < all.n; i++)
		show_one(&ctl->out, &all.list[i]);
	while (ctl->argc) {
		s = find(ctl, &all, ctl_next(ctl, "name"));
		if (s)
			show_one(&ctl->out, s);
		else
			status = CTL_REFUSED;
	}
	out_table_end(&ctl->out);
	free_all(&all);
	return status;
}

/**
 * struct assignment - what one setting is to become
 * @name: setting
 * @text: value as typed; "default" is looked up
 * @value: value
 */
struct assignment {
	const char *name;
	const char *text;
	uint64_t value;
};

static bool is_default(const struct assignment *a)
{
	return !strcmp(a->text, "default");
}

/* "NAME VALUE" or "NAME=VALUE" */
static void read_assignment(struct ctl *ctl, struct assignment *a)
{
	static const char *const yes[] = { "on", "yes", "true", NULL };
	static const char *const no[] = { "off", "no", "false", NULL };
	char *equals;
	int i;

	a->name = ctl_next(ctl, "the setting's name");
	equals = strchr(a->name, '=');
	if (equals) {
		*equals = '\0';
		a->text = equals + 1;
	} else {
		a->text = ctl_next(ctl, "the setting's value");
	}
	if (is_default(a))
		return;
	for (i = 0; yes[i]; i++) {
		if (!strcmp(a->text, no[i])) {
			a->value = 0;
			return;
		}
		if (!strcmp(a->text, yes[i])) {
			a->value = 1;
			return;
		}
	}
	a->value = parse_u64(ctl, a->name, a->text, 0, UINT64_MAX);
}

static void put_assignments(const struct ctl *ctl, struct nl_msg *msg,
			    const struct assignment *list, int n)
{
	struct nlattr *item;
	int i;

	for (i = 0; i < n; i++) {
		item = nla_nest_start(msg, KMQTT_A_ITEM | NLA_F_NESTED);
		if (!item)
			ctl_die(ctl, CTL_USAGE, "these are too many settings");
		ctl_put_string(ctl, msg, KMQTT_A_NAME, list[i].name);
		ctl_put(ctl, msg, KMQTT_A_VALUE, &list[i].value,
			sizeof(list[i].value));
		nla_nest_end(msg, item);
	}
}

/* the kernel refused: say which value, and what it may be */
static void explain(struct ctl *ctl, const struct assignment *list, int n)
{
	const struct setting *s;
	struct settings all;
	int i;

	if (read_all(ctl, &all) != CTL_OK)
		return;
	for (i = 0; i < n; i++) {
		s = find(ctl, &all, list[i].name);
		if (s && (list[i].value < s->min || list[i].value > s->max))
			ctl_warn(ctl,
				 "%s may be from %" PRIu64 " to %" PRIu64 ", not %s",
				 s->name, s->min, s->max, list[i].text);
	}
	ctl_warn(ctl, "nothing was changed");
	free_all(&all);
}

/* look up what "default" stands for */
static int resolve_defaults(struct ctl *ctl, struct assignment *list, int n)
{
	const struct setting *s;
	struct settings all;
	int i, status;

	for (i = 0; i < n && !is_default(&list[i]); i++)
		;
	if (i == n)
		return CTL_OK;
	status = read_all(ctl, &all);
	for (i = 0; status == CTL_OK && i < n; i++) {
		if (!is_default(&list[i]))
			continue;
		s = find(ctl, &all, list[i].name);
		if (s)
			list[i].value = s->def;
		else
			status = CTL_REFUSED;
	}
	free_all(&all);
	return status;
}

static int config_set(struct ctl *ctl)
{
	struct assignment *list;
	struct nl_msg *msg;
	int n = 0, status;

	if (!ctl->argc)
		ctl_usage(ctl, "the setting's name is missing");
	list = ctl_alloc(ctl->argc * sizeof(*list));
	while (ctl->argc)
		read_assignment(ctl, &list[n++]);
	status = resolve_defaults(ctl, list, n);
	if (status == CTL_OK) {
		msg = ctl_msg(ctl, KMQTT_CMD_CONFIG_SET);
		put_assignments(ctl, msg, list, n);
		status = ctl_request(ctl, msg, NULL, NULL);
		if (status == CTL_REFUSED)
			explain(ctl, list, n);
	}
	free(list);
	return status;
}

const struct ctl_verb config_verbs[] = {
	{ "show", "[NAME]...", "print settings: value, default, range, meaning",
	  config_show },
	{ "set", "NAME VALUE|default [NAME VALUE|default]...",
	  "change settings, all of them or none; VALUE may end in K, M or G",
	  config_set },
	{ NULL, NULL, NULL, NULL }
};
