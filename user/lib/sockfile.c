// SPDX-License-Identifier: GPL-2.0
#include "sockfile.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* 0: nobody is there; -EADDRINUSE: somebody; else it cannot be told */
static int answers(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret = -EADDRINUSE;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path) >=
	    (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		ret = -errno;
	close(fd);
	switch (ret) {
	case -ECONNREFUSED:
		return 0;
	case -EAGAIN:		/* many connect at this moment */
	case -EPROTOTYPE:	/* its socket is no stream */
		return -EADDRINUSE;
	default:
		return ret;
	}
}

int sockfile_remove(const char *path)
{
	struct stat st;
	int ret;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	ret = answers(path);
	if (!ret && unlink(path))
		ret = -errno;
	return ret == -ENOENT ? 0 : ret;
}

bool sockfile_served(const char *path)
{
	int ret = answers(path);

	return ret && ret != -ENOENT && ret != -ENOTDIR;
}
