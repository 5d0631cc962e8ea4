// SPDX-License-Identifier: GPL-2.0
/* kmqttctl: shows and changes the broker in the kernel */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"

#ifndef KMQTT_VERSION
#define KMQTT_VERSION	"0.1"
#endif

static const struct ctl_object objects[] = {
	{ "listener", "addresses the broker accepts connections on",
	  listener_verbs },
	{ "client", "connected clients", client_verbs },
	{ "session", "sessions, of connected clients and of absent ones",
	  session_verbs },
	{ "subscription", "who is subscribed to what", subscription_verbs },
	{ "retained", "retained messages", retained_verbs },
	{ "stats", "counters", stats_verbs },
	{ "config", "limits and other settings", config_verbs },
	{ "acl", "access rules in force", acl_verbs },
	{ "monitor", "events as they happen", monitor_verbs },
	{ "stop", "end of all service", stop_verbs },
};

enum { OBJECTS = sizeof(objects) / sizeof(*objects) };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "statistics", no_argument, NULL, 's' },
	{ "netns", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static void help_all(FILE *to)
{
	int i;

	fputs("Usage: kmqttctl [OPTION]... OBJECT [COMMAND [ARGUMENT]...]\n"
	      "       kmqttctl OBJECT help\n"
	      "OBJECT is one of\n", to);
	for (i = 0; i < OBJECTS; i++)
		fprintf(to, "  %-14s%s\n", objects[i].name, objects[i].help);
	fputs("OPTION is one of\n"
	      "  -j, --json          write JSON\n"
	      "  -p, --pretty        write JSON in many lines (with -j)\n"
	      "  -s, --statistics    show counters and explanations too\n"
	      "  -n, --netns NAME    ask the broker of a network namespace\n"
	      "  -h, --help          print this\n"
	      "  -V, --version       print the version\n"
	      "Objects and commands may be shortened while they are unique;\n"
	      "without a command the object is shown.\n", to);
}

static void help_object(FILE *to, const struct ctl_object *object)
{
	const struct ctl_verb *v;

	fprintf(to, "%s: %s\n", object->name, object->help);
	for (v = object->verbs; v->name; v++)
		fprintf(to, "  kmqttctl %s%s%s%s%s\n        %s\n",
			object->name, *v->name ? " " : "", v->name,
			*v->args ? " " : "", v->args, v->help);
}

static const struct ctl_object *find_object(struct ctl *ctl, const char *arg)
{
	const char *names[OBJECTS + 2];
	int i;

	for (i = 0; i < OBJECTS; i++)
		names[i] = objects[i].name;
	names[i++] = "help";
	names[i] = NULL;
	i = ctl_keyword(ctl, arg, names);
	return i < OBJECTS ? &objects[i] : NULL;
}

static const struct ctl_verb *find_verb(struct ctl *ctl,
					const struct ctl_object *object)
{
	const char *names[8];
	int n, i;

	if (!*object->verbs->name || !ctl->argc)
		return object->verbs;
	for (n = 0; object->verbs[n].name; n++)
		names[n] = object->verbs[n].name;
	/* the longer words that people type out of habit */
	names[n] = "list";
	names[n + 1] = NULL;
	if (!strcmp(ctl->argv[0], "delete"))
		ctl->argv[0] = "del";
	i = ctl_keyword(ctl, ctl_next(ctl, "command"), names);
	return &object->verbs[i < n ? i : 0];
}

static int run(struct ctl *ctl)
{
	const struct ctl_object *object;
	const struct ctl_verb *verb;

	if (!ctl->argc) {
		help_all(stderr);
		return CTL_USAGE;
	}
	object = find_object(ctl, ctl_next(ctl, "object"));
	if (!object) {
		if (!ctl->argc) {
			help_all(stdout);
			return CTL_OK;
		}
		object = find_object(ctl, ctl_next(ctl, "object"));
		if (object)
			help_object(stdout, object);
		else
			help_all(stdout);
		return CTL_OK;
	}
	ctl->object = object->name;
	if (ctl->argc && !strcmp(ctl->argv[0], "help")) {
		help_object(stdout, object);
		return CTL_OK;
	}
	verb = find_verb(ctl, object);
	ctl->verb = *verb->name ? verb->name : NULL;
	return verb->run(ctl);
}

static void read_options(struct ctl *ctl, int argc, char **argv)
{
	const char *netns = NULL;
	int c;

	/* '+': what follows the object is the command's own */
	while ((c = getopt_long(argc, argv, "+jpsn:hV", options, NULL)) != -1)
		switch (c) {
		case 'j':
			ctl->out.json = true;
			break;
		case 'p':
			ctl->out.writer.pretty = true;
			break;
		case 's':
			ctl->out.statistics = true;
			break;
		case 'n':
			netns = optarg;
			break;
		case 'h':
			help_all(stdout);
			exit(CTL_OK);
		case 'V':
			printf("kmqttctl %s, netlink version %d\n",
			       KMQTT_VERSION, KMQTT_GENL_VERSION);
			exit(CTL_OK);
		default:
			/* getopt has said what is wrong */
			fputs("Try \"kmqttctl help\".\n", stderr);
			exit(CTL_USAGE);
		}
	ctl->argc = argc - optind;
	ctl->argv = argv + optind;
	if (netns)
		ctl_netns(ctl, netns);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .out.writer.to = stdout };
	int status;

	/* how wide a character is depends on it */
	setlocale(LC_CTYPE, "");
	/* a reader that has seen enough is met as an error of the output */
	signal(SIGPIPE, SIG_IGN);
	read_options(&ctl, argc, argv);
	status = run(&ctl);
	if (ctl.nl)
		kmnl_close(ctl.nl);
	return out_close(&ctl.out, status);
}
