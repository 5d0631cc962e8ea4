/* SPDX-License-Identifier: GPL-2.0 */
/*
 * events: lines of the log about clients, from the module's events
 */
#ifndef KMQTTD_EVENTS_H
#define KMQTTD_EVENTS_H

#include "config.h"

/**
 * events_set() - log as the configuration says
 * @c: configuration in force; call it again when it or the logging changes
 *
 * The module is only asked for events if some kind of them would be logged.
 * A failure costs the lines and nothing else; it is logged.
 */
void events_set(const struct config *c);

/** events_close() - no more of them */
void events_close(void);

#endif /* KMQTTD_EVENTS_H */
