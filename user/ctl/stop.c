// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "ctl.h"
#include "escape.h"

static int stop(struct ctl *ctl)
{
	const char *arg;
	bool sure = false;
	int status;

	while (ctl->argc) {
		arg = ctl_next(ctl, "option");
		if (strcmp(arg, "--yes"))
			ctl_usage(ctl, "%s is unknown, it should be --yes",
				  escape_text(arg, strlen(arg), 60));
		sure = true;
	}
	if (!sure)
		ctl_usage(ctl,
			  "all connections, sessions, retained messages, rules and settings %s",
			  "would be gone; if you mean it: kmqttctl stop --yes");
	status = ctl_request(ctl, ctl_msg(ctl, KMQTT_CMD_BROKER_STOP), NULL,
			     NULL);
	if (status == CTL_OK)
		out_say(&ctl->out, "stopped");
	return status;
}

const struct ctl_verb stop_verbs[] = {
	{ "", "--yes",
	  "end all connections; forget sessions, messages, rules and settings",
	  stop },
	{ NULL, NULL, NULL, NULL }
};
