// SPDX-License-Identifier: GPL-2.0
/*
 * Load generator: MQTT clients in one process, one closed loop, everything
 * that arrives is checked. Prints one line of JSON. With one CPU it gives the
 * time the whole machine was not idle: a broker in the kernel works on its
 * clients' account, so that no process's own time tells what it costs.
 */
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>
#include "latency.h"
#include "single.h"
#include "traffic.h"

#define FOREVER		0x7fffffffU

static const char usage[] =
"usage: load [OPTION]...\n"
"  -h HOST  -p PORT     127.0.0.1, 1883; or -h PATH of a socket, from the /\n"
"  -v VERSION           3 (MQTT 3.1), 4 (3.1.1) or 5 (4)\n"
"  -q QOS               of messages and subscriptions (0)\n"
"  -P N  -S N           publishers (1) and subscribers (1), all of one topic\n"
"  -o one|pairs|self    all of one topic, or N pairs with a topic each, or\n"
"                       N clients that send to themselves\n"
"  -w N                 messages a publisher has on their way (1)\n"
"  -s BYTES             payload, 8 or more (64)\n"
"  -n N                 messages of each publisher; 0: none\n"
"                       (default: until SIGTERM)\n"
"  -u N                 messages before those that are measured (0)\n"
"  -i N                 idle clients besides (0)\n"
"  -f N                 subscriptions besides that get nothing (0)\n"
"  -F exact|plus|hash   what they look like (a third of them each)\n"
"  -x N                 subscribers besides that never read (0)\n"
"  -r N                 messages a second of each publisher, as far as -w lets\n"
"                       it (any)\n"
"  -m connect           instead of all this, N clients connect and leave\n"
"  -m retained|queued   or one gets N retained messages, or N of QoS 1 that\n"
"                       came while it was away\n"
"  -T ID                in the topics; -l: another one of this program with\n"
"                       this ID publishes, only as many subscribers are here\n"
"  -k SECONDS           keep alive (0: none)\n"
"  -t SECONDS           without anything coming: it has stalled (60)\n"
"  -L                   the distribution of latencies too\n"
"  -W                   publish when a line has come on stdin\n"
"  -a                   stay connected until SIGTERM before leaving\n"
"  -e                   the broker may go away: this is no failure\n"
"Exit status: 0 all arrived, once, in order and whole; 1 not; 2 wrong usage.\n";

/** struct load_options - beyond those of the traffic */
struct load_options {
	const char *host;
	const char *port;
	uint32_t messages;
	uint32_t warm_up;
	const char *mode;	/* instead of traffic; or NULL */
	bool stay;
	bool may_end;
	bool distribution;
	bool wait;
};

static volatile sig_atomic_t terminated;

static void on_signal(int signal)
{
	(void)signal;
	traffic_stop = true;
	terminated = true;
}

static void fail_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static unsigned int number(const char *text, unsigned int min, unsigned int max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max) {
		fprintf(stderr, "load: '%s' is not a number from %u to %u\n",
			text, min, max);
		exit(2);
	}
	return value;
}

static enum traffic_shape shape(const char *name)
{
	if (!strcmp(name, "pairs"))
		return TRAFFIC_PAIRS;
	if (!strcmp(name, "self"))
		return TRAFFIC_SELF;
	if (strcmp(name, "one"))
		fail_usage();
	return TRAFFIC_ONE_TOPIC;
}

static enum traffic_filter filter_form(const char *name)
{
	if (!strcmp(name, "exact"))
		return TRAFFIC_EXACT;
	if (!strcmp(name, "plus"))
		return TRAFFIC_PLUS;
	if (strcmp(name, "hash"))
		fail_usage();
	return TRAFFIC_HASH;
}

static void traffic_option(struct traffic_options *t, int option,
			   const char *arg)
{
	switch (option) {
	case 'v': t->target.version = number(arg, 3, 5); break;
	case 'q': t->qos = number(arg, 0, 2); break;
	case 'P': t->publishers = number(arg, 0, 1000000); break;
	case 'S': t->subscribers = number(arg, 0, 1000000); break;
	case 'o': t->shape = shape(arg); break;
	case 'w': t->window = number(arg, 1, 65535); break;
	case 's': t->size = number(arg, 8, 256 * 1024); break;
	case 'i': t->idle = number(arg, 0, 1000000); break;
	case 'f': t->filters = number(arg, 0, 100000000); break;
	case 'F': t->form = filter_form(arg); break;
	case 'x': t->stuck = number(arg, 0, 1000000); break;
	case 'r': t->rate = number(arg, 0, 1000000000); break;
	case 'T': t->id = number(arg, 1, 9999999); break;
	case 'k': t->target.keep_alive = number(arg, 0, 65535); break;
	case 't': t->target.patience = number(arg, 1, 2000000); break;
	default: fail_usage();
	}
}

static void parse(int argc, char **argv, struct load_options *load,
		  struct traffic_options *traffic)
{
	int option;

	while ((option = getopt(argc, argv,
				"h:p:v:q:P:S:o:w:s:n:u:i:f:F:x:r:m:T:k:t:LWlae"))
	       != -1) {
		switch (option) {
		case 'h': load->host = optarg; break;
		case 'p': load->port = optarg; break;
		case 'n': load->messages = number(optarg, 0, FOREVER); break;
		case 'u': load->warm_up = number(optarg, 0, FOREVER); break;
		case 'm': load->mode = optarg; break;
		case 'L': load->distribution = true; break;
		case 'W': load->wait = true; break;
		case 'l': traffic->remote = true; break;
		case 'a': load->stay = true; break;
		case 'e': load->may_end = true; break;
		default: traffic_option(traffic, option, optarg);
		}
	}
	if (optind != argc)
		fail_usage();
	if (traffic->shape != TRAFFIC_ONE_TOPIC)
		traffic->publishers = traffic->subscribers;
	if (load->mode && load->messages == FOREVER)
		fail_usage();
	if (traffic->stuck && (!traffic->publishers || traffic->remote))
		fail_usage();
}

static void resolve(const struct load_options *load, struct peer_target *target)
{
	struct sockaddr_un *path = (struct sockaddr_un *)&target->address;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int err;

	if (*load->host == '/') {
		path->sun_family = AF_UNIX;
		target->address_len = sizeof(*path);
		if (strlen(load->host) >= sizeof(path->sun_path)) {
			fprintf(stderr, "load: %s is too long for a socket\n",
				load->host);
			exit(2);
		}
		strcpy(path->sun_path, load->host);
		return;
	}
	err = getaddrinfo(load->host, load->port, &hints, &found);
	if (err) {
		fprintf(stderr, "load: %s port %s: %s\n", load->host,
			load->port, gai_strerror(err));
		exit(2);
	}
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->address_len = found->ai_addrlen;
	freeaddrinfo(found);
}

/*
 * Not in the way of the broker: a woken subscriber must not take the CPU in
 * the middle of a fan-out. And descriptors as many as the system allows.
 */
static void prepare(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct sched_param param = {};
	struct rlimit limit;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sched_setscheduler(0, SCHED_BATCH, &param);
	limit.rlim_cur = 1 << 20;
	limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit) &&
	    !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void report(const struct meter *meter, uint64_t warm_deliveries,
		   unsigned int kept, bool distribution)
{
	const struct traffic_count *count = &traffic_count;
	uint64_t measured = count->deliveries - warm_deliveries;

	printf("{\"messages\": %llu, \"deliveries\": %llu, ",
	       (unsigned long long)count->messages,
	       (unsigned long long)count->deliveries);
	printf("\"elapsed_ns\": %llu, \"idle_ns\": %llu, ",
	       (unsigned long long)meter->elapsed,
	       (unsigned long long)meter->idle);
	printf("\"busy_ns_per_delivery\": %.1f, ",
	       measured ? (double)meter_busy(meter) / measured : 0.0);
	latency_print(distribution);
	printf("\"lost\": %llu, \"duplicates\": %llu, \"disordered\": %llu, ",
	       (unsigned long long)count->lost,
	       (unsigned long long)count->duplicates,
	       (unsigned long long)count->disordered);
	printf("\"corrupted\": %llu, \"unexpected\": %llu, \"ended\": %llu, ",
	       (unsigned long long)count->corrupted,
	       (unsigned long long)count->unexpected,
	       (unsigned long long)count->ended);
	printf("\"stalled\": %s, \"not_let_go\": %u}\n",
	       count->stalled ? "true" : "false", kept);
	fflush(stdout);
}

static int run_single(const struct load_options *load,
		      const struct traffic_options *traffic)
{
	const struct peer_target *target = &traffic->target;
	struct meter meter = {};
	bool done = false;

	if (!strcmp(load->mode, "connect"))
		done = single_connects(target, load->warm_up, load->messages,
				       &meter);
	else if (!strcmp(load->mode, "retained"))
		done = single_retained(target, traffic->size, load->messages,
				       &meter);
	else if (!strcmp(load->mode, "queued"))
		done = single_queued(target, traffic->size, load->messages,
				     &meter);
	else
		fail_usage();
	report(&meter, 0, 0, false);
	return done && traffic_clean(load->may_end) ? 0 : 1;
}

static void stay(void)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &old);
	while (!terminated)
		sigsuspend(&old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(int argc, char **argv)
{
	struct load_options load = {
		.host = "127.0.0.1", .port = "1883", .messages = FOREVER
	};
	struct traffic_options traffic = {
		.target = { .version = 4, .patience = 60 }, .publishers = 1, .subscribers = 1,
		.window = 1, .size = 64
	};
	uint64_t warm_deliveries;
	struct meter meter = {};
	unsigned int kept = 0;

	parse(argc, argv, &load, &traffic);
	resolve(&load, &traffic.target);
	prepare();
	if (load.mode)
		return run_single(&load, &traffic);
	if (!traffic_open(&traffic))
		return 1;
	fprintf(stderr, "ready\n");
	if (load.wait)
		getchar();
	traffic_run(load.warm_up);
	warm_deliveries = traffic_count.deliveries;
	meter_begin(&meter);
	latency_begin();
	traffic_run(load.messages);
	latency_end();
	meter_end(&meter);
	if (load.stay)
		stay();
	if (!traffic_count.ended)
		kept = traffic_close();
	report(&meter, warm_deliveries, kept, load.distribution);
	return traffic_clean(load.may_end) && !kept ? 0 : 1;
}
