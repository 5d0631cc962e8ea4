// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of kmod/core/qos.c as Promela: what the models run is what the
 * module runs. Rows can be replaced, to see whether the models mind.
 *
 * usage: table [STATE.EVENT=NEXT.ACTION]...
 *	table --cells		all STATE.EVENT, one a line
 *
 * Names are those of qos.h without MQTT_QOS_; the receiver's begin with RX_.
 */
#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>
#include "qos.h"

#define NAME(_name) [MQTT_QOS_##_name] = #_name

static const char *const states[MQTT_QOS_NR_STATES] = {
	NAME(QUEUED), NAME(WAIT_PUBACK), NAME(WAIT_PUBREC), NAME(WAIT_PUBCOMP),
	NAME(DONE),
};

static const char *const events[MQTT_QOS_NR_EVENTS] = {
	NAME(SEND), NAME(PUBACK), NAME(PUBREC_OK), NAME(PUBREC_ERROR),
	NAME(PUBCOMP), NAME(RESUME),
};

static const char *const actions[] = {
	NAME(NONE), NAME(SEND_PUBLISH), NAME(SEND_PUBLISH_DUP),
	NAME(SEND_PUBREL), NAME(SEND_PUBREL_UNKNOWN), NAME(RELEASE),
	NAME(PROTOCOL_ERROR),
};

static const char *const rx_states[MQTT_QOS_RX_NR_STATES] = {
	NAME(RX_FREE), NAME(RX_HELD),
};

static const char *const rx_events[MQTT_QOS_RX_NR_EVENTS] = {
	NAME(RX_PUBLISH), NAME(RX_TAKEN), NAME(RX_REFUSED), NAME(RX_FAILED),
	NAME(RX_PUBREL),
};

static const char *const rx_actions[] = {
	NAME(RX_NONE), NAME(RX_HAND_ON), NAME(RX_SEND_PUBREC),
	NAME(RX_SEND_PUBREC_ERROR), NAME(RX_SEND_PUBCOMP),
	NAME(RX_SEND_PUBCOMP_UNKNOWN), NAME(RX_END_CONNECTION),
};

struct table {
	const char *name;
	const char *const *states, *const *events, *const *actions;
	unsigned int nr_states, nr_events, nr_actions;
	bool by_qos;
};

static const struct table tables[] = {
	{
		"mqtt_qos_step", states, events, actions,
		ARRAY_SIZE(states), ARRAY_SIZE(events), ARRAY_SIZE(actions),
		true,
	}, {
		"mqtt_qos_rx_step", rx_states, rx_events, rx_actions,
		ARRAY_SIZE(rx_states), ARRAY_SIZE(rx_events),
		ARRAY_SIZE(rx_actions), false,
	},
};

static char **replaced;
static bool used[64];

static struct mqtt_qos_step step_of(const struct table *table,
				    unsigned int state, unsigned int event,
				    unsigned int qos)
{
	return table->by_qos ? mqtt_qos_step(state, event, qos) :
			       mqtt_qos_rx_step(state, event);
}

/* The replacement for a cell: NEXT.ACTION, or NULL. */
static const char *replacement(const char *cell)
{
	unsigned int i;

	for (i = 0; replaced[i]; i++) {
		if (!strncmp(replaced[i], cell, strlen(cell)) &&
		    replaced[i][strlen(cell)] == '=') {
			used[i] = true;
			return replaced[i] + strlen(cell) + 1;
		}
	}
	return NULL;
}

static void print_names(const char *const *names, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		printf("#define MQTT_QOS_%s %u\n", names[i], i);
}

static void print_row(const char *cell, const char *next, const char *action,
		      const char *condition)
{
	const char *dot = strchr(cell, '.');

	printf("\t:: (state) == MQTT_QOS_%.*s && (event) == MQTT_QOS_%s%s ->\n"
	       "\t\tnext = MQTT_QOS_%s; action = MQTT_QOS_%s\n",
	       (int)(dot - cell), cell, dot + 1, condition, next, action);
}

static void print_replaced(const char *cell, const char *with)
{
	char next[32];

	snprintf(next, sizeof(next), "%.*s", (int)strcspn(with, "."), with);
	print_row(cell, next, strchr(with, '.') + 1, "");
}

static bool same_for_all(const struct table *table, unsigned int state,
			 unsigned int event)
{
	struct mqtt_qos_step one = step_of(table, state, event, 1);
	struct mqtt_qos_step two = step_of(table, state, event, 2);

	return one.next == two.next && one.action == two.action;
}

static void print_cell(const struct table *table, unsigned int state,
		       unsigned int event)
{
	struct mqtt_qos_step step;
	char cell[64], condition[16];
	const char *with;
	unsigned int qos;

	snprintf(cell, sizeof(cell), "%s.%s", table->states[state],
		 table->events[event]);
	with = replacement(cell);
	if (with) {
		print_replaced(cell, with);
		return;
	}
	for (qos = 1; qos <= 2; qos++) {
		step = step_of(table, state, event, qos);
		snprintf(condition, sizeof(condition), " && qos == %u", qos);
		if (same_for_all(table, state, event))
			condition[0] = 0;
		print_row(cell, table->states[step.next],
			  table->actions[step.action], condition);
		if (!condition[0])
			break;
	}
}

static void print_table(const struct table *table)
{
	unsigned int state, event;

	print_names(table->states, table->nr_states);
	print_names(table->events, table->nr_events);
	print_names(table->actions, table->nr_actions);
	printf("\ninline %s(state, event%s)\n{\n\tif\n", table->name,
	       table->by_qos ? ", qos" : "");
	for (state = 0; state < table->nr_states; state++)
		for (event = 0; event < table->nr_events; event++)
			print_cell(table, state, event);
	printf("\tfi\n}\n\n");
}

static void print_cells(const struct table *table)
{
	unsigned int state, event;

	for (state = 0; state < table->nr_states; state++)
		for (event = 0; event < table->nr_events; event++)
			printf("%s.%s\n", table->states[state],
			       table->events[event]);
}

int main(int argc, char **argv)
{
	int i;

	if (argc > 1 && !strcmp(argv[1], "--cells")) {
		print_cells(&tables[0]);
		print_cells(&tables[1]);
		return 0;
	}
	replaced = argv + 1;
	printf("/* Made by table.c from kmod/core/qos.c. */\n");
	print_table(&tables[0]);
	print_table(&tables[1]);
	for (i = 1; i < argc; i++) {
		if (!used[i - 1]) {
			fprintf(stderr, "no such cell: %s\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
