/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's settings are a table: the host parses, checks and fills them, reports errors with
 * file, line and column, and prints the table as help.
 */
#ifndef CAS_BACKUP_OPTION_H
#define CAS_BACKUP_OPTION_H

#include <stddef.h>

/*
 * What a setting holds, and the type of the member at `offset` that receives it.
 * Jansson (json_t) is part of this interface: nested settings are borrowed trees.
 */
enum casb_option_type {
    CASB_STRING,        /* const char *; NULL where unset and without default; never "" */
    CASB_BOOL,          /* bool */
    CASB_INT,           /* int64_t, between `min` and `max` */
    CASB_DURATION,      /* int64_t nanoseconds, from "90s", "5m", "1h30m", "200ms" or "90d" */
    CASB_ADDRESS,       /* const char *: a host or IP address, with an optional port */
    CASB_STRINGS,       /* const json_t *: an array of strings, or NULL */
    CASB_MAP,           /* const json_t *: an object whose content the plugin checks, or NULL */
    CASB_LIST,          /* const json_t *: an array whose content the plugin checks, or NULL */
    CASB_DURATION_OR_0, /* as CASB_DURATION, or "0s" */
};

/*
 * One setting. The table ends with a row whose name is NULL.
 */
struct casb_option {
    const char *name; /* "ready_timeout", or "las.selector" for a key inside the map "las" */
    enum casb_option_type type;
    size_t offset;       /* of the member in the plugin's settings struct */
    const char *def;     /* default in the form of the settings file; NULL: none */
    const char *env;     /* environment variable that overrides the file; NULL: none */
    const char *choices; /* CASB_STRING, CASB_STRINGS: the valid words, "a|b|c"; NULL: any text */
    const char *help;    /* one line, for people */
    long long min, max;  /* CASB_INT: bounds where max > min; else 0 to INT64_MAX */
};

#endif
