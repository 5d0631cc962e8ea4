/* SPDX-License-Identifier: GPL-2.0 */
/*
 * auth: answers the module's questions about who may connect
 *
 * A client with a user name is checked against the password file; one
 * without is let in where the configuration allows anonymous clients. There
 * are no methods of enhanced authentication yet: clients that want one get
 * 0x8c [MQTT-4.12.0-1].
 */
#ifndef KMQTTD_AUTH_H
#define KMQTTD_AUTH_H

#include "plan.h"

/**
 * auth_open() - become the authority; no question is answered yet
 * @diag: gets the reason if it fails: another daemon runs, for example
 *
 * Return: 0, or -1 after a report.
 */
int auth_open(struct diag *diag);

/**
 * auth_start() - get ready to answer
 * @diag: gets the reason if it fails
 *
 * Call it after loop_init() and after privileges were dropped: it starts the
 * thread that checks passwords.
 *
 * Return: 0, or -1 after a report.
 */
int auth_start(struct diag *diag);

/**
 * auth_set() - answer by this plan from now on
 * @plan: what is in force in the module; borrowed until the next call
 *
 * What was asked before the first call is answered now.
 */
void auth_set(const struct plan *plan);

/** auth_close() - stop answering; connected clients go on */
void auth_close(void);

#endif /* KMQTTD_AUTH_H */
