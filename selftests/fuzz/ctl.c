// SPDX-License-Identifier: GPL-2.0
/*
 * What kmqttctl shows of the module's answers. Most strings in them are
 * clients' words: the output must be JSON, or lines that no terminal obeys.
 *
 * Input: a byte for the command, one for how to show it, then datagrams, two
 * bytes of length (big-endian) before each. A message whose sequence number
 * is 0 gets that of the request.
 */
#include "ctl.h"

#include <locale.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <cjson/cJSON.h>
#include <linux/genetlink.h>

#include "datagram.h"
#include "fuzz.h"
#include "nlsock.h"

static const struct command {
	const struct ctl_verb *verbs;
	int verb;
	const char *args[2];
} commands[] = {
	{ listener_verbs, 0, { NULL } },
	{ listener_verbs, 1, { "127.0.0.1:1883" } },
	{ client_verbs, 0, { NULL } },
	{ client_verbs, 0, { "like", "a*" } },
	{ session_verbs, 0, { NULL } },
	{ subscription_verbs, 0, { NULL } },
	{ retained_verbs, 0, { NULL } },
	{ retained_verbs, 1, { "#" } },
	{ stats_verbs, 0, { NULL } },
	{ config_verbs, 0, { NULL } },
	{ config_verbs, 0, { "max_inflight" } },
	{ config_verbs, 1, { "max_inflight=default" } },
	{ acl_verbs, 0, { NULL } },
	{ monitor_verbs, 0, { NULL } },
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))
#define OF_MONITOR	(COMMANDS - 1)

static struct fuzz_bytes in;
static struct ctl ctl;
static struct nl_msg *message;	/* not freed yet */
static jmp_buf end;
static bool notices;

FILE *fuzz_stderr;

void fuzz_exit(int status);
int fuzz_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *limit,
	       const sigset_t *mask);
int fuzz_sigaction(int signo, const struct sigaction *new,
		   struct sigaction *old);
int fuzz_sigprocmask(int how, const sigset_t *new, sigset_t *old);
struct nl_msg *fuzz_nlmsg_alloc_size(size_t size);
void fuzz_nlmsg_free(struct nl_msg *msg);

void fuzz_exit(int status)
{
	longjmp(end, 1 + status);
}

/* What is left behind where the program ends in the middle is known. */
struct nl_msg *fuzz_nlmsg_alloc_size(size_t size)
{
	message = nlmsg_alloc_size(size);
	return message;
}

void fuzz_nlmsg_free(struct nl_msg *msg)
{
	nlmsg_free(msg);
	message = NULL;
}

int fuzz_sigaction(int signo, const struct sigaction *new,
		   struct sigaction *old)
{
	return 0;
}

int fuzz_sigprocmask(int how, const sigset_t *new, sigset_t *old)
{
	return 0;
}

/* Events one by one; behind the last the reader of the output is gone. */
int fuzz_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *limit,
	       const sigset_t *mask)
{
	int which = notices ? 1 : 0;

	memset(&fds[0].revents, 0, sizeof(fds[0].revents));
	fds[1].revents = 0;
	if (!in.left || fds[which].fd < 0) {
		fds[2].revents = POLLERR;
		return 1;
	}
	fuzz_datagram_push(&in, FUZZ_DATAGRAM_MAX, fds[which].fd, NULL);
	fds[which].revents = POLLIN;
	return 1;
}

void nlsock_closed(int fd)
{
}

void nlsock_request(int fd, const struct nlmsghdr *request)
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

	while (in.left)
		fuzz_datagram_push(&in, FUZZ_DATAGRAM_MAX, fd, request);
	nlsock_push(fd, &ack, sizeof(ack));
}

static int run(const struct command *c)
{
	char args[2][32], *argv[2] = { args[0], args[1] };
	const struct ctl_verb *verb = &c->verbs[c->verb];
	int status;

	for (ctl.argc = 0; ctl.argc < 2 && c->args[ctl.argc]; ctl.argc++)
		strcpy(args[ctl.argc], c->args[ctl.argc]);
	ctl.argv = argv;
	ctl.object = "object";
	status = setjmp(end);
	if (!status)
		return verb->run(&ctl);
	if (message)
		fuzz_nlmsg_free(message);
	for (int row = 0; row < OUT_KEPT; row++)
		for (int col = 0; col < OUT_COLUMNS; col++)
			free(ctl.out.cells[row][col]);
	return -status;
}

static void check_json(const char *text, bool lines)
{
	const char *at = text, *parsed;
	cJSON *json;

	while (*at) {
		json = cJSON_ParseWithOpts(at, &parsed, false);
		FUZZ_CHECK(json);
		cJSON_Delete(json);
		FUZZ_CHECK(*parsed == '\n');
		at = parsed + 1;
		FUZZ_CHECK(lines || !*at);
	}
}

/* Text in UTF-8, without what a terminal obeys or what turns a line around. */
static void check_text(const char *text, size_t size)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n;

	for (; size; text += n, size -= n) {
		n = mbrtowc(&c, text, size, &state);
		FUZZ_CHECK(n && n <= size);
		FUZZ_CHECK(c >= 0x20 || c == '\n' || c == '\t');
		FUZZ_CHECK(c < 0x7f || c >= 0xa0);
		FUZZ_CHECK(c < 0x202a || (c > 0x202e && c < 0x2066) ||
			   c > 0x2069);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fuzz_stderr = fopen("/dev/null", "w");
	FUZZ_CHECK(setlocale(LC_CTYPE, "C.UTF-8"));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t length;
	uint8_t command, how;
	int status;

	in = (struct fuzz_bytes){ data, size };
	command = fuzz_byte(&in) % COMMANDS;
	how = fuzz_byte(&in);
	memset(&ctl, 0, sizeof(ctl));
	ctl.out.json = how & 1;
	ctl.out.writer.pretty = how & 2;
	ctl.out.statistics = how & 4;
	notices = how & 8;
	ctl.out.writer.to = open_memstream(&text, &length);
	status = run(&commands[command]);
	kmnl_close(ctl.nl);
	fclose(ctl.out.writer.to);
	FUZZ_CHECK(status <= CTL_UNREACHABLE);
	if (status == CTL_OK && length > 5)
		fuzz_taken();
	check_text(text, length);
	if (ctl.out.json && status >= 0)
		check_json(text, command == OF_MONITOR);
	free(text);
	return 0;
}
