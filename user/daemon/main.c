// SPDX-License-Identifier: GPL-2.0
/*
 * kmqttd: sets the module up as its files say, answers its questions, and
 * stays out of the way of messages.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "events.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"
#include "module.h"
#include "plan.h"
#include "system.h"

#define PORTS_MAX	10
#define EXIT_USAGE	2

static struct {
	struct config_options config;
	uint16_t ports[PORTS_MAX];
	bool verbose;
	bool test;
} options;

static struct plan *plan;	/* in force */
static struct kmnl *nl;
static bool module_gone;

static void report(void *arg, int is_error, const char *text)
{
	log_line(is_error ? LOG_TYPE_ERROR : LOG_TYPE_WARNING, "%s", text);
}

static struct diag diag = { .report = report };

static void help(FILE *to)
{
	fputs("usage: kmqttd [-c FILE] [-p PORT]... [-v]\n"
	      "       kmqttd -t -c FILE\n"
	      "\n"
	      "Serves MQTT through the kernel module kmqtt, in the foreground.\n"
	      "\n"
	      "  -c, --config FILE        configuration, in mosquitto.conf's syntax\n"
	      "  -p, --port PORT          listen on this port of the loopback; up to 10 times\n"
	      "  -v, --verbose            log everything\n"
	      "  -t, --test-config        check the configuration and end\n"
	      "      --ignore-unsupported warn about keywords of Mosquitto's that are not\n"
	      "                           served yet, instead of refusing them\n"
	      "  -h, --help               this text\n"
	      "      --version            the version\n"
	      "\n"
	      "Without a listener in FILE, clients of this machine alone can connect, to\n"
	      "port 1883. SIGHUP reads FILE again, SIGTERM ends the service.\n", to);
}

static void port_add(const char *text)
{
	char *end;
	long port;

	errno = 0;
	port = strtol(text, &end, 10);
	if (errno || end == text || *end || port < 1 || port > 65535) {
		fprintf(stderr, "kmqttd: -p wants a port from 1 to 65535, not \"%s\"\n",
			diag_quote(text));
		exit(EXIT_USAGE);
	}
	if (options.config.port_count == PORTS_MAX) {
		fprintf(stderr,
			"kmqttd: -p can be given %d times: use listener lines in a file\n",
			PORTS_MAX);
		exit(EXIT_USAGE);
	}
	options.ports[options.config.port_count++] = port;
}

static void arguments_parse(int argc, char **argv)
{
	enum { OPT_IGNORE = 256, OPT_VERSION };
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "port", required_argument, NULL, 'p' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "test-config", no_argument, NULL, 't' },
		{ "ignore-unsupported", no_argument, NULL, OPT_IGNORE },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ NULL }
	};
	int c;

	options.config.ports = options.ports;
	while ((c = getopt_long(argc, argv, "c:p:vth", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options.config.path = optarg;
			break;
		case 'p':
			port_add(optarg);
			break;
		case 'v':
			options.verbose = true;
			break;
		case 't':
			options.test = true;
			break;
		case OPT_IGNORE:
			options.config.ignore_unsupported = true;
			break;
		case OPT_VERSION:
			printf("kmqttd %s\n", KMQTT_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			help(stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs("try kmqttd --help\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "kmqttd: \"%s\" is no option: try kmqttd --help\n",
			diag_quote(argv[optind]));
		exit(EXIT_USAGE);
	}
}

static int log_open(const struct plan *p)
{
	char err[256];

	if (!log_prepare(&p->config->log, err, sizeof(err)))
		return 0;
	return diag_error(&diag, NULL, 0, "%s", err);
}

static void listeners_say(const struct plan *p)
{
	for (size_t i = 0; i < p->endpoints.count; i++) {
		const struct endpoint *e = &p->endpoints.list[i];

		if (e->id)
			log_info("listening on %s%s", endpoint_name(e),
				 e->anonymous ? "" : ", for known users only");
	}
}

/* settings of a file that only count at the start */
static bool path_differs(const struct config_path *a,
			 const struct config_path *b)
{
	if (!a->path || !b->path)
		return a->path != b->path;
	return strcmp(a->path, b->path);
}

static int reload_try(struct plan *next)
{
	if (log_open(next) < 0)
		return -1;
	if (plan_apply(next, nl, &diag) < 0) {
		log_abandon();
		return -1;
	}
	/* going back could fail: the old log's file may be out of reach by now */
	log_switch(&next->config->log, options.verbose);
	return 0;
}

static void reload(void)
{
	struct plan *next, *last = plan;

	log_notice("reading the configuration again");
	diag.errors = 0;
	system_notify("RELOADING=1");
	next = plan_read(&options.config, &diag);
	if (!next || reload_try(next) < 0) {
		plan_free(next);
		log_error("nothing was changed: the old configuration stays in force");
		system_notify("READY=1");
		return;
	}
	if (path_differs(&next->config->user, &plan->config->user) ||
	    path_differs(&next->config->pid_file, &plan->config->pid_file))
		log_warning("user and pid_file only count at the start: restart kmqttd for them");
	plan = next;
	auth_set(plan);
	events_set(plan->config);
	plan_free(last);
	listeners_say(plan);
	log_notice("the new configuration is in force");
	system_notify("READY=1");
}

static void on_signal(int signo)
{
	if (signo == SIGHUP)
		reload();
	else
		loop_stop();
}

static void on_module_gone(void)
{
	log_notice("the module was unloaded");
	module_gone = true;
	loop_stop();
}

/* everything up to the point where clients are served; 0 or -1 */
static int start(void)
{
	const struct config *c = plan->config;
	int ret = loop_init(on_signal);

	if (ret < 0)
		return diag_error(&diag, NULL, 0,
				  "cannot wait for signals: %s",
				  strerror(-ret));
	nl = module_open(&diag);
	if (!nl || auth_open(&diag) < 0)
		return -1;
	if (system_pid_write(&c->pid_file, &diag) < 0)
		return -1;
	/* all that can fail is done before the module is touched */
	if (system_user_become(&c->user, &diag) < 0 || auth_start(&diag) < 0 ||
	    plan_apply(plan, nl, &diag) < 0)
		return -1;
	auth_set(plan);
	events_set(c);
	module_watch(on_module_gone);
	return 0;
}

static int serve(void)
{
	int ret;

	listeners_say(plan);
	log_notice("kmqttd %s serves", KMQTT_VERSION);
	system_notify("READY=1");
	ret = loop_run();
	system_notify("STOPPING=1");
	if (ret < 0) {
		log_error("cannot wait for events: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
	log_notice("ending");
	events_close();
	auth_close();
	if (plan_end(plan, module_gone ? NULL : nl, &diag) < 0) {
		log_error("cannot stop the broker: %s", kmnl_error(nl));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int ret = EXIT_FAILURE;

	arguments_parse(argc, argv);
	plan = plan_read(&options.config, &diag);
	if (!plan || system_user_check(&plan->config->user, &diag) < 0)
		goto out;
	if (options.test) {
		fprintf(stderr, "the configuration is good\n");
		ret = EXIT_SUCCESS;
		goto out;
	}
	if (log_open(plan) < 0)
		goto out;
	log_switch(&plan->config->log, options.verbose);
	if (start() == 0)
		ret = serve();
	system_pid_remove();
	module_unwatch();
	events_close();
	auth_close();
	kmnl_close(nl);
	loop_uninit();
out:
	plan_free(plan);
	return ret;
}
