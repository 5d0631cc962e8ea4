/* SPDX-License-Identifier: GPL-2.0 */
/* What the daemon and the administrator do to the broker. */
#ifndef CONNFUZZ_CONTROL_OPS_H
#define CONNFUZZ_CONTROL_OPS_H

#include "ops.h"

void control_run(enum op op, const struct args *args);
/* All settings, rules and the rest as at the start. Blocks: a task's. */
void control_defaults(void *arg);
void control_reset(void);

#endif
