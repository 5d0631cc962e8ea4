// SPDX-License-Identifier: GPL-2.0
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SOURCES_MAX	16

static struct source {
	int fd;
	loop_fn fn;
	void *arg;
} sources[SOURCES_MAX];

static int epoll_fd = -1, signal_fd = -1;
static bool stopping;
static void (*signal_fn)(int signo);

static void signal_read(void *arg)
{
	struct signalfd_siginfo si;

	while (read(signal_fd, &si, sizeof(si)) == sizeof(si))
		signal_fn(si.ssi_signo);
}

int loop_init(void (*on_signal)(int signo))
{
	sigset_t set;

	for (int i = 0; i < SOURCES_MAX; i++)
		sources[i].fd = -1;
	signal_fn = on_signal;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (epoll_fd < 0 || signal_fd < 0)
		return -errno;
	return loop_add(signal_fd, signal_read, NULL);
}

int loop_add(int fd, loop_fn fn, void *arg)
{
	for (int i = 0; i < SOURCES_MAX; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

		if (sources[i].fd >= 0)
			continue;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			return -errno;
		sources[i] = (struct source){ fd, fn, arg };
		return 0;
	}
	return -ENOSPC;
}

void loop_del(int fd)
{
	for (int i = 0; i < SOURCES_MAX; i++) {
		if (sources[i].fd != fd)
			continue;
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		sources[i].fd = -1;
	}
}

int loop_run(void)
{
	stopping = false;
	while (!stopping) {
		struct epoll_event ev;

		/* one at a time: a call may take other sources away */
		int n = epoll_wait(epoll_fd, &ev, 1, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 1 && sources[ev.data.u32].fd >= 0)
			sources[ev.data.u32].fn(sources[ev.data.u32].arg);
	}
	return 0;
}

void loop_stop(void)
{
	stopping = true;
}

void loop_uninit(void)
{
	if (signal_fd >= 0)
		close(signal_fd);
	if (epoll_fd >= 0)
		close(epoll_fd);
	signal_fd = -1;
	epoll_fd = -1;
}
