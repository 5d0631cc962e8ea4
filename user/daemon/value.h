/* SPDX-License-Identifier: GPL-2.0 */
/*
 * value: parsers of the values that keyword.c's table names
 *
 * Each takes the rest of its line, with blanks cut off and not empty, and
 * returns 0, or -1 after a report.
 */
#ifndef KMQTTD_VALUE_H
#define KMQTTD_VALUE_H

#include "parse.h"

#define VALUE(name) \
	int value_##name(struct parser *p, const struct keyword *k, char *value)

VALUE(number);
VALUE(bool);
VALUE(only);
VALUE(limit);
VALUE(inflight);
VALUE(size_limit);
VALUE(topic_alias);
VALUE(max_qos);
VALUE(expiration);
VALUE(anonymous);
VALUE(password_file);
VALUE(acl_file);
VALUE(pid_file);
VALUE(user);
VALUE(include_dir);
VALUE(connection_messages);
VALUE(log_timestamp);
VALUE(log_format);
VALUE(log_facility);
VALUE(log_dest);
VALUE(log_type);

#undef VALUE

#endif /* KMQTTD_VALUE_H */
