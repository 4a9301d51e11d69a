/* SPDX-License-Identifier: Apache-2.0 */
/* The environment variables of the original controller, and those that only look like one. */
#ifndef CAS_BACKUP_VARIABLES_H
#define CAS_BACKUP_VARIABLES_H

/*
 * Takes the name of a variable that is set and that nobody reads, and the name that was perhaps
 * meant, or NULL. Borrowed.
 */
typedef void variables_unknown_fn(const char *name, const char *near, void *arg);

/*
 * Looks in `env` (NAME=VALUE, NULL-terminated) for variables BACKUP_*, LAS_* and SELECTOR_* that
 * are none of the original's (FACTS: "Environment variables", "The controller's later settings"):
 * what is misspelt there would select other nodes without a word. Variables that are empty do not
 * count, nor those that Kubernetes sets for a Service of such a name ("Discovering services").
 */
void variables_check(char *const *env, variables_unknown_fn *unknown, void *arg);

#endif
