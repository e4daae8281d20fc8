/* SPDX-License-Identifier: MIT */
/* rights: the fleet's accounts with the least rights that work, as a shell script for whoever is
 * administrator of RabbitMQ, Redis and PostgreSQL. The names in it come from the configuration:
 * queues, virtual host, Redis prefix. Documented in jobfleet(1), "config rights". */
#ifndef CTL_RIGHTS_H
#define CTL_RIGHTS_H

struct buf;
struct conf;

/* Appends the script. No password is in it: it reads $JOBFLEET_PASSWORD and gives it on by standard
 * input, so that none stands on a command line. */
void rights_script(const struct conf *conf, struct buf *out);

#endif
