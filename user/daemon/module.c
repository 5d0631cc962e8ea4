// SPDX-License-Identifier: GPL-2.0
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "log.h"
#include "loop.h"

static struct nl_sock *watch;
static void (*watch_gone)(void);

/* modprobe knows dependencies, compression, aliases and what is forbidden */
static int run_modprobe(void)
{
	static const char *const paths[] = {
		"/sbin/modprobe", "/usr/sbin/modprobe",
	};
	sigset_t none;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (size_t i = 0; i < 2; i++)
			execl(paths[i], "modprobe", "-q", "kmqtt",
			      (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

/* where "make install" puts it, for systems without modprobe or depmod */
static int load_file(char *path, size_t size)
{
	struct utsname u;
	int fd, ret;

	uname(&u);
	snprintf(path, size, "/lib/modules/%s/updates/kmqtt.ko", u.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

static int module_load(struct diag *diag)
{
	char path[sizeof(struct utsname) + 64];
	int ret;

	if (!run_modprobe()) {
		log_info("module kmqtt loaded");
		return 0;
	}
	ret = load_file(path, sizeof(path));
	if (!ret) {
		log_info("module kmqtt loaded from %s", path);
		return 0;
	}
	if (ret == -ENOENT)
		return diag_error(diag, NULL, 0,
				  "module kmqtt is not loaded, modprobe does not find it, and there is no %s: run make install, or insmod kmqtt.ko",
				  path);
	if (ret == -EPERM)
		return diag_error(diag, NULL, 0,
				  "module kmqtt is not loaded, and loading it is not permitted: run modprobe kmqtt as root first");
	return diag_error(diag, NULL, 0, "cannot load %s: %s", path,
			  ret == -ENOEXEC ? "it is not for this kernel" :
			  strerror(-ret));
}

struct kmnl *module_open(struct diag *diag)
{
	char err[256];
	struct kmnl *nl = kmnl_open(err, sizeof(err));

	if (nl)
		return nl;
	if (errno == ENOENT) {
		if (module_load(diag) < 0)
			return NULL;
		nl = kmnl_open(err, sizeof(err));
		if (nl)
			return nl;
	}
	diag_error(diag, NULL, 0, "%s", err);
	return NULL;
}

static int notify_handle(struct nl_msg *msg, void *arg)
{
	struct nlattr *a[CTRL_ATTR_MAX + 1];
	struct genlmsghdr *gh = nlmsg_data(nlmsg_hdr(msg));

	if (!genlmsg_parse(nlmsg_hdr(msg), 0, a, CTRL_ATTR_MAX, NULL) &&
	    gh->cmd == CTRL_CMD_DELFAMILY &&
	    a[CTRL_ATTR_FAMILY_NAME] &&
	    !nla_strcmp(a[CTRL_ATTR_FAMILY_NAME], KMQTT_GENL_NAME))
		watch_gone();
	return NL_OK;
}

static void watch_read(void *arg)
{
	/* what was lost is of other families, or met by the next request */
	nl_recvmsgs_default(watch);
}

void module_watch(void (*gone)(void))
{
	int group;

	watch_gone = gone;
	watch = nl_socket_alloc();
	if (!watch || genl_connect(watch) < 0)
		goto failed;
	nl_socket_disable_seq_check(watch);
	group = genl_ctrl_resolve_grp(watch, "nlctrl", "notify");
	if (group < 0 || nl_socket_add_membership(watch, group) < 0)
		goto failed;
	nl_socket_modify_cb(watch, NL_CB_VALID, NL_CB_CUSTOM, notify_handle,
			    NULL);
	nl_socket_set_nonblocking(watch);
	if (!loop_add(nl_socket_get_fd(watch), watch_read, NULL))
		return;
failed:
	log_warning("cannot notice that the module is unloaded");
	nl_socket_free(watch);
	watch = NULL;
}

void module_unwatch(void)
{
	if (!watch)
		return;
	loop_del(nl_socket_get_fd(watch));
	nl_socket_free(watch);
	watch = NULL;
}
