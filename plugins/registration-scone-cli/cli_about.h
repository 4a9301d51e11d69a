/* SPDX-License-Identifier: Apache-2.0 */
/* What the SCONE CLI says about itself: its version, and the options of a command. Pure. */
#ifndef SCONE_CLI_ABOUT_H
#define SCONE_CLI_ABOUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The line of `scone --version`, cleaned, in out[size]: the last one whose last word is a version,
 * as `scone 7.0.0-alpha.4` is (FACTS: "SCONE 6 and 7"). "" where there is none. Returns out.
 */
char *cli_about_version(char *out, size_t size, const char *text);

/* Does a help text list the option ("-C", "--retries")? */
bool cli_about_lists(const char *help, const char *option);

/* Does it list any option at all? A text that does not is no help. */
bool cli_about_is_help(const char *text);

#endif
