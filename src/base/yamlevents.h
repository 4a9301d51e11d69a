/* SPDX-License-Identifier: Apache-2.0 */
/* What libyaml reads, event by event, and errors with the place where they are. */
#ifndef BASE_YAMLEVENTS_H
#define BASE_YAMLEVENTS_H

#include "base/error.h"
#include "base/yamlmarks.h"

#include <yaml.h>

/* All of it is borrowed. */
struct yamlevents {
    yaml_parser_t *parser; /* of `text` */
    const char *text;
    size_t len;
    const char *name; /* of the file, for errors */
    struct casb_error *err;
};

/* Counted from 1. */
struct yamlposition yamlevents_position(yaml_mark_t at);

/* Sets the error "NAME:LINE:COLUMN: ..."; returns CASB_EINVALID. */
int yamlevents_fail(const struct yamlevents *e, struct yamlposition at, const char *format, ...)
    _printf_(3, 4);

/*
 * Reads the next event, which the caller frees by yaml_event_delete(). Returns 0, CASB_EINVALID
 * with the place and the reason, or CASB_ENOMEM.
 */
int yamlevents_next(const struct yamlevents *e, yaml_event_t *ret) _warn_unused_;

#endif
