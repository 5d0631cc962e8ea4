// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <stdlib.h>

struct plan *plan_read(const struct config_options *options,
		       struct diag *diag)
{
	unsigned int before = diag->errors;
	struct plan *plan = calloc(1, sizeof(*plan));
	struct config *c;

	if (!plan) {
		diag_error(diag, NULL, 0, "out of memory");
		return NULL;
	}
	c = config_read(options, diag);
	plan->config = c;
	if (!c)
		goto err_free;
	if (c->passwords.path)
		plan->passwords = passwd_read(c->passwords.path, diag,
					      c->passwords.place.file,
					      c->passwords.place.line);
	if (c->acl.path)
		plan->acl = acl_read(c->acl.path, diag, c->acl.place.file,
				     c->acl.place.line);
	endpoints_resolve(&plan->endpoints, c, diag);
	if (diag->errors == before)
		return plan;
err_free:
	plan_free(plan);
	return NULL;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	acl_free(plan->acl);
	passwd_put(plan->passwords);
	endpoints_free(&plan->endpoints);
	config_free(plan->config);
	free(plan);
}
