/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel: the module's objects that the daemon sets up
 *
 * All functions return 0 or negative errno, with the reason in kmnl_error().
 * Where the answer was lost, a change that does no harm twice is asked for once
 * more: the caller counts on it that nothing was changed after an error.
 */
#ifndef KMQTTD_KERNEL_H
#define KMQTTD_KERNEL_H

#include "aclfile.h"
#include "config.h"
#include "endpoint.h"
#include "genl.h"

/**
 * struct kernel_setting - a setting as the module has it
 * @known: the module has such a setting
 * @value: in force
 * @initial: its default
 * @min: least value
 * @max: greatest value
 */
struct kernel_setting {
	bool known;
	uint64_t value;
	uint64_t initial;
	uint64_t min;
	uint64_t max;
};

/** kernel_listeners() - append all listeners of the module to @e */
int kernel_listeners(struct kmnl *nl, struct endpoints *e);

/** kernel_listener_new() - add a listener; on success @e->id is filled in */
int kernel_listener_new(struct kmnl *nl, struct endpoint *e);

/** kernel_listener_set() - change mode and limit of the listener @e->id */
int kernel_listener_set(struct kmnl *nl, const struct endpoint *e);

/** kernel_listener_del() - remove the listener @id with its connections */
int kernel_listener_del(struct kmnl *nl, uint32_t id);

/** kernel_settings() - read SETTING_COUNT settings */
int kernel_settings(struct kmnl *nl, struct kernel_setting *s);

/**
 * kernel_settings_set() - change settings, all or none
 * @nl: handle
 * @values: new values by enum config_setting
 * @mask: bit of each that is to change; 0: nothing is sent
 */
int kernel_settings_set(struct kmnl *nl, const uint64_t *values,
			uint32_t mask);

/** kernel_acl_stage() - hand the rules over; none of them is in force yet */
int kernel_acl_stage(struct kmnl *nl, const struct acl_rules *a);

/** kernel_acl_abandon() - give the memory of staged rules back */
void kernel_acl_abandon(struct kmnl *nl);

/** kernel_acl_commit() - put what was staged in force, in one step */
int kernel_acl_commit(struct kmnl *nl);

/** kernel_acl_off() - no access control */
int kernel_acl_off(struct kmnl *nl);

/** kernel_authority() - make @nl's socket the one that is asked */
int kernel_authority(struct kmnl *nl);

/** kernel_stop() - end the broker; returns when nothing is left of it */
int kernel_stop(struct kmnl *nl);

#endif /* KMQTTD_KERNEL_H */
