/* SPDX-License-Identifier: GPL-2.0 */
/* module: as much of the kernel module's netlink interface as the daemon and
 * kmqttctl see, in memory that the test and what is tested share
 */
#ifndef NOMEM_MODULE_H
#define NOMEM_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#define MODULE_LISTENERS	16
#define MODULE_SETTINGS		16
#define MODULE_QUESTIONS	32
#define MODULE_UNANSWERED	(-1)

struct module_listener {
	uint32_t id;		/* 0: unused */
	uint8_t address[16];
	uint8_t length;
	uint16_t port;
	uint8_t auth_mode;
	uint32_t max_connections;
};

/**
 * struct module - the module's state
 * @listeners: in no order
 * @last_id: of a listener
 * @settings: values, by the module's table of them
 * @rules: in force; @rules_on: there is access control
 * @staged: not in force
 * @staging: there is a list of those, if only an empty one
 * @authority: its socket, -1: none
 * @stopped: BROKER_STOP was asked for
 * @changes: requests that changed something
 * @has_memory: none of the module's own fails
 * @payload: bytes of the last two retained messages, which are shown in full
 * @questions: how many were asked
 * @answers: their answers
 */
struct module {
	struct module_listener listeners[MODULE_LISTENERS];
	uint32_t last_id;
	uint64_t settings[MODULE_SETTINGS];
	int rules;
	bool rules_on;
	int staged;
	bool staging;
	int authority;
	bool stopped;
	int changes;
	bool has_memory;
	uint16_t payload;
	int questions;
	int answers[MODULE_QUESTIONS];
};

extern struct module *module;

/** module_reset() - as after insmod */
void module_reset(struct module *m);

/** module_listener() - the one on @port, or NULL */
const struct module_listener *module_listener(const struct module *m,
					      uint16_t port);

/** module_setting() - value of a setting by name */
uint64_t module_setting(const struct module *m, const char *name);

/**
 * module_ask() - ask the authority about a client
 * @user: name, or NULL
 * @password: or NULL
 * @method: of enhanced authentication, or NULL
 *
 * Return: number of the question, whose answer will be in @module->answers.
 */
int module_ask(const char *user, const char *password, const char *method);

/**
 * module_event() - tell who listens to events that a client connected
 *
 * Return: false if there is no room for it.
 */
bool module_event(void);

#endif
