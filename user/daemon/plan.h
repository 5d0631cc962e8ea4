/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plan: all that the files ask for, read and checked, with nothing done yet
 */
#ifndef KMQTTD_PLAN_H
#define KMQTTD_PLAN_H

#include "aclfile.h"
#include "config.h"
#include "endpoint.h"
#include "genl.h"
#include "passwd.h"

/**
 * struct plan - what is to be in force
 * @config: the configuration
 * @endpoints: its listeners by address; plan_apply() fills in their numbers
 * @passwords: users, one reference; NULL if there is no password_file
 * @acl: rules; NULL if there is no acl_file
 */
struct plan {
	struct config *config;
	struct endpoints endpoints;
	struct passwd_db *passwords;
	struct acl_rules *acl;
};

/**
 * plan_read() - read and check all files
 * @options: command line
 * @diag: gets every mistake
 *
 * Return: a plan (end it with plan_free()), or NULL after a report.
 */
struct plan *plan_read(const struct config_options *options,
		       struct diag *diag);

/**
 * plan_apply() - make the module's state what the plan says
 * @plan: the plan; numbers of its listeners are filled in
 * @nl: handle for requests
 * @diag: gets what went wrong
 *
 * Only what differs is touched: listeners that stay keep their connections.
 * A new listener asks the authority until everything else is in force, so
 * that no client gets in by rules that are on their way out.
 *
 * Return: 0, or -1 after a report, with the module as it was before.
 */
int plan_apply(struct plan *plan, struct kmnl *nl, struct diag *diag);

/**
 * plan_end() - end the service, and remove the files of its sockets
 * @plan: in force
 * @nl: handle for requests; NULL: the module is gone
 * @diag: gets files that cannot be removed
 *
 * Return: 0, or negative errno with the reason in kmnl_error().
 */
int plan_end(const struct plan *plan, struct kmnl *nl, struct diag *diag);

/** plan_free() - release a plan; NULL is fine */
void plan_free(struct plan *plan);

#endif /* KMQTTD_PLAN_H */
