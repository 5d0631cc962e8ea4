// SPDX-License-Identifier: GPL-2.0
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

/*
 * Ours to remove: not that of a daemon that was here before us, nor what a
 * configuration that was read later names.
 */
static char *pid_written;

static struct passwd *user_find(const struct config_path *user,
				struct diag *diag)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(user->path);
	if (!pw)
		diag_error(diag, user->place.file, user->place.line,
			   "there is no user \"%s\"%s%s",
			   diag_quote(user->path), errno ? ": " : "",
			   errno ? strerror(errno) : "");
	return pw;
}

int system_user_check(const struct config_path *user, struct diag *diag)
{
	if (!user->path || geteuid() != 0)
		return 0;
	return user_find(user, diag) ? 0 : -1;
}

static int capabilities_keep(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { 0 } };
	unsigned int mask = 1u << CAP_NET_ADMIN | 1u << CAP_NET_BIND_SERVICE;

	data[0].effective = mask;
	data[0].permitted = mask;
	return syscall(SYS_capset, &header, data);
}

int system_user_become(const struct config_path *user, struct diag *diag)
{
	struct passwd *pw;

	if (!user->path || geteuid() != 0)
		return 0;
	pw = user_find(user, diag);
	if (!pw)
		return -1;
	if (!pw->pw_uid)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ||
	    initgroups(user->path, pw->pw_gid) || setgid(pw->pw_gid) ||
	    setuid(pw->pw_uid) || capabilities_keep())
		return diag_error(diag, user->place.file, user->place.line,
				  "cannot become user %s: %s",
				  diag_quote(user->path), strerror(errno));
	return 0;
}

int system_pid_write(const struct config_path *file, struct diag *diag)
{
	char text[24], *path;
	int fd, n;

	if (!file->path)
		return 0;
	path = strdup(file->path);
	if (!path)
		return diag_error(diag, NULL, 0, "out of memory");
	fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		diag_error(diag, file->place.file, file->place.line,
			   "cannot write %s: %s", diag_quote(file->path),
			   strerror(errno));
		goto err_path;
	}
	n = snprintf(text, sizeof(text), "%d\n", getpid());
	if (write(fd, text, n) != n) {
		diag_error(diag, file->place.file, file->place.line,
			   "cannot write %s: the disk may be full",
			   diag_quote(file->path));
		goto err_close;
	}
	close(fd);
	pid_written = path;
	return 0;

err_close:
	close(fd);
err_path:
	free(path);
	return -1;
}

void system_pid_remove(void)
{
	if (!pid_written)
		return;
	/* the folder may be root's alone: an empty file tells as much */
	if (unlink(pid_written) && truncate(pid_written, 0))
		log_warning("cannot remove %s: %s", pid_written,
			    strerror(errno));
	free(pid_written);
	pid_written = NULL;
}

void system_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (sun.sun_path[0] == '@')
		sun.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	       (struct sockaddr *)&sun,
	       offsetof(struct sockaddr_un, sun_path) + len);
	close(fd);
}
