/* SPDX-License-Identifier: GPL-2.0 */
/*
 * attr: attributes of an answer into columns
 *
 * Each does nothing if the attribute is absent, so that its column shows "-"
 * and its key is missing.
 */
#ifndef KMQTT_CTL_ATTR_H
#define KMQTT_CTL_ATTR_H

#include <stdint.h>

#include "ctl.h"

/** attr_u64() - an attribute of 1, 2, 4 or 8 bytes as a number, or 0 */
uint64_t attr_u64(struct nlattr *const *attrs, int type);

/** attr_str() - a string, "" if absent */
const char *attr_str(struct nlattr *const *attrs, int type);

/** attr_out_u64() - show a number */
void attr_out_u64(struct out *out, unsigned int col,
		  struct nlattr *const *attrs, int type);

/** attr_out_str() - show a string of the network's */
void attr_out_str(struct out *out, unsigned int col,
		  struct nlattr *const *attrs, int type);

/** attr_out_age() - show KMQTT_A_AGE: in JSON milliseconds */
void attr_out_age(struct out *out, unsigned int col,
		  struct nlattr *const *attrs);

/** attr_out_expiry() - show KMQTT_A_EXPIRY: in JSON seconds */
void attr_out_expiry(struct out *out, unsigned int col,
		     struct nlattr *const *attrs);

/**
 * attr_out_endpoint() - show ADDRESS and PORT, or PATH
 * @out: output
 * @col: column of the text; the three that follow it are JSON's address, port
 *	and path
 * @attrs: attributes
 */
void attr_out_endpoint(struct out *out, unsigned int col,
		       struct nlattr *const *attrs);

#endif /* KMQTT_CTL_ATTR_H */
