/* SPDX-License-Identifier: GPL-2.0 */
/*
 * escape: bytes that came from the network, made safe for a terminal
 *
 * Client identifiers, topics and payloads are chosen by whoever connects. A
 * terminal must not obey them, and they must not look like another column.
 * What comes out can be pasted back between $' and ' of a shell.
 */
#ifndef KMQTT_CTL_ESCAPE_H
#define KMQTT_CTL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * utf8_decode() - take a code point off
 * @s: bytes
 * @len: how many there are, at least 1
 * @cp: gets the code point
 *
 * Return: the bytes it takes (1 to 4), or 0 if they are not well-formed
 * UTF-8 (overlong, surrogate, cut short, beyond U+10FFFF).
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *cp);

/** utf8_valid() - is all of it well-formed UTF-8? */
bool utf8_valid(const char *s, size_t len);

/**
 * escape_needed() - would a terminal obey this code point?
 * @cp: code point
 *
 * True of C0 and C1 controls, and of the invisible ones that reorder or
 * break a line (bidirectional controls, line separators, tags).
 */
bool escape_needed(uint32_t cp);

/**
 * escape_text() - a printable copy
 * @s: bytes
 * @len: how many
 * @max: columns it may take; what is cut is shown as "..."; 0: no limit
 *
 * Controls become \n, \t, \xHH or \uHHHH, bytes that are no UTF-8 \xHH, a
 * backslash is doubled. The empty string, "-" and what holds a space or a
 * quotation mark is put in quotation marks.
 *
 * Return: memory to be freed by the caller; the program ends without it.
 */
char *escape_text(const char *s, size_t len, size_t max);

/** escape_words() - the same for a sentence: it is not put in quotation marks */
char *escape_words(const char *s);

/** escape_width() - columns that a text of escape_text() takes */
size_t escape_width(const char *s);

#endif /* KMQTT_CTL_ESCAPE_H */
