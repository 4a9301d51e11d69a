/* SPDX-License-Identifier: Apache-2.0 */
/* One value of one option: checked, stored, and described when it is wrong. Thread-safe. */
#ifndef CAS_BACKUP_OPTION_VALUE_H
#define CAS_BACKUP_OPTION_VALUE_H

#include "base/error.h"
#include "base/yamldoc.h"

#include <cas-backup/option.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define OPTION_WHERE_BYTES 256

/* A value on its way into a settings struct: a text from outside the file, or a node of it. */
struct option_value {
    const struct casb_option *option;
    const struct yamldoc *doc; /* where `node` stands */
    const char *text;
    const json_t *node;
    bool is_default;                /* `text` is the option's own default */
    char where[OPTION_WHERE_BYTES]; /* "--parallel", or the node's path in the file */
};

/*
 * Checks the value and writes it to the option's member of the struct at `values`. Nested values
 * that come as text are parsed and appended to the array `trees`. Returns CASB_EINVALID with the
 * place, what was expected and what stands there; CASB_EFAILED for a default.
 */
int option_value_store(const struct option_value *v, void *values, json_t *trees,
                       struct casb_error *err) _warn_unused_;

/* Bytes of the member that receives a value of this type; 0: no such type. */
size_t option_type_size(enum casb_option_type type);

/* What the option takes, for people: "a whole number from 1 to 64". Returns out. */
char *option_describe(const struct casb_option *option, char *out, size_t size);

/* Is this what CASB_ADDRESS takes? */
bool option_is_address(const char *text);

/*
 * CASB_EINVALID about the value, or with `key` about the key, at `path` of a settings file:
 * "FILE:LINE:COLUMN: text", or the text alone where the document is no file.
 */
int option_error_at(const struct yamldoc *doc, const char *path, bool key, struct casb_error *err,
                    const char *format, ...) _printf_(5, 6);

#endif
