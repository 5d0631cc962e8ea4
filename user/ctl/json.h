/* SPDX-License-Identifier: GPL-2.0 */
/*
 * json: a writer that streams
 *
 * Nothing is kept in memory, so that a table of a million retained messages
 * can be written as it arrives, and 64-bit counters are written exactly.
 */
#ifndef KMQTT_CTL_JSON_H
#define KMQTT_CTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* deepest nesting that is written */
#define JSON_DEPTH	8

/**
 * struct json - a document being written
 * @to: where to
 * @pretty: a line for each value, indented by tabs
 * @depth: open objects and arrays
 * @filled: per depth, whether a value was written there
 * @keyed: a key was written and its value was not yet
 */
struct json {
	FILE *to;
	bool pretty;
	int depth;
	bool filled[JSON_DEPTH + 1];
	bool keyed;
};

/**
 * json_begin() - open an object or array
 * @j: document
 * @bracket: '{' or '['
 *
 * Must not nest deeper than JSON_DEPTH.
 */
void json_begin(struct json *j, char bracket);

/**
 * json_end() - close what json_begin() opened
 * @j: document
 * @bracket: '}' or ']'
 *
 * Closing the outermost one ends the line.
 */
void json_end(struct json *j, char bracket);

/** json_key() - name the next value of an object */
void json_key(struct json *j, const char *key);

/**
 * json_string() - write a string
 * @j: document
 * @s: bytes, UTF-8; a byte that is not part of UTF-8 becomes U+FFFD
 * @len: how many
 */
void json_string(struct json *j, const char *s, size_t len);

/** json_u64() - write a number, with all its digits */
void json_u64(struct json *j, uint64_t v);

/** json_bool() - write true or false */
void json_bool(struct json *j, bool v);

#endif /* KMQTT_CTL_JSON_H */
