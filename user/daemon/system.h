/* SPDX-License-Identifier: GPL-2.0 */
/*
 * system: process id file, privileges and the service manager
 */
#ifndef KMQTTD_SYSTEM_H
#define KMQTTD_SYSTEM_H

#include "config.h"

/**
 * system_user_check() - does the wanted user exist?
 * @user: from the configuration; without a path nothing is wanted
 * @diag: gets the reason if it does not
 *
 * Return: 0, or -1 after a report.
 */
int system_user_check(const struct config_path *user, struct diag *diag);

/**
 * system_user_become() - change to the wanted user
 * @user: from the configuration; without a path nothing is done
 * @diag: gets the reason if it fails
 *
 * Only root changes. CAP_NET_ADMIN (for the module) and CAP_NET_BIND_SERVICE
 * (for listeners below port 1024 at a reload) are kept, all else is given
 * up. Call it before threads are started.
 *
 * Return: 0, or -1 after a report.
 */
int system_user_become(const struct config_path *user, struct diag *diag);

/** system_pid_write() - write the process id; 0, or -1 after a report */
int system_pid_write(const struct config_path *file, struct diag *diag);

/** system_pid_remove() - take the file away that system_pid_write() wrote */
void system_pid_remove(void);

/** system_notify() - tell the service manager, if there is one, a state such as "READY=1" */
void system_notify(const char *state);

#endif /* KMQTTD_SYSTEM_H */
