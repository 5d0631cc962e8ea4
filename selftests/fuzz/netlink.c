// SPDX-License-Identifier: GPL-2.0
/*
 * What the daemon makes of the module's messages: answers to its requests,
 * questions about clients, events, and the notice that the module is unloaded.
 * The module is trusted; what must hold is that a message of another version,
 * or one with a string of a client's, does no harm.
 *
 * Input: a byte that says what is going on, then datagrams, two bytes of
 * length (big-endian) before each. A message whose sequence number is 0 gets
 * that of the request.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "calls.h"
#include "datagram.h"
#include "events.h"
#include "fuzz.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"
#include "module.h"
#include "nlsock.h"
#include "worker.h"

#define DATAGRAM_MAX	4096
#define SOURCES		4

enum scene { LISTENERS, SETTINGS, SET_UP, QUESTIONS, EVENTS, NOTICES, SCENES };

static struct fuzz_bytes in;
static bool answering;
static unsigned long replies;

static struct {
	int fd;
	loop_fn fn;
} sources[SOURCES];

/* loop.c's part: sources are read when the fuzzer has something for them */
int loop_add(int fd, loop_fn fn, void *arg)
{
	int i = 0;

	while (sources[i].fn)
		FUZZ_CHECK(++i < SOURCES);
	sources[i].fd = fd;
	sources[i].fn = fn;
	return 0;
}

void loop_del(int fd)
{
	for (int i = 0; i < SOURCES; i++) {
		if (sources[i].fd == fd)
			sources[i].fn = NULL;
	}
}

static void read_sources(void)
{
	for (int i = 0; i < SOURCES; i++) {
		if (sources[i].fn)
			sources[i].fn(NULL);
	}
}

/* worker.c's part, without a thread and its time */
static struct worker_job *done;

int worker_start(void)
{
	return 1000;
}

void worker_stop(void)
{
	struct worker_job *job;

	while ((job = worker_get()))
		worker_job_free(job);
}

bool worker_put(struct worker_job *job)
{
	if (job->password_len == 13)
		return false;
	job->result = (int)(job->password_len % 3) - 1;
	job->next = done;
	done = job;
	return true;
}

struct worker_job *worker_get(void)
{
	struct worker_job *job = done;

	if (job)
		done = job->next;
	return job;
}

struct worker_job *worker_job_new(struct passwd_db *db, const char *name,
				  const void *password, size_t password_len,
				  const char *client)
{
	struct worker_job *job = calloc(1, sizeof(*job));

	FUZZ_CHECK(strlen(name) < DATAGRAM_MAX && strlen(client) < 512);
	for (size_t i = 0; i < password_len; i++)
		job->size ^= ((const char *)password)[i];
	job->password_len = password_len;
	job->client = "client";
	return job;
}

void worker_job_free(struct worker_job *job)
{
	free(job);
}

void fuzz_exit(int status);
void fuzz_exit(int status)
{
	FUZZ_CHECK(!"an end of the program");
}

/* a plan that only says what the questions are answered by */
static struct plan plan;
static struct config config;

void nlsock_closed(int fd)
{
}

static void acknowledge(int fd, const struct nlmsghdr *request)
{
	struct {
		struct nlmsghdr nlh;
		int error;
		struct nlmsghdr msg;
	} ack = {
		.nlh = { sizeof(ack), request->nlmsg_flags & NLM_F_DUMP ?
			 NLMSG_DONE : NLMSG_ERROR, 0, request->nlmsg_seq, 0 },
		.msg = *request,
	};

	nlsock_push(fd, &ack, sizeof(ack));
}

void nlsock_request(int fd, const struct nlmsghdr *request)
{
	const struct genlmsghdr *gh = NLMSG_DATA(request);

	replies += gh->cmd == KMQTT_CMD_AUTH_REPLY;
	while (answering && in.left)
		fuzz_datagram_push(&in, DATAGRAM_MAX, fd, request);
	if (request->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP))
		acknowledge(fd, request);
}

/* a line is a line, and no terminal obeys it */
static void check_log(void)
{
	FILE *log = fopen("/proc/self/fd/1", "r");
	int c;

	while (log && (c = fgetc(log)) != EOF)
		FUZZ_CHECK((c >= 0x20 && c != 0x7f) || c == '\n');
	if (log)
		fclose(log);
	FUZZ_CHECK(!ftruncate(1, 0) && !lseek(1, 0, SEEK_SET));
}

static void requests(enum scene scene)
{
	struct kernel_setting settings[SETTING_COUNT];
	struct endpoints e = { NULL };
	struct endpoint one = { .length = 4, .port = 1 };
	struct kmnl *nl;
	char err[256];
	int ret;

	nl = kmnl_open(err, sizeof(err));
	FUZZ_CHECK(nl);
	answering = true;
	if (scene == LISTENERS)
		ret = kernel_listeners(nl, &e);
	else if (scene == SETTINGS)
		ret = kernel_settings(nl, settings);
	else
		ret = kernel_listener_new(nl, &one);
	answering = false;
	if (!ret)
		fuzz_taken();
	FUZZ_CHECK(ret <= 0 && *kmnl_error(nl));
	for (size_t i = 0; i < e.count; i++)
		FUZZ_CHECK(*endpoint_name(&e.list[i]));
	endpoints_free(&e);
	kmnl_read(nl);
	kmnl_close(nl);
}

static void questions(bool users)
{
	static struct passwd_db *db;
	int fd;

	if (!db) {
		fuzz_file("passwd", "", 0);
		db = passwd_read("passwd", &fuzz_diag, NULL, 0);
	}
	config.anonymous = users;
	plan = (struct plan){ .config = &config,
			      .passwords = users ? db : NULL };
	FUZZ_CHECK(!auth_open(&fuzz_diag) && !auth_start(&fuzz_diag));
	auth_set(&plan);
	fd = sources[1].fd;
	replies = 0;
	while (in.left && fuzz_datagram_push(&in, DATAGRAM_MAX, fd, NULL))
		;
	read_sources();
	read_sources();
	if (replies)
		fuzz_taken();
	auth_close();
}

static void events(void)
{
	int fd;

	config.connection_messages = true;
	events_set(&config);
	fd = nlsock_member(NLSOCK_EVENTS);
	FUZZ_CHECK(fd >= 0);
	while (in.left && fuzz_datagram_push(&in, DATAGRAM_MAX, fd, NULL))
		;
	read_sources();
	if (lseek(1, 0, SEEK_CUR))
		fuzz_taken();
	events_close();
}

static void gone(void)
{
	fuzz_taken();
}

static void notices(void)
{
	int fd;

	module_watch(gone);
	fd = nlsock_member(NLSOCK_NOTIFY);
	FUZZ_CHECK(fd >= 0);
	fuzz_datagram_push(&in, DATAGRAM_MAX, fd, NULL);
	read_sources();
	module_unwatch();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct log_config log = {
		.dests = LOG_DEST_STDOUT, .types = LOG_TYPE_ALL,
	};
	/* the log is what is written to stdout */
	fuzz_file("log", "", 0);
	FUZZ_CHECK(dup2(fuzz_open("log", 0), STDOUT_FILENO) == STDOUT_FILENO);
	log_switch(&log, true);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first;

	/* what is logged at most so often a second is logged here */
	fuzz_seconds++;
	in = (struct fuzz_bytes){ data, size };
	first = fuzz_byte(&in);
	switch (first % SCENES) {
	case LISTENERS:
	case SETTINGS:
	case SET_UP:
		requests(first % SCENES);
		break;
	case QUESTIONS:
		questions(first & 0x80);
		break;
	case EVENTS:
		events();
		break;
	case NOTICES:
		notices();
		break;
	}
	check_log();
	return 0;
}
