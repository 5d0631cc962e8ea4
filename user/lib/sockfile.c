// SPDX-License-Identifier: GPL-2.0
#include "sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

/* As answers(), of @name in a folder; -ENOTSOCK: it is another kind of file */
static int look(int folder, const char *name, const char *path)
{
	struct stat st;

	/* connect() says the same of other files as of dead sockets */
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return S_ISSOCK(st.st_mode) ? answers(path) : -ENOTSOCK;
}

/* The folder, so that it stays the same one; *name is what is in there. */
static int open_folder(const char *path, const char **name)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t len;
	int fd;

	*name = strrchr(path, '/') + 1;
	len = *name - path;
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sockfile_remove(const char *path)
{
	const char *name;
	int dir, ret;

	dir = open_folder(path, &name);
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	ret = look(dir, name, path);
	if (!ret && unlinkat(dir, name, 0))
		ret = -errno;
	close(dir);
	return ret == -ENOENT ? 0 : ret;
}

bool sockfile_served(const char *path)
{
	int ret = look(AT_FDCWD, path, path);

	return ret && ret != -ENOENT && ret != -ENOTDIR;
}
