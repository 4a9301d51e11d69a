/* SPDX-License-Identifier: Apache-2.0 */
#include "command/commands.h"

const struct command cmd_table[] = {
    {"run", NULL, "make one pass", cmd_run},
    {"plan", NULL, "show what a pass would do, and change nothing", cmd_plan},
    {"status", NULL, "show what is known of the nodes", cmd_status,
     "table|wide|json|name|prometheus"},
    {"coverage", "[NODE...]", "would the primary's database open there?", cmd_coverage},
    {"explain", "NODE...", "every fact behind what is decided about a node", cmd_explain},
    {"check", NULL, "look whether all that a pass needs is there", cmd_check},
    {"cleanup", NULL, "remove every backup CAS of the instance", cmd_cleanup},
    {"forget", "NODE...", "have the next pass register the node again", cmd_forget},
    {"plugins", NULL, "list the plugins; with -v their settings too", cmd_plugins,
     "table|json|schema"},
    {0},
};
