/* SPDX-License-Identifier: GPL-2.0 */
/*
 * module: loads kmqtt.ko if it is not there
 */
#ifndef KMQTTD_MODULE_H
#define KMQTTD_MODULE_H

#include "diag.h"
#include "genl.h"

/**
 * module_open() - connect to the module, loading it first if need be
 * @diag: gets the reason if that fails
 *
 * Return: a handle for requests, or NULL after a report.
 */
struct kmnl *module_open(struct diag *diag);

/**
 * module_watch() - notice that the module is unloaded
 * @gone: called from the loop when that happens: nothing of the broker is
 *	left, and all handles are dead
 *
 * A failure is logged; the daemon then does not notice.
 */
void module_watch(void (*gone)(void));

/** module_unwatch() - end module_watch() */
void module_unwatch(void);

#endif /* KMQTTD_MODULE_H */
