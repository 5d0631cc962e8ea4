/* SPDX-License-Identifier: GPL-2.0 */
/* files: what the daemon reads */
#ifndef NOMEM_FILES_H
#define NOMEM_FILES_H

#include "run.h"

#define CONF	"listener 2000 127.0.0.1\nlistener 2001 127.0.0.1\n" \
		"allow_anonymous true\npassword_file passwd\n" \
		"acl_file rules\ninclude_dir inc\n" \
		"max_inflight_messages 30\nlog_type all\n" \
		"log_timestamp_format %Y\nlog_dest stderr\n" \
		"log_dest file log\npid_file pid\n"

/*
 * alice's password is wonderland, with two rounds, each of which allocates;
 * bob's is builder
 */
#define PASSWD	"alice:$7$2$dHdlbHZlIGJ5dGVz$ykr7R6bYsujNs4KzAtRovlKH2HGGkyH04Udq4RHiyyXmXClUlvG9x7pD1PsYnk+Ck5u+gIFG099EaY4+Bj9wjg==\n" \
		"bob:$6$j97u+i+1KuPl4hpU$eBy/gnWErGQ9uW+gjajoUoDLKWX4yC5pnvvsAlIvgIJZmxqxKb0RhNT4QwX/Z460Cg6/AD8lAxGdaUKpJbrKFA==\n"

#define RULES	"topic read plant/#\nuser alice\ntopic #\n" \
		"pattern write %c/+\n"

/** files_write() - all of them, into the current folder */
void files_write(void);

extern const struct scenario file_scenarios[];
extern const int nr_file_scenarios;

#endif
