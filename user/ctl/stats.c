// SPDX-License-Identifier: GPL-2.0
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "escape.h"

enum {
	COL_NAME,
	COL_VALUE,
	COL_HELP,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[COL_NAME] = { "name", "NAME", 0 },
	[COL_VALUE] = { "value", "VALUE", OUT_RIGHT },
	[COL_HELP] = { "help", "MEANING", OUT_STATISTICS },
};

/**
 * struct wanted - counters to show
 * @ctl: run
 * @patterns: shell patterns of names
 * @n: how many; 0: all counters
 * @found: counters that matched so far
 */
struct wanted {
	struct ctl *ctl;
	char **patterns;
	int n;
	unsigned long found;
};

static bool is_wanted(const struct wanted *w, const char *name)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (!fnmatch(w->patterns[i], name, 0))
			return true;
	return !w->n;
}

static int show_one(int cmd, struct nlattr **attrs, void *arg)
{
	const char *name = attr_str(attrs, KMQTT_A_NAME);
	uint64_t value = attr_u64(attrs, KMQTT_A_VALUE);
	struct wanted *w = arg;
	struct out *out = &w->ctl->out;

	if (!is_wanted(w, name))
		return 0;
	w->found++;
	if (out->json) {
		/* one object of all: what a collector wants */
		json_key(&out->writer, name);
		json_u64(&out->writer, value);
		return 0;
	}
	out_row(out);
	out_str(out, COL_NAME, name);
	out_u64(out, COL_VALUE, value);
	if (attrs[KMQTT_A_HELP])
		out_words(out, COL_HELP, attr_str(attrs, KMQTT_A_HELP));
	return 0;
}

static int stats_show(struct ctl *ctl)
{
	struct wanted w = { .ctl = ctl };
	struct nl_msg *msg;
	char *shown;
	int status;

	if (ctl->argc && !strcmp(ctl->argv[0], "show"))
		ctl_next(ctl, "show");
	w.patterns = ctl->argv;
	w.n = ctl->argc;
	msg = ctl_msg(ctl, KMQTT_CMD_STATS_GET);
	if (ctl->out.json)
		json_begin(&ctl->out.writer, '{');
	else
		out_table(&ctl->out, columns, COLUMNS);
	status = ctl_dump(ctl, msg, show_one, &w);
	if (ctl->out.json)
		json_end(&ctl->out.writer, '}');
	else
		out_table_end(&ctl->out);
	if (status == CTL_OK && w.n && !w.found) {
		shown = escape_text(w.patterns[0], strlen(w.patterns[0]), 60);
		ctl_warn(ctl,
			 "no counter has a name like %s; \"kmqttctl stats\" lists them",
			 shown);
		free(shown);
		return CTL_REFUSED;
	}
	return status;
}

const struct ctl_verb stats_verbs[] = {
	{ "", "[show] [PATTERN]...",
	  "print counters, all or those with such names; with -s what they count",
	  stats_show },
	{ NULL, NULL, NULL, NULL }
};
